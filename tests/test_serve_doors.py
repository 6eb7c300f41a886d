"""Doors that anybody finds: none lets a visitor fill memory or disk."""

import asyncio
import os
import shutil
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from starlette.testclient import TestClient

from app import arrivals, build_page
from qa.bot import Bot
from qa.errors import RateExceeded
from qa.feedback import FeedbackLog
from qa.page.chat import Chat
from qa.render import to_json
from qa.serve.api import build_app
from qa.serve.files import KEPT_SECONDS, LEAST, kept_clean, sweep
from qa.serve.limits import TokenBuckets
from qa.serve.login import Credentials
from qa.serve.service import Service
from qa.serve.users import LONGEST, LONGEST_NAME, Users
from qa.settings import ServeSettings, Settings, UploadSettings
from tests.disks import in_namespace
from tests.doors import HOSTS, Door
from tests.light import about, novels
from tests.lightbot import light_bot

TEXTS = novels(2)
PASSWORD = "correct horse 上海"


# The login


def credentials(users: Users) -> Credentials:
    return Credentials(users, session_seconds=60, clock=lambda: 0.0)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("a" * (LONGEST_NAME + 1), PASSWORD),
        ("anna", "x" * (LONGEST + 1)),
        ("e\u0301" * (LONGEST_NAME + 1), PASSWORD),
        ("a" * 900_000, "x" * 900_000),
    ],
)
def test_what_nobody_can_be_called_is_not_looked_up(tmp_path: Path, name: str, password: str) -> None:
    """The user file is a folder: whoever looked into it would fail."""
    tried = credentials(Users(tmp_path))
    for _ in range(5):
        assert asyncio.run(tried.check(name, password, address="a")) is None
    with pytest.raises(RateExceeded, match="too many wrong passwords; try again in 10 s"):
        asyncio.run(tried.check(name, password, address="a"))
    assert asyncio.run(tried.check(name, password, address="b")) is None


def test_long_names_are_not_kept_and_the_longest_log_in_however_they_are_composed(tmp_path: Path) -> None:
    users = Users(tmp_path / "users.jsonl")
    users.add("\u1f82" * LONGEST_NAME, PASSWORD)
    tried = credentials(users)
    name = "\u03b1\u0313\u0300\u0345" * LONGEST_NAME
    assert asyncio.run(tried.check(name, PASSWORD, address="a")) == "\u1f82" * LONGEST_NAME
    tracemalloc.start()
    try:
        for number in range(6):
            assert asyncio.run(tried.check(f"{number:03}" * 300_000, "x", address=str(number))) is None
        assert tracemalloc.get_traced_memory()[0] < 500_000
    finally:
        tracemalloc.stop()


# The page


@pytest.fixture
def bot(index: Path) -> Iterator[Bot]:
    bot = light_bot(index)
    yield bot
    bot.close()


class Page:
    """The page over light parts, as its script calls it."""

    def __init__(self, bot: Bot, folder: Path, received: Path, settings: Settings) -> None:
        self.log = FeedbackLog(folder / "feedback.jsonl")
        service = Service(bot, settings=settings, clock=lambda: 0.0)
        chat = Chat(bot, service.ask, most_chars=2_000, feedback=self.log)
        app = build_app(service, received=received)

        async def mount() -> int:  # without a running event loop Gradio makes some, and never closes them
            page = build_page(chat, service)
            gr.mount_gradio_app(app, page, path="/", ssr_mode=False, mcp_server=False, footer_links=[])
            return next(number for number, block in page.blocks.items() if isinstance(block, gr.HTML))

        self._component = asyncio.run(mount())
        self.client = TestClient(app, base_url="http://localhost")

    def call(self, name: str, **data: object) -> dict[str, Any]:
        body = {"data": data, "component_id": self._component, "session_hash": "x", "fn_name": name}
        response = self.client.post("/gradio_api/component_server", json=body)
        assert response.status_code == 200, response.text
        return dict(response.json())


@pytest.fixture
def received() -> Iterator[Path]:
    with arrivals() as folder:
        yield folder


@pytest.fixture
def page(bot: Bot, tmp_path: Path, received: Path) -> Iterator[Page]:
    settings = Settings(serve=ServeSettings(rate_per_minute=1.0, burst=5))
    page = Page(bot, tmp_path, received, settings)
    with page.client:
        yield page


