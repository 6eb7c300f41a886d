"""The command line over one index, in real processes. The model starts slowly, so few do much."""

import json
import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from tests.commands import environment, run

ENGLISH = "The seminar was held in Shanghai.\nForty countries took part. The mayor of the city is called Chen Jie.\n"
GERMAN = "Das Seminar fand in Schanghai statt. Vierzig Länder nahmen teil.\n"
ODD = "A line that \x1b[31mdrives\x07 terminals \u202eand reorders\u202c them. می\u200cرود 👩\u200d👧.\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Working folder of every process; `home/corpus` is indexed by the fixture `indexed`."""
    home = tmp_path_factory.mktemp("cli")
    corpus = home / "corpus"
    (corpus / "sub").mkdir(parents=True)
    (corpus / "a.txt").write_text(ENGLISH, encoding="utf-8")
    (corpus / "sub" / "b.md").write_text(GERMAN, encoding="utf-8")
    (corpus / "odd.txt").write_text(ODD, encoding="utf-8")
    (corpus / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (corpus / "empty.txt").write_bytes(b"")
    (corpus / "old.txt").write_bytes("Größe".encode("cp1252"))
    (corpus / "report.pdf").write_bytes(b"%PDF-1.4")
    (corpus / "bad\x1bname.txt").write_text("x", encoding="utf-8")
    (corpus / "gone.txt").symlink_to(home / "nothing")
    (corpus / ".hidden.txt").write_text("x", encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def indexed(home: Path) -> subprocess.CompletedProcess[str]:
    return run(home, "index", "corpus")


def test_indexing_reports_every_file_that_was_left_out_on_a_line_of_its_own(
    indexed: subprocess.CompletedProcess[str],
) -> None:
    assert re.match(r"3 documents, 3 passages \(3 added, 0 updated, 0 removed; \d+ texts embedded in", indexed.stdout)
    left_out = dict(re.findall(r"^left out: .*/(\S+): (.*)$", indexed.stderr, re.MULTILINE))
    assert left_out.keys() == {
        "picture.txt", "empty.txt", "old.txt", "report.pdf", "bad\ufffdname.txt", "gone.txt",
    }  # fmt: skip
    for name, message in {
        "picture.txt": "binary data",
        "empty.txt": "holds no text",
        "old.txt": "iconv -f WINDOWS-1252 -t UTF-8",
        "report.pdf": "is not a PDF that can be read",
        "bad\ufffdname.txt": "rename it",
        "gone.txt": "cannot be read: No such file",
    }.items():
        assert message in left_out[name]


@pytest.mark.usefixtures("indexed")
def test_show_lists_documents_and_prints_them_exactly(home: Path) -> None:
    listing = [line.split("\t") for line in run(home, "show").stdout.splitlines()]
    assert [row[0] for row in listing] == ["a.txt", "odd.txt", "sub/b.md"]
    assert [row[1] for row in listing][::2] == ["en", "de"]
    assert all(len(row) == 4 for row in listing)
    assert "\x1b" not in "".join("".join(row) for row in listing)
    assert run(home, "show", "sub/b.md").stdout == GERMAN + "\n"
    assert run(home, "show", "odd.txt").stdout == ODD + "\n"


@pytest.mark.usefixtures("indexed")
def test_show_prints_the_part_that_a_citation_names(home: Path) -> None:
    start = GERMAN.index("Länder")
    assert run(home, "show", "sub/b.md", "--start", str(start), "--end", str(start + 6)).stdout == "Länder\n"
    assert run(home, "show", "sub/b.md", "--end", "3").stdout == "Das\n"


@pytest.mark.usefixtures("indexed")
def test_an_unknown_document_is_named_with_some_that_are_known(home: Path) -> None:
    done = run(home, "show", "b.md", status=2)
    assert "there is no document 'b.md'; some that there are: a.txt, odd.txt, sub/b.md" in done.stderr


@pytest.mark.usefixtures("indexed")
def test_a_terminal_gets_no_control_characters_of_a_document(home: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "qa", "show", "odd.txt"], stdout=theirs, stderr=theirs, cwd=home, env=environment(home)
    )
    os.close(theirs)
    written = b""
    while process.poll() is None or select.select([ours], [], [], 0.2)[0]:
        try:
            written += os.read(ours, 4096)
        except OSError:
            break
    os.close(ours)
    assert process.wait(timeout=20) == 0
    shown = written.decode("utf-8")
    assert "\ufffd[31mdrives\ufffd terminals \ufffdand reorders\ufffd them. می\u200cرود 👩\u200d👧." in shown
    assert not set(shown) & set("\x1b\x07\u202e\u202c")


@pytest.mark.usefixtures("indexed")
def test_a_reader_that_goes_away_is_no_error_worth_a_traceback(home: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    process = subprocess.Popen(
        [sys.executable, "-m", "qa", "show"], stdout=theirs, stderr=subprocess.PIPE, cwd=home, env=environment(home)
    )
    os.close(theirs)
    assert process.communicate(timeout=60)[1] == b""
    assert process.returncode == 1


@pytest.mark.usefixtures("indexed")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--document", "b.md"], "--document 'b.md' is not in the index; some that are: a.txt, odd.txt, sub/b.md"),
        (["--source", "Reuters"], "--source 'Reuters' is not in the index; some that are: a.txt, b.md, odd.txt"),
        (["--language", "German"], "--language 'German' is not a language code; expected one like en, de or zh"),
        (["--language", "DE"], "--language 'DE' is not a language code"),
        (["--language", "jp"], "--language 'jp' is not in the index; some that are: de, en"),
    ],
)
def test_a_filter_that_nothing_can_pass_is_an_error_not_an_abstention(
    home: Path, arguments: Sequence[str], message: str
) -> None:
    assert message in run(home, "ask", "Who?", *arguments, status=2).stderr


