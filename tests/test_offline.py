"""At run time nothing but this machine is talked to."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import CORPUS

GUARD = """
import sys

def guard(event, arguments):
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else "unix"
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if host not in (None, "", "unix", "localhost", "127.0.0.1", "::1", b"localhost", b"127.0.0.1"):
        sys.stderr.write(f"NETWORK {event} {host}\\n")
        sys.stderr.flush()
        raise OSError(f"no network in this test: {event} {host}")

sys.addaudithook(guard)
"""
PROGRAM = """
import socket, threading, time, urllib.request
import app, qa

try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
except OSError as error:
    assert "no network in this test" in str(error), error
else:
    raise SystemExit("the guard does not hold")

bot = qa.open("corpus")
reply = bot.ask("Berapa negara menandatangani resolusi itu?")
assert isinstance(reply, qa.Answer) and "143" in reply.quotes[0].text, reply
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
threading.Thread(target=app.main, args=(bot,), kwargs={"host": "127.0.0.1", "port": port}, daemon=True).start()
for _ in range(60):
    try:
        assert urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=20).status == 200
        break
    except OSError:
        time.sleep(1)
else:
    raise SystemExit("the page did not open")
print("everything works", flush=True)
"""


def test_everything_works_with_sockets_to_loopback_only(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(GUARD)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "BABELQUOTE_STORE__HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=CORPUS.parent, env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert "everything works" in done.stdout
    attempts = [line for line in done.stderr.splitlines() if line.startswith("NETWORK")]
    assert attempts == ["NETWORK socket.getaddrinfo 192.0.2.1"]  # our own try, and no other