def test_a_word_on_a_reply_counts_as_a_question_does(page: Page, bot: Bot) -> None:
    reply = to_json(bot.ask(about(1)))
    said = [page.call("judge", right=True, reply=reply, earlier=["x" * 20_000] * 5) for _ in range(8)]
    assert [list(answer) for answer in said] == [["said"]] * 5 + [["error"]] * 3
    assert said[-1]["error"] == "Too many questions in a short time. Please wait a moment."
    assert len(page.log.path.read_bytes().splitlines()) == 5
    assert "error" in page.call("ask", question=about(1))


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_files_are_taken_where_the_page_sends_them_and_nowhere_else(
    page: Page, received: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = {"files": ("a.txt", b"x")}
    (path,) = page.client.post("/gradio_api/upload", files=file).json()
    assert Path(path).read_bytes() == b"x"
    assert Path(path).is_relative_to(received)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    for address in ("process_recording", "component_server", "component_server/", "upload/", "queue/join"):
        response = page.client.post(f"/gradio_api/{address}", files=file)
        assert (response.status_code, response.json()["message"]) == (415, "no files are taken at this address")
    assert files_in(elsewhere) == []
    assert files_in(received) == [Path(path)]


def test_the_page_sends_a_file_at_a_time(page: Page) -> None:
    limit = UploadSettings().max_file_bytes + 10_000
    response = page.client.post("/gradio_api/upload", files={"files": ("a.txt", bytes(limit))})
    assert response.status_code == 413
    assert f"larger than {limit:,} bytes" in response.json()["message"]


def test_whatever_was_sent_is_gone_in_time(page: Page, received: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page.client.post("/gradio_api/upload", files={"files": ("a.txt", b"x")})
    page.client.post("/gradio_api/upload", files={"unexpected": ("b.txt", b"x")})  # of which Gradio keeps no list
    half = b'--B\r\nContent-Disposition: form-data; name="files"; filename="c"\r\n\r\nhalf'
    page.client.post("/gradio_api/upload", content=half, headers={"Content-Type": "Multipart/form-data; boundary=B"})
    assert len(files_in(received)) == 3
    sweep(received)
    assert len(files_in(received)) == 3
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + KEPT_SECONDS + 1)
    sweep(received)
    assert list(received.iterdir()) == []


def test_the_folder_is_cleaned_while_the_server_runs_and_goes_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    folder.mkdir()

    async def run() -> bool:
        async with kept_clean(folder):
            return folder.is_dir()

    assert asyncio.run(run())
    assert not folder.exists()


def test_a_server_has_a_folder_of_its_own_where_it_was_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "new"))
    with arrivals() as one:
        assert one.parent == tmp_path / "new"
        assert os.environ["GRADIO_TEMP_DIR"] == str(one)
    assert os.environ["GRADIO_TEMP_DIR"] == str(tmp_path / "new")
    assert not one.exists()


# What one client may send


LIMITED = Settings(uploads=UploadSettings(max_files=2, max_file_bytes=1_000_000, max_total_bytes=10_000_000))


def test_a_client_may_send_in_an_hour_what_may_be_kept_for_good(tmp_path: Path) -> None:
    door = Door(tmp_path, settings=LIMITED)
    assert [door.send(1_000_000).status_code for _ in range(11)] == [200] * 10 + [429]
    refused = door.send(1_000_000)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "360")
    assert "at most 10,000,000 bytes an hour; send these in 360 s" in refused.json()["message"]
    assert door.send(1_000_000, path="/api/documents").status_code == 429
    assert door.send(1_000_000, host=HOSTS[1]).status_code == 200
    door.now = 360
    assert [door.send(1_000_000).status_code for _ in range(2)] == [200, 429]
    assert door.came == 12


def test_empty_files_and_files_of_unknown_size_count_too(tmp_path: Path) -> None:
    door = Door(tmp_path, settings=LIMITED)
    assert [door.send(0).status_code for _ in range(10_000_000 // LEAST + 1)] == [200] * 100 + [429]
    assert [door.send(None, host=HOSTS[1]).status_code for _ in range(10)] == [200] * 9 + [429]


def test_other_requests_of_programs_pass_whatever_they_bring(tmp_path: Path) -> None:
    door = Door(tmp_path, settings=LIMITED)
    for path in ("/api/ask", "/mcp", "/login"):
        assert [door.send(900_000, path=path).status_code for _ in range(20)] == [200] * 20


def test_buckets_give_several_tokens_at_once() -> None:
    buckets = TokenBuckets(per_second=2, burst=10, clock=lambda: 0.0)
    assert [buckets.take("a", 6), buckets.take("a", 6), buckets.take("a", 4), buckets.take("a")] == [0, 1, 0, 0.5]


# What room there must be


def test_files_on_their_way_count_before_they_are_written(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    settings = Settings(uploads=UploadSettings(max_file_bytes=free, max_total_bytes=100 * free))

    async def together() -> list[int]:
        over = asyncio.Event()
        door = Door(tmp_path, settings=settings, work=over.wait)
        first, second = (asyncio.create_task(door.sent(free // 5)) for _ in range(2))
        while door.came < 2:
            await asyncio.sleep(0.01)
        third = await door.sent(free // 5)
        over.set()
        replies = await first, await second, third, await door.sent(free // 5)
        return [reply.status_code for reply in replies]

    assert asyncio.run(together()) == [200, 200, 503, 200]


SMALL_DISK = """
import sys
from pathlib import Path
from tests.doors import Door
door = Door(Path(sys.argv[1]))
for size in (10_000_000, 20_000_000):
    reply = door.send(size)
    print(reply.status_code, reply.headers.get("Retry-After"), reply.text)
"""


def test_a_disk_that_would_be_full_takes_no_files(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    done = in_namespace(
        'mount -t tmpfs -o size=60m tmpfs "$1/disk"; "$PYTHON" -c "$2" "$1/disk/received"', tmp_path, SMALL_DISK
    )
    assert done.returncode == 0, done
    taken, refused = done.stdout.splitlines()
    assert taken.startswith("200")
    assert refused.startswith("503 60 ")
    assert "the server's disk has no room for more files at the moment" in refused
