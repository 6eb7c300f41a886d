"""A small real encoder and an index made with it: whole runs in a fraction of a second, without torch.

Also a program, for tests that need processes to race or to kill:

    python -m tests.light index CORPUS INDEX    bring the index up to date; prints progress, then the report as JSON
    python -m tests.light add INDEX FILE…       bring files; prints progress, then their reports as JSON
    python -m tests.light ask INDEX             a question a line in, its hits as JSON a line out
    python -m tests.light ask-anew INDEX        the same, but opens the index for every question
"""

import json
import sys
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict
from pathlib import Path
from zlib import crc32

import numpy as np

from qa import text
from qa.chunk import chunk
from qa.embed import Vectors
from qa.errors import BabelquoteError
from qa.index import Corpus, Pipeline, Progress, Uploads, repair_index, silent, update_index
from qa.ingest import find_sources, read_document, sha256_of
from qa.library import Library, Read, stored_uploads
from qa.reading import Limits, read_within
from qa.records import Document, Filters, IndexReport
from qa.retrieve import retrieve
from qa.settings import ChunkSettings, IngestSettings, RetrieveSettings, StoreSettings, UploadSettings
from qa.store import Store
from qa.truth import Truth

LOCAL = StoreSettings(lock_seconds=60)
CHUNKS = ChunkSettings(max_tokens=80, overlap_tokens=30)
Place = tuple[str, int, int, str]
"""Document, start, end, text."""


class LightEncoder:
    """Words and their trigrams, hashed into 64 dimensions. Remembers the passages it was given."""

    dimension = 64

    def __init__(self, name: str = "light") -> None:
        self.name = name
        self.seen: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return np.stack([_row(self.name, content) for content in texts])

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.seen.extend(texts)
        return self.encode_queries(texts)

    def fits(self, content: str) -> bool:
        return len(content) <= 2_000


def _row(salt: str, content: str) -> Vectors:
    row = np.zeros(LightEncoder.dimension, np.float32)
    row[0] = 0.1  # a text without words has a direction, too
    for word in text.words(content):
        padded = f"^{word}$"
        for feature in (word, *(padded[i : i + 3] for i in range(len(padded) - 2))):
            code = crc32(f"{salt} {feature}".encode())
            row[code % len(row)] += 1 if code & 1024 else -1
    return np.asarray(row / np.linalg.norm(row), np.float32)


def update(
    corpus: Path,
    index: Path,
    *,
    encoder: LightEncoder | None = None,
    settings: StoreSettings = LOCAL,
    wait: bool = True,
    progress: Progress = silent,
) -> IndexReport:
    """What `qa.bot.build` does, with the light encoder."""
    encoder = encoder or LightEncoder()

    def look() -> Corpus:
        sources, problems = find_sources([corpus])
        return Corpus(roots=[corpus], sources=sources, problems=problems)

    with closing(Store(index, settings)) as store:
        return update_index(
            store,
            _pipeline(encoder, lambda source: read_document(source, IngestSettings())),
            corpus=look,
            uploads=stored_uploads(index),
            progress=progress,
            wait=wait,
        )


def _pipeline(encoder: LightEncoder, read: Read) -> Pipeline:
    return Pipeline(
        encoder=encoder.name,
        chunk_settings=CHUNKS,
        digest=sha256_of,
        read=read,
        chunk=lambda document: chunk(document, CHUNKS, fits=encoder.fits),
        embed=encoder.encode_passages,
    )


def library(store: Store, settings: UploadSettings = UploadSettings()) -> Library:
    """What `qa.bot.open_library` makes, with the light encoder; files are read in this process."""
    encoder = LightEncoder()

    def bring_up_to_date(uploads: Uploads, *, read: Read, progress: Progress) -> IndexReport:
        return update_index(store, _pipeline(encoder, read), corpus=None, uploads=uploads, progress=progress)

    limits = Limits(ingest=IngestSettings(), uploads=settings)
    reading = nullcontext(lambda source: read_within(source, limits))
    return Library(store, update=bring_up_to_date, reading=lambda: reading, settings=settings)


def repair(index: Path, *, settings: StoreSettings = LOCAL) -> LightEncoder:
    """Mends the vectors. Returns the encoder, which knows whether it was needed."""
    encoder = LightEncoder()
    with closing(Store(index, settings)) as store:
        repair_index(store, encoder.encode_passages)
    return encoder


