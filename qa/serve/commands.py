"""`babelquote user …`: who may log in."""

import sys
from typing import Annotated

import typer

from qa.errors import BabelquoteError
from qa.settings import load_settings

users = typer.Typer(no_args_is_help=True, help="Who may log in to page, REST and MCP.")

MAX_PASSWORD = 1_000_000
"""Bytes of a line on standard input that are read as a password."""


@users.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="The name to log in with")],
) -> None:
    """Add a user, or give one a new password. It is asked for, or read from standard input."""
    from qa.serve.users import user_file

    file = user_file(load_settings())
    if sys.stdin.isatty():
        password = typer.prompt(f"Password for {name}", hide_input=True, confirmation_prompt=True, err=True)
    else:
        try:
            password = sys.stdin.buffer.readline(MAX_PASSWORD).decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise BabelquoteError(f"the password on standard input is not UTF-8: {error.reason}") from error
    first = not file.names()
    new = file.add(name, password)
    typer.echo(f"{name} {'may log in now' if new else 'has a new password'} ({file.path})", err=True)
    if first:
        typer.echo("a server that runs now lets everybody in until it is started again", err=True)


@users.command("remove")
def remove_user(
    name: Annotated[str, typer.Argument(help="The name to log in with")],
) -> None:
    """Remove a user, who is logged out at once."""
    from qa.serve.users import user_file

    user_file(load_settings()).remove(name)


@users.command("list")
def list_users() -> None:
    """Print the names of those who may log in."""
    from qa.serve.users import user_file

    for name in user_file(load_settings()).names():
        print(name)
