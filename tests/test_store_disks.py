"""While another process writes, or the disk is full or cannot be written, that is said and the index survives."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from qa.errors import IndexBusy
from qa.settings import StoreSettings
from tests.conftest import REPOSITORY
from tests.disks import in_namespace
from tests.light import Place, about, ask, everything_is_found, generation, novel, novels, update, write

TEXTS = novels(6)
QUESTION = about(3)


def test_a_second_writer_is_told_that_the_index_is_busy(corpus: Path, index: Path) -> None:
    hold = (
        "import sys; from pathlib import Path; from qa.store import Store; from qa.settings import StoreSettings\n"
        "with Store(Path(sys.argv[1]), StoreSettings()).writing(): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold, str(index)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        write(corpus, {**TEXTS, "7.txt": novel(7)})
        with pytest.raises(IndexBusy, match="another process is writing"):
            update(corpus, index, wait=False)
        with pytest.raises(IndexBusy, match="another process is writing"):
            update(corpus, index, settings=StoreSettings(lock_seconds=0.2))
        assert ask(index, QUESTION)[0][0] == "3.txt"
        holder.kill()
    assert update(corpus, index, wait=False).added == 1


def test_a_read_only_folder_is_named_and_the_index_survives(tmp_path: Path, corpus: Path, index: Path) -> None:
    before = ask(index, QUESTION)
    write(corpus, {**TEXTS, "7.txt": novel(7)})
    done = in_namespace(
        """
        mount --bind "$2" "$2"; mount -o remount,ro,bind "$2"
        "$PYTHON" -m tests.light index "$1" "$2" 2> "$3/index.txt" && exit 1
        echo "$4" | "$PYTHON" -m tests.light ask "$2" 2> "$3/ask.txt" && exit 2
        "$PYTHON" -m tests.light index "$1" "$2/new" 2> "$3/new.txt" && exit 3
        exit 0
        """,
        corpus, index, tmp_path, QUESTION,
    )  # fmt: skip
    assert done.returncode == 0, done
    for told in ("index.txt", "ask.txt", "new.txt"):
        assert (tmp_path / told).read_text().startswith("IndexUnwritable: "), told
    assert "BABELQUOTE_STORE__HOME" in (tmp_path / "index.txt").read_text()
    assert ask(index, QUESTION) == before
    assert update(corpus, index).added == 1
    assert everything_is_found(index)


FILL = """
import sys
from pathlib import Path
from tests.disks import fill
from tests.light import update
corpus, index, stage_to_fill = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
def progress(stage, done, total):
    if stage == stage_to_fill and done == total: fill(index.parent / "filler")
try:
    update(corpus, index, progress=progress)
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize("stage", ["read", "embed", "index"])
def test_a_disk_that_others_fill_during_a_run_is_named_and_the_next_run_completes(
    tmp_path: Path, corpus: Path, index: Path, stage: str
) -> None:
    before = ask(index, QUESTION)
    write(corpus, {**TEXTS, "3.txt": novel(3, version="second", sentences=100)})
    update(corpus, tmp_path / "fresh")
    (tmp_path / "disk").mkdir()
    done = in_namespace(
        f"""
        mount -t tmpfs -o size=40m tmpfs "$3/disk"; cp -r "$2" "$3/disk/index"
        "$PYTHON" -c '{FILL}' "$1" "$3/disk/index" {stage} 2> "$3/index.txt" && exit 1
        ls "$3/disk/index" > "$3/failed.txt"
        echo "$4" | "$PYTHON" -m tests.light ask "$3/disk/index" > "$3/full.txt" 2>&1 || true
        rm "$3/disk/filler"
        echo "$4" | "$PYTHON" -m tests.light ask "$3/disk/index" > "$3/before.txt"
        "$PYTHON" -m tests.light index "$1" "$3/disk/index" > "$3/done.txt"
        echo "$4" | "$PYTHON" -m tests.light ask "$3/disk/index" > "$3/after.txt"
        """,
        corpus, index, tmp_path, QUESTION,
    )  # fmt: skip
    assert done.returncode == 0, done
    told = (tmp_path / "index.txt").read_text()
    assert told.startswith("IndexUnwritable: "), told
    assert "full" in told

    def answer(file: str) -> list[Place]:
        return [tuple(place) for place in json.loads((tmp_path / file).read_text().splitlines()[-1])]

    # With not one byte left Chroma cannot read; that must be said, and must not look like an answer.
    full = (tmp_path / "full.txt").read_text()
    assert "IndexUnwritable: " in full or answer("full.txt") == before, full
    assert answer("before.txt") == before
    assert json.loads((tmp_path / "done.txt").read_text().splitlines()[-1])["updated"] == 1
    assert answer("after.txt") == ask(tmp_path / "fresh", QUESTION)
    assert [line for line in (tmp_path / "failed.txt").read_text().split() if line.startswith("vectors-")] == [
        f"vectors-{generation(index)}"
    ], "what could not be completed still takes up room"


def test_a_run_that_outgrows_the_disk_leaves_enough_room_for_answers(tmp_path: Path, corpus: Path, index: Path) -> None:
    before = ask(index, QUESTION)
    write(corpus, {**TEXTS, **{f"{i}.txt": novel(i, sentences=4_000) for i in range(10, 14)}})
    (tmp_path / "disk").mkdir()
    done = in_namespace(
        """
        mount -t tmpfs -o size=20m tmpfs "$3/disk"; cp -r "$2" "$3/disk/index"
        "$PYTHON" -m tests.light index "$1" "$3/disk/index" 2> "$3/index.txt" && exit 1
        echo "$4" | "$PYTHON" -m tests.light ask "$3/disk/index" > "$3/full.txt"
        mount -o remount,size=200m "$3/disk"; rm "$1"/1?.txt
        "$PYTHON" -m tests.light index "$1" "$3/disk/index" > "$3/done.txt"
        echo "$4" | "$PYTHON" -m tests.light ask "$3/disk/index" > "$3/after.txt"
        """,
        corpus, index, tmp_path, QUESTION,
    )  # fmt: skip
    assert done.returncode == 0, done
    assert "IndexUnwritable: the disk" in (tmp_path / "index.txt").read_text()
    for file in ("full.txt", "after.txt"):
        assert [tuple(place) for place in json.loads((tmp_path / file).read_text().splitlines()[-1])] == before
