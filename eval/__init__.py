"""Offline evaluation: gold questions in, a table and a result file out. Nothing here is needed to answer questions."""