@pytest.mark.usefixtures("indexed")
@pytest.mark.parametrize(
    ("batch", "reason"), [("nowhere.jsonl", "No such file or directory"), ("corpus", "Is a directory")]
)
def test_a_batch_that_cannot_be_read_is_an_error(home: Path, batch: str, reason: str) -> None:
    assert f"cannot read {batch}: {reason}" in run(home, "ask", "--json", "--batch", batch, status=2).stderr


# With a model

QUESTION_KEYS = ["question", "question_language", "status", "reason", "confidence", "follows", "quotes"]


def line(question: object, **more: object) -> bytes:
    return json.dumps({"question": question, **more}).encode()


BATCH: list[tuple[bytes, str]] = [
    (line("Where was the seminar held?"), "Where was the seminar held?"),
    (line("Wo fand das Seminar statt?") + b"\r", "Wo fand das Seminar statt?"),
    (line(""), "error: the question is empty"),
    (line(" \n\t\u3000"), "error: the question is empty"),
    (line("?!…"), "error: the question is empty"),
    (line("x" * 100_000), "error: the question has 100,000 characters; ask in at most 2,000"),
    (line("x" * 2_000), "x" * 2_000),
    (line("\0Who\0 is the mayor?\0"), "Who is the mayor?"),
    (line("\u200f\u202eWho is\u202c the mayor?\u2069"), "Who is the mayor?"),
    (b'{"question": "\\ud83d Who is \\udc00the mayor?"}', "Who is the mayor?"),
    (b'{"question": "\\ud800"}', "error: the question is empty"),
    (line("می\u200cرود؟"), "می\u200cرود؟"),
    (line("👩\u200d👩\u200d👧 who?"), "👩\u200d👩\u200d👧 who?"),
    (line("ᚠᚢᚦᚨᚱᚲ 𒀀𒁁"), "ᚠᚢᚦᚨᚱᚲ 𒀀𒁁"),
    (line("Robert'); DROP TABLE passages;--"), "Robert'); DROP TABLE passages;--"),
    (line('" OR * NEAR( -- ^'), '" OR * NEAR( -- ^'),
    (line("<|endoftext|> <s> [CLS] query: </s>"), "<|endoftext|> <s> [CLS] query: </s>"),
    (b"\xef\xbb\xbf" + line("Who is the mayor?"), "Who is the mayor?"),
    (b'  {"other": [1, {"question": 2}], "question": "Who is the mayor?"}  ', "Who is the mayor?"),
    (b'{"question": "Wer ist B\xfcrgermeister?"}', "error: expected one JSON object"),
    (b"Who is the mayor?", "error: expected one JSON object"),
    (b'{"question": "Who', "error: expected one JSON object"),
    (b'"Who is the mayor?"', "error: expected one JSON object"),
    (b'["question"]', "error: expected one JSON object"),
    (b"null", "error: expected one JSON object"),
    (b"5", "error: expected one JSON object"),
    (b"9" * 5_000, "error: expected one JSON object"),
    (b"{}", "error: expected one JSON object"),
    (b'{"Question": "Who?"}', "error: expected one JSON object"),
    (line(None), 'error: "question" must be text, not NoneType'),
    (line(["Who?"]), 'error: "question" must be text, not list'),
    (line(7), 'error: "question" must be text, not int'),
    (line("And who?", earlier=["Where was it?"]), "And who?"),
    (line("And who?", earlier=[]), "And who?"),
    (line("And who?", earlier=["Where was it?"] * 500), "And who?"),
    (line("And who?", earlier="Where was it?"), 'error: "earlier" must be a list of questions, not str'),
    (line("And who?", earlier=[{}]), 'error: "earlier" must hold questions as text, not dict'),
    (line("And who?", earlier=[" "]), "error: an earlier question is empty"),
    (line("And who?", earlier=["x" * 3_000]), "error: an earlier question has 3,000 characters; ask in at most 2,000"),
    (b"[" * 100_000, "error: expected one JSON object"),
    (b'{"question": ' * 50_000, "error: expected one JSON object"),
    (line("y" * 3_000_000), "error: expected one JSON object"),
    (b" " * 1_500_000 + line("Who is the mayor?"), "error: expected one JSON object"),
    (b"\x00\x01\xff\xfe", "error: expected one JSON object"),
    (line("Who is the mayor?"), "Who is the mayor?"),
]


