"""A file of which only part is text: it is indexed, and its owner is told what is missing, wherever it comes from."""

from contextlib import closing
from pathlib import Path

import pytest

from qa.records import FileStatus
from qa.store import Store
from tests.commands import typed
from tests.files import scanned, write
from tests.light import LOCAL, documents, library, update
from tests.visitors import brought

REPORT = scanned("The cover of the report names 143 states.", None, None)
MESSAGE = "pages 2–3 hold no text, only images; recognise them first"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    write(tmp_path / "corpus" / "whole.txt")
    return write(tmp_path / "corpus" / "report.pdf", REPORT).parent


def test_an_indexing_run_warns_of_what_it_reads(corpus: Path, tmp_path: Path) -> None:
    report = update(corpus, tmp_path / "index")
    (warning,) = report.warnings
    assert (Path(warning.path).name, report.problems) == ("report.pdf", ())
    assert warning.message.startswith(MESSAGE)
    assert documents(tmp_path / "index").keys() == {"report.pdf", "whole.txt"}
    assert update(corpus, tmp_path / "index").warnings == ()  # nothing was read


def test_the_command_line_prints_it(corpus: Path) -> None:
    done = typed(corpus.parent, "babelquote index corpus")
    assert done.returncode == 0
    assert f"read in part: {corpus / 'report.pdf'}: {MESSAGE}" in " ".join(done.stderr.decode().split())


def test_a_visitor_is_told(corpus: Path, tmp_path: Path) -> None:
    update(corpus, tmp_path / "index")
    with closing(Store(tmp_path / "index", LOCAL)) as store:
        other = scanned("Another cover.", None, None)
        (report,) = library(store).add(brought(tmp_path / "in", {"scan.pdf": other}))
    assert report.status is FileStatus.ADDED
    assert report.message.startswith(MESSAGE)
