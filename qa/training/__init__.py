"""How the shipped weights were made. Nothing at run time imports this."""
