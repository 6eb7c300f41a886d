"""What visitors bring stays whole whoever else asks or writes, whenever the program is killed, and on a full disk."""

import json
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from qa.errors import IndexBusy, IndexUnwritable
from qa.library import Library
from qa.settings import StoreSettings
from qa.shelf import uploads_folder
from qa.store import Store
from tests.conftest import REPOSITORY
from tests.disks import in_namespace
from tests.light import LOCAL, about, ask, documents, library, novel, novels, verify, write
from tests.visitors import ADDED, ALREADY_THERE, brought

TEXTS = novels(2)


def test_questions_are_answered_while_files_are_added_and_removed(tmp_path: Path, store: Store, shelf: Library) -> None:
    expected, wrong, over = ask(store, about(1))[0], list[object](), threading.Event()

    def keep_asking() -> None:
        while not over.is_set():
            try:
                if (found := ask(store, about(1))[0]) != expected:
                    wrong.append(found)
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=keep_asking) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(10, 14):
        shelf.add(brought(tmp_path / "in", {f"{number}.txt": novel(number)}))
        if number % 2:
            shelf.remove(f"uploads/{number}.txt")
    over.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert list(documents(store)) == ["1.txt", "2.txt", "uploads/10.txt", "uploads/12.txt"]


def test_processes_that_add_and_index_at_once_lose_nothing(tmp_path: Path, corpus: Path, index: Path) -> None:
    write(corpus, {"1.txt": novel(1), "3.txt": novel(3)})
    files = [path for name, path in brought(tmp_path / "in", {f"{n}.txt": novel(n) for n in range(10, 13)})]
    named = [path.rename(path.with_name("same.txt" if not n else f"{n}.txt")) for n, path in enumerate(files)]
    copy = tmp_path / "same.txt"
    copy.write_text(novel(20))
    commands = [
        ["add", str(index), str(named[0]), str(named[1])],
        ["add", str(index), str(copy), str(named[2])],
        ["index", str(corpus), str(index)],
        ["add", str(index), str(named[1])],
    ]
    running = [
        subprocess.Popen([sys.executable, "-m", "tests.light", *command], stdout=subprocess.PIPE, cwd=REPOSITORY)
        for command in commands
    ]
    assert [process.wait() for process in running] == [0] * 4
    for process in running:
        assert process.stdout is not None
        process.stdout.close()
    with closing(Store(index, LOCAL)) as store:
        assert list(documents(store)) == [
            "1.txt", "3.txt", "uploads/1.txt", "uploads/2.txt", "uploads/same (2).txt", "uploads/same.txt",
        ]  # fmt: skip
        for number in (10, 11, 12, 20):
            assert ask(store, about(number))[0][0].startswith("uploads/")
    verify(index)


def test_while_another_process_writes_nothing_is_kept_and_that_is_said(tmp_path: Path, index: Path) -> None:
    with closing(Store(index, StoreSettings(lock_seconds=0.1))) as store:
        shelf = library(store)
        shelf.add(brought(tmp_path / "in", {"7.txt": novel(7)}))
        with Store(index, LOCAL).writing():
            with pytest.raises(IndexBusy, match="another process is writing"):
                shelf.add(brought(tmp_path / "in", {"8.txt": novel(8)}))
            with pytest.raises(IndexBusy):
                shelf.remove("uploads/7.txt")
        assert [path.name for path in uploads_folder(store.folder).iterdir()] == ["7.txt"]
        assert list(documents(store)) == ["1.txt", "2.txt", "uploads/7.txt"]


