"""babelquote for other programs and other people: one service behind limits and walls, for page, REST and MCP.

service.py   the bot behind limits
schema.py    what goes over the wire
api.py       `build_app`: REST, its documentation, MCP and login in one application; the page is mounted on it
mcp.py       the tools for language models, over HTTP and standard input
users.py     who may log in, commands.py to change it; login.py how; walls.py what stands before everything
files.py     how many files may come; limits.py how often something may happen
excerpts.py  a stretch of a document
run.py       listening
"""
