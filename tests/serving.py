"""A real server on a loopback port, in a thread of the test's own process, over the shared bot."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
from fastapi import FastAPI

from qa.bot import Bot
from qa.serve.api import build_app
from qa.serve.run import listen, server_for
from qa.serve.service import Service
from qa.serve.users import Users
from qa.settings import Settings

NAME, PASSWORD = "Ænna", "correct horse 上海"


def service_over(bot: Bot, settings: Settings, **limits: Any) -> Service:
    """The bot behind limits that are wide where the test does not say otherwise."""
    wide = {"rate_per_minute": 6_000.0, "burst": 1_000}
    return Service(bot, settings=replace(settings, serve=replace(settings.serve, **{**wide, **limits})))


@contextmanager
def serving(service: Service, *, users: Users | None = None, host: str = "127.0.0.1") -> Iterator[str]:
    """The address of a running server; `host` is what it believes to listen on, which is always a loopback address."""
    with serving_app(build_app(service, host=host, users=users), service.settings) as address:
        yield address


@contextmanager
def serving_app(app: FastAPI, settings: Settings = Settings()) -> Iterator[str]:
    """The address of a server that runs this application."""
    listener = listen("127.0.0.1", 0)
    server = server_for(app, settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        httpx.get(f"{address}/api/health", timeout=60)
        yield address
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listener.close()


def complaint(response: httpx.Response) -> str:
    """The message of an error, which must look like an error and nothing else."""
    value = response.json()
    assert value.keys() == {"status", "message"}
    assert value["status"] == "error"
    assert "Traceback" not in value["message"]
    assert response.headers["Content-Type"] == "application/json"
    return str(value["message"])


def in_parallel(count: int, work: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """What so many threads got that started together."""
    results: list[httpx.Response] = []
    start = threading.Barrier(count)

    def run() -> None:
        start.wait()
        results.append(work())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == count
    return results