def verify(index: Path, *, settings: StoreSettings = LOCAL) -> None:
    """Raises `IndexBroken` if the index would not open."""
    with closing(Store(index, settings)) as store:
        store.verify()


def ask(
    index: Path | Store, question: str, *, filters: Filters = Filters(), settings: StoreSettings = LOCAL
) -> list[Place]:
    """The hits for a question, best first. A path is opened for this question alone."""
    if isinstance(index, Path):
        with closing(Store(index, settings)) as store:
            return ask(store, question, filters=filters)
    vector = LightEncoder().encode_queries([question])[0]
    hits = index.read(lambda snapshot: retrieve(question, vector, snapshot, RetrieveSettings(), filters=filters))
    return [(hit.passage.document_id, hit.passage.start, hit.passage.end, hit.passage.text) for hit in hits]


def live_passages(index: Path) -> dict[int, Place]:
    """Everything that the truth publishes, by key."""
    with closing(Truth(index / "truth.sqlite3")) as truth:
        stored = truth.stored_passages(truth.live_keys())
        return {p.key: (p.passage.document_id, p.passage.start, p.passage.end, p.passage.text) for p in stored}


def documents(index: Path | Store) -> dict[str, Document]:
    """All documents of an index, by id."""
    if isinstance(index, Path):
        with closing(Store(index, LOCAL)) as store:
            return documents(store)
    with index.snapshot() as snapshot:
        return {document.id: document for document in snapshot.documents()}


def generation(index: Path) -> str:
    """The names of an index's vectors."""
    return Store(index, LOCAL).state()["generation"]


def everything_is_found(index: Path) -> bool:
    """Whether each live passage, and nothing else, is found by vector and by words."""
    live = live_passages(index)
    verify(index)
    with closing(Store(index, LOCAL)) as store, store.snapshot() as snapshot:
        for key, (document, *_, content) in live.items():
            only = Filters(documents=(document,))
            (vector,) = LightEncoder().encode_passages([content])
            by_vector = snapshot.search_vectors(vector, limit=len(live), filters=only)
            by_words = snapshot.search_words(["village"], limit=len(live), filters=only)
            own = {k for k, place in live.items() if place[0] == document}
            if {k for k, _ in by_vector} != own or by_vector[0][1] < 0.999 or {k for k, _ in by_words} - own:
                return False
            if "village" in content and key not in {k for k, _ in by_words}:
                return False
    return True


def village(number: int) -> str:
    """A made-up word, another one for every number below 8,000."""
    syllables = ("ba", "de", "fi", "go", "hu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "wu", "za", "li",
                 "xi", "yo", "qu")  # fmt: skip
    return "".join(syllables[number // 20**place % 20] for place in range(3))


def novel(number: int, *, version: str = "first", sentences: int = 8) -> str:
    """A document of its own. Every sentence names the number, the version and itself, so that each is found."""
    return "\n".join(
        f"In the {version} report the village of {village(number)} gives {village(number * 40 + i)} in year {1900 + i}."
        for i in range(sentences)
    )


def novels(count: int) -> dict[str, str]:
    """The first so many of them, as files: 1.txt, 2.txt, and so on."""
    return {f"{number}.txt": novel(number) for number in range(1, count + 1)}


def about(number: int) -> str:
    """A question that this document answers best."""
    return f"What does the village of {village(number)} give?"


def write(folder: Path, texts: dict[str, str]) -> Path:
    """Makes the folder hold exactly these files."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, content in texts.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def main(command: str, *paths: str) -> None:
    """See the module's docstring."""
    if command == "index":
        corpus, index = map(Path, paths)
        report = update(corpus, index, progress=lambda *progress: print(*progress, flush=True))
        print(json.dumps(asdict(report)))
    elif command == "add":
        index, *files = map(Path, paths)
        with closing(Store(index, LOCAL)) as store:
            reports = library(store).add(
                [(file.name, file) for file in files], progress=lambda *progress: print(*progress, flush=True)
            )
        print(json.dumps([asdict(report) for report in reports]))
    else:
        index = Path(paths[0])
        with closing(Store(index, LOCAL)) as store:
            for line in sys.stdin:
                print(json.dumps(ask(store if command == "ask" else index, line.strip())), flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BabelquoteError as error:
        sys.exit(f"{type(error).__name__}: {error}")
