"""Listening: uvicorn, and nothing but uvicorn."""

import socket

import uvicorn
from fastapi import FastAPI

from qa.errors import BabelquoteError
from qa.settings import Settings


def serve(app: FastAPI, *, host: str, port: int, settings: Settings) -> None:
    """Serves the application until interrupted. Port 0 takes a free one. Prints the address once it is open.

    Raises `BabelquoteError` if the port is taken or the address is not this machine's.
    """
    listener = listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    print(f"babelquote listens on http://{shown}:{listener.getsockname()[1]} (stop it with Ctrl+C)", flush=True)
    with listener:
        server_for(app, settings).run(sockets=[listener])


def server_for(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """The server of an application. It believes what `serve.proxy`, and nobody else, says of addresses and TLS."""
    proxy = settings.serve.proxy
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, ws="none", timeout_graceful_shutdown=5,
        proxy_headers=proxy is not None, forwarded_allow_ips=proxy or "",
    )  # fmt: skip
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises `BabelquoteError` as `serve` does."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()  # from now on connections wait, whenever uvicorn is ready for them
        except OSError:
            listener.close()
            raise
    except UnicodeError as error:  # an empty or overlong part of a name
        raise BabelquoteError(f"cannot listen on {host!r}: it is not the name or address of a machine") from error
    except OSError as error:
        raise BabelquoteError(
            f"cannot listen on {host}:{port} ({error.strerror or error}); another program may use that port: choose "
            "one with PORT=7861 make chat, or babelquote chat --port 7861"
        ) from error
    return listener