@pytest.mark.parametrize(("stage", "done"), [("check", 1), ("read", 0), ("embed", 0), ("index", 1)])
def test_killed_while_adding_the_next_start_completes_what_is_there(
    tmp_path: Path, index: Path, stage: str, done: int
) -> None:
    name, path = brought(tmp_path / "in", {"7.txt": novel(7, sentences=40)})[0]
    path = path.rename(path.with_name(name))
    command = [sys.executable, "-m", "tests.light", "add", str(index), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if line.split()[0] == stage and int(line.split()[1]) >= done:
                run.kill()
                break
    verify(index)
    with closing(Store(index, LOCAL)) as store:
        assert "1.txt" in documents(store)
        shelf = library(store)
        kept = [path.name for path in uploads_folder(store.folder).iterdir() if not path.name.startswith(".")]
        assert kept in ([], ["7.txt"])
        assert kept or stage == "check"
        shelf.complete()
        assert list(documents(store)) == ["1.txt", "2.txt", *(f"uploads/{name}" for name in kept)]
        assert all((uploads_folder(store.folder) / name).read_text() == novel(7, sentences=40) for name in kept)
        assert shelf.complete() is None
        (report,) = shelf.add([("7.txt", path)])
        assert report.status == (ALREADY_THERE if kept else ADDED)
        assert ask(store, about(7))[0][0] == "uploads/7.txt"


@pytest.mark.parametrize("stage", ["read", "index"])
def test_killed_while_removing_the_next_start_completes_it(
    tmp_path: Path, store: Store, shelf: Library, stage: str
) -> None:
    shelf.add(brought(tmp_path / "in", {"7.txt": novel(7), "8.txt": novel(8)}))
    code = (
        "import os, signal, sys; from pathlib import Path; from tests.light import *\n"
        "def kill(stage, done, total):\n  if stage == sys.argv[2]: os.kill(os.getpid(), signal.SIGKILL)\n"
        "library(Store(Path(sys.argv[1]), LOCAL)).remove('uploads/7.txt', progress=kill)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(store.folder), stage], cwd=REPOSITORY)
    assert run.returncode == -signal.SIGKILL
    assert list(documents(store)) == ["1.txt", "2.txt", "uploads/7.txt", "uploads/8.txt"]
    verify(store.folder)
    shelf.complete()
    assert list(documents(store)) == ["1.txt", "2.txt", "uploads/8.txt"]
    assert [path.name for path in uploads_folder(store.folder).iterdir()] == ["8.txt"]


FILL_AND_ADD = """
import sys
from pathlib import Path
from qa.store import Store
from tests.disks import fill
from tests.light import LOCAL, library
index, file, stage = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
filler = index.parent / "filler"
def progress(now, done, total):
    if now == stage and not filler.exists(): fill(filler)
if stage == "start": fill(filler)
try: library(Store(index, LOCAL)).add([("7.txt", file)], progress=progress)
except Exception as error: print(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize("stage", ["start", "check", "read", "index"])
def test_on_a_full_disk_nothing_is_kept_and_the_next_try_succeeds(tmp_path: Path, index: Path, stage: str) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "7.txt").write_text(novel(7, sentences=2_000))
    done = in_namespace(
        f"""
        mount -t tmpfs -o size=70m tmpfs "$2/disk"; cp -r "$1" "$2/disk/index"
        "$PYTHON" -c '{FILL_AND_ADD}' "$2/disk/index" "$2/7.txt" {stage} > "$2/told"
        ls -A "$2/disk/index.uploads" > "$2/left"; rm "$2/disk/filler"
        "$PYTHON" -m tests.light add "$2/disk/index" "$2/7.txt" > "$2/done"
        """,
        index, tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done
    told = (tmp_path / "told").read_text()
    assert told.startswith("IndexUnwritable: the disk that holds"), told
    assert "is full" in told
    assert (tmp_path / "left").read_text() == ""
    (report,) = json.loads((tmp_path / "done").read_text().splitlines()[-1])
    assert report["status"] == "added"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, index: Path) -> None:
    with closing(Store(index, LOCAL)) as store:
        shelf = library(store)
        uploads_folder(index).write_text("a file stands where the folder should be")
        with pytest.raises(IndexUnwritable, match="uploads cannot be written"):
            shelf.add(brought(tmp_path / "in", {"7.txt": novel(7)}))
        assert list(documents(store)) == ["1.txt", "2.txt"]