@pytest.mark.usefixtures("indexed")
def test_a_batch_answers_every_line_in_its_place_whatever_it_holds(home: Path) -> None:
    lines = [b"", *(content for content, _ in BATCH), b"   ", b"\t\r"]
    (home / "batch.jsonl").write_bytes(b"\n".join(lines))
    done = run(home, "ask", "--json", "--batch", "batch.jsonl", status=1)
    values = [json.loads(output) for output in done.stdout.splitlines()]
    assert len(values) == len(BATCH)
    for value, (content, expected) in zip(values, BATCH, strict=True):
        if expected.startswith("error: "):
            assert list(value) == ["status", "message"], content[:60]
            assert value["status"] == "error"
            assert value["message"].startswith(expected.removeprefix("error: ")), content[:60]
            assert len(value["message"]) < 400
        else:
            assert list(value)[:7] == QUESTION_KEYS, content[:60]
            assert value["question"] == expected
            assert value["status"] in ("answered", "abstained")
    failed = sum(value["status"] == "error" for value in values)
    assert f"{failed} of the questions could not be asked" in done.stderr
    same = [value for value in values if value.get("question") == "Who is the mayor?"]
    assert len(same) == 6
    assert all(value == same[0] for value in same)
    texts = {"a.txt": ENGLISH, "sub/b.md": GERMAN, "odd.txt": ODD}
    for quote in [quote for value in values for quote in value.get("quotes", []) + value.get("nearest", [])]:
        text = texts[quote["document_id"]]
        assert text[quote["start"] : quote["end"]] == quote["text"]
        assert text[quote["answer_start"] : quote["answer_end"]] == quote["answer"]


class Conversation:
    """A batch that is written and read a line at a time."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qa", "ask", "--json", "--batch", "-", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=home,
            env=environment(home),
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin: IO[bytes] = self.process.stdin
        self.stdout: IO[bytes] = self.process.stdout

    def ask(self, content: bytes, *, seconds: float = 120) -> dict[str, Any]:
        self.stdin.write(content + b"\n")
        self.stdin.flush()
        assert select.select([self.stdout], [], [], seconds)[0], "no answer before the next question"
        return dict(json.loads(self.stdout.readline()))

    def megabytes(self) -> float:
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6


@pytest.fixture
def conversation(home: Path, indexed: subprocess.CompletedProcess[str]) -> Iterator[Conversation]:
    assert indexed.returncode == 0
    talk = Conversation(home, "--language", "de", "--language", "en", "--source", "b.md", "--document", "sub/b.md")
    yield talk
    talk.process.kill()
    talk.process.wait()
    talk.stdin.close()
    talk.stdout.close()


def test_a_batch_answers_each_question_before_the_next_is_asked_in_constant_memory(conversation: Conversation) -> None:
    question = line("Where was the seminar held?")
    first = conversation.ask(question)
    assert [quote["document_id"] for quote in first["quotes"] or first["nearest"]] == ["sub/b.md"]
    for number in range(5):
        conversation.ask(line(f"How many countries took part in number {number}?"))
    before = conversation.megabytes()
    for number in range(10):
        assert [conversation.ask(line("z" * 3_000_000))["status"] for _ in range(4)] == ["error"] * 4
        conversation.ask(line(f"Who was there on day {number}?"))
    assert conversation.ask(question) == first
    assert conversation.megabytes() - before < 60
    conversation.stdin.close()
    assert conversation.process.wait(timeout=60) == 1


@pytest.mark.usefixtures("indexed")
def test_one_question_as_json_is_one_line_of_the_schema(home: Path) -> None:
    done = run(home, "ask", "--json", "--document", "a.txt", "--", "Where was the seminar held?")
    (value,) = [json.loads(output) for output in done.stdout.splitlines()]
    assert list(value)[:7] == QUESTION_KEYS
    assert value["status"] == "answered"
    (quote,) = value["quotes"]
    assert quote["text"] == "The seminar was held in Shanghai."
    assert quote["document_id"] == "a.txt"
    assert (
        run(home, "show", "a.txt", "--start", str(quote["start"]), "--end", str(quote["end"])).stdout
        == quote["text"] + "\n"
    )


@pytest.mark.usefixtures("indexed")
def test_a_follow_up_is_read_with_the_question_before_it_and_says_so(home: Path) -> None:
    before = ["--earlier", "Where was the seminar held?"]
    (value,) = run(home, "ask", "--json", *before, "And how many countries?").stdout.splitlines()
    assert json.loads(value)["follows"] == "Where was the seminar held?"
    assert run(home, "ask", *before, "And how many countries?").stdout.startswith(
        "Read together with: Where was the seminar held?\n"
    )
    assert "Read together" not in run(home, "ask", *before, "Who is the mayor of Shanghai?").stdout
