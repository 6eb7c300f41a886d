"""The same index with its vectors on a Chroma server, a real one."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from qa.errors import IndexBroken, StoreError
from qa.records import Filters
from qa.settings import StoreSettings
from qa.store import Store
from tests.light import LightEncoder, about, ask, library, live_passages, novel, novels, repair, update, verify, write

TEXTS = novels(4)
QUESTION = about(3)


class Server:
    """`chroma run` on a free port of this machine."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.settings = StoreSettings(chroma_url=f"http://127.0.0.1:{self._port}", lock_seconds=60)
        self._collections = (
            f"http://127.0.0.1:{self._port}/api/v2/tenants/default_tenant/databases/default_database/collections"
        )
        chroma = Path(sys.executable).with_name("chroma")
        with (folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                [chroma, "run", "--path", folder / "server", "--host", "127.0.0.1", "--port", str(self._port)],
                stdout=log, stderr=log,
            )  # fmt: skip
        end = time.monotonic() + 30
        while not self._answers():
            assert self._process.poll() is None, (folder / "server.log").read_text()
            assert time.monotonic() < end, (folder / "server.log").read_text()

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
            return False
        return True

    def collections(self) -> set[str]:
        return {collection["name"] for collection in httpx.get(self._collections).json()}

    def delete(self, name: str) -> None:
        httpx.delete(f"{self._collections}/{name}").raise_for_status()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with closing(Server(tmp_path_factory.mktemp("chroma"))) as server:
        yield server


@pytest.fixture
def index(tmp_path: Path, corpus: Path, server: Server) -> Path:
    update(corpus, tmp_path / "index", settings=server.settings)
    return tmp_path / "index"


def test_answers_are_the_same_as_without_a_server(tmp_path: Path, corpus: Path, index: Path, server: Server) -> None:
    update(corpus, tmp_path / "local")
    assert ask(index, QUESTION, settings=server.settings) == ask(tmp_path / "local", QUESTION) != []
    assert list(index.glob("vectors-*")) == []
    only = Filters(documents=("2.txt",))
    found = ask(index, QUESTION, filters=only, settings=server.settings)
    assert {place[0] for place in found} == {"2.txt"}
    assert found == ask(tmp_path / "local", QUESTION, filters=only)


def test_updates_are_seen_by_open_readers_and_old_collections_are_removed(
    corpus: Path, index: Path, server: Server
) -> None:
    others = server.collections()
    (mine,) = {name for name in others if Store(index, server.settings).state()["generation"] in name}
    prefix = mine.rpartition("-")[0]
    with closing(Store(index, server.settings)) as store:
        for version in ("second", "third", "fourth"):
            assert ask(store, QUESTION)[0][0] == "3.txt"
            write(corpus, {**TEXTS, "3.txt": novel(3, version=version)})
            encoder = LightEncoder()
            assert update(corpus, index, encoder=encoder, settings=server.settings).updated == 1
            assert all(version in content for content in encoder.seen)
            assert version in ask(store, QUESTION)[0][3]
            assert len({name for name in server.collections() if name.startswith(prefix)}) <= 2
    assert mine not in server.collections()
    assert others - {mine} <= server.collections()


def test_uploads_have_a_collection_of_their_own(tmp_path: Path, index: Path, server: Server) -> None:
    (tmp_path / "upload").write_text(novel(7), encoding="utf-8")
    with closing(Store(index, server.settings)) as store:
        of_corpus = store.state()["generation"]
        library(store).add([("7.txt", tmp_path / "upload")])
        names = store.state()["generation"].split()
        assert names[0] == of_corpus
        assert all(any(name in collection for collection in server.collections()) for name in names)
        assert ask(store, about(7))[0][0] == "uploads/7.txt"
        assert ask(store, QUESTION)[0][0] == "3.txt"
        verify(index, settings=server.settings)
        library(store).remove("uploads/7.txt")
        assert store.state()["generation"] == of_corpus
        assert ask(store, QUESTION)[0][0] == "3.txt"


def test_two_indexes_on_one_server_leave_each_other_alone(
    tmp_path: Path, corpus: Path, index: Path, server: Server
) -> None:
    before = ask(index, QUESTION, settings=server.settings)
    other = write(tmp_path / "other", {f"{number}.txt": novel(number) for number in range(5, 9)})
    for version in ("first", "second", "third"):
        write(other, {**TEXTS, "9.txt": novel(9, version=version)})
        update(other, tmp_path / "other-index", settings=server.settings)
        assert ask(index, QUESTION, settings=server.settings) == before
    verify(index, settings=server.settings)
    update(write(corpus, {"3.txt": novel(3, version="second")}), index, settings=server.settings)
    verify(tmp_path / "other-index", settings=server.settings)


def test_a_collection_that_was_deleted_is_mended_from_the_cache(index: Path, server: Server) -> None:
    before = ask(index, QUESTION, settings=server.settings)
    (mine,) = {name for name in server.collections() if Store(index, server.settings).state()["generation"] in name}
    server.delete(mine)
    for use in (verify, lambda index, settings: ask(index, QUESTION, settings=settings)):
        with pytest.raises(IndexBroken, match="babelquote index"):
            use(index, settings=server.settings)
    assert repair(index, settings=server.settings).seen == []
    assert ask(index, QUESTION, settings=server.settings) == before


def test_a_local_index_moves_to_a_server_and_back_without_embedding(
    tmp_path: Path, corpus: Path, server: Server
) -> None:
    index = tmp_path / "index"
    update(corpus, index)
    before = ask(index, QUESTION)
    for settings in (server.settings, StoreSettings()):
        with pytest.raises(IndexBroken, match="babelquote index"):
            ask(index, QUESTION, settings=settings)
        encoder = LightEncoder()
        update(corpus, index, encoder=encoder, settings=settings)
        assert encoder.seen == []
        assert ask(index, QUESTION, settings=settings) == before


def test_where_no_server_answers_that_is_said(tmp_path: Path, corpus: Path) -> None:
    with closing(Server(tmp_path)) as server:
        settings = server.settings
        update(corpus, tmp_path / "index", settings=settings)
        store = Store(tmp_path / "index", settings)
        before = ask(store, QUESTION)
        keys = live_passages(tmp_path / "index")
    uses: list[Callable[[], object]] = [
        lambda: ask(store, QUESTION),
        lambda: ask(tmp_path / "index", QUESTION, settings=settings),
        lambda: verify(tmp_path / "index", settings=settings),
        lambda: repair(tmp_path / "index", settings=settings),
        lambda: update(write(corpus, {"1.txt": novel(9)}), tmp_path / "index", settings=settings),
        lambda: update(corpus, tmp_path / "new", settings=settings),
    ]
    for use in uses:
        with pytest.raises(StoreError, match=r"no Chroma server answers at http://127.0.0.1:.*`chroma run") as caught:
            use()
        assert type(caught.value) is StoreError
    store.close()
    assert live_passages(tmp_path / "index") == keys
    assert before


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://127.0.0.1", "http://"])
def test_an_address_that_is_none_is_named(tmp_path: Path, corpus: Path, url: str) -> None:
    with pytest.raises(StoreError, match=r"expected something like http://127\.0\.0\.1:8000"):
        update(corpus, tmp_path / "index", settings=StoreSettings(chroma_url=url))
