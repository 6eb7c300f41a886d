"""Composition: the only module that knows all stages. `qa.open` and `Bot.ask` are the Python API."""

import contextlib
import copy
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from qa import text
from qa.answer import Candidate, answer, candidates, corroborate
from qa.catalogue import Catalogue
from qa.chunk import chunk
from qa.dialogue import FollowUpClassifier, context, together
from qa.embed import CachedEncoder, Encoder, Vectors, load_encoder
from qa.errors import IndexBroken, IndexBusy, IndexMissing, IndexStale, QuestionError, rebuild_command
from qa.folders import index_folder, remember_newest
from qa.index import Corpus, Pipeline, Progress, Uploads, repair_index, silent, stamp, update_index
from qa.ingest import check_roots, find_sources, read_document, sha256_of
from qa.library import Library, Read, stored_uploads
from qa.read import Reader, load_reader
from qa.reading import Limits, reading_apart
from qa.records import Abstention, Document, Filters, Hit, IndexReport, Reply, SourceFile
from qa.retrieve import Retrieve, retrieve
from qa.settings import EncoderSettings, Settings, load_settings
from qa.shelf import uploads_folder
from qa.store import Snapshot, Store

T = TypeVar("T")
_log = logging.getLogger(__name__)
_SURE = 0.35
"""Probability of a question's language below which none is named: of short questions a guess is often wrong, and who
asks in Swahili should not be told that it was Tagalog."""


class Bot:
    """Answers questions from one index. Thread-safe; asking writes nothing."""

    def __init__(self, store: Store, *, encoder: Encoder, reader: Reader, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._find: Retrieve = retrieve
        self._encoder = CachedEncoder(encoder, store.cached_vectors)
        self._reader = reader
        self._is_follow_up = FollowUpClassifier(self._encoder.encode_queries)

    def ask(self, question: str, *, filters: Filters = Filters(), earlier: Sequence[str] = ()) -> Reply:
        """Quotes that answer the question, or an abstention.

        >>> reply = qa.open("corpus").ask("Combien de pays ont signé la résolution ?")
        >>> reply.quotes[0].text, reply.quotes[0].document.title

        `earlier`: the questions of the conversation so far, oldest first; the last `dialogue.earlier` of them count. A
        question that leans on them is read together with them, and the reply's `follows` says so.

        Raises `QuestionError` for an empty or overlong question and `StoreError` if the index cannot be read. That
        nothing answers is not an error.
        """
        cleaned = self._clean(question)
        asked = [self._clean(each, "an earlier question") for each in earlier[-self._settings.dialogue.earlier :]]
        before = context(cleaned, asked, self._is_follow_up)
        read_as = together(cleaned, before)[: self._settings.retrieve.max_question_chars]
        vector = self._encoder.encode_queries([read_as])[0]
        reply = self._read(lambda index: self._answer(cleaned, read_as, vector, index, filters))
        return replace(reply, follows=" ".join(before)) if before else reply

    def warm_up(self) -> None:
        """Does now what the first question with an earlier one would wait for, some seconds."""
        self._is_follow_up.fit()

    def candidates(self, question: str, *, filters: Filters = Filters()) -> list[Candidate]:
        """All that `ask` chooses from, with the evidence for each. For evaluation and calibration."""
        cleaned = self._clean(question)
        vector = self._encoder.encode_queries([cleaned])[0]
        return self._read(lambda index: self._candidates(cleaned, vector, index, filters))

    def hits(self, question: str, *, filters: Filters = Filters()) -> list[Hit]:
        """The passages that `ask` reads, best first. For evaluation."""
        cleaned = self._clean(question)
        vector = self._encoder.encode_queries([cleaned])[0]
        return self._read(lambda index: self._hits(cleaned, vector, index, filters))

    def with_retrieval(self, find: Retrieve) -> "Bot":
        """The same bot with another way to find passages, on the same open index. For evaluation."""
        other = copy.copy(self)
        other._find = find
        return other

    def _clean(self, question: str, what: str = "the question") -> str:
        cleaned = text.clean_question(question)
        limit = self._settings.retrieve.max_question_chars
        if not any(character.isalnum() for character in cleaned):
            raise QuestionError(f"{what} is empty; ask something in words")
        if len(cleaned) > limit:
            raise QuestionError(f"{what} has {len(cleaned):,} characters; ask in at most {limit:,}")
        return cleaned

    def _read(self, work: Callable[[Snapshot], T]) -> T:
        """`Store.read` of an index whose vectors are this encoder's: another program may have made it anew with
        another one, among whose vectors nothing that this one finds would be near."""

        def checked(index: Snapshot) -> T:
            if index.state["encoder"] != self._encoder.name:
                raise IndexStale("the index was made anew with another encoder meanwhile; start this program again")
            return work(index)

        return self._store.read(checked)

    def _hits(self, question: str, vector: Vectors, index: Snapshot, filters: Filters) -> list[Hit]:
        return self._find(question, vector, index, self._settings.retrieve, filters=filters)

    def _candidates(self, question: str, vector: Vectors, index: Snapshot, filters: Filters) -> list[Candidate]:
        hits = self._hits(question, vector, index, filters)
        titles = index.catalogue.titles(hit.passage.document_id for hit in hits)
        reading = self._reader.read(
            question, [hit.passage for hit in hits], [titles.get(hit.passage.document_id, "") for hit in hits]
        )
        return candidates(
            vector, hits, reading, self._encoder.encode_passages, same_fact=self._settings.retrieve.same_fact
        )

    def _answer(self, question: str, read_as: str, vector: Vectors, index: Snapshot, filters: Filters) -> Reply:
        settings = self._settings
        document = lru_cache(index.document)
        found = self._candidates(read_as, vector, index, filters)
        language = text.language_of(question, floor=_SURE)
        reply = answer(question, language, found, document=document, settings=settings.answer)
        if isinstance(reply, Abstention):
            return reply
        # The same fact elsewhere is nearer to the quote than to the question. By meaning alone: shared words would
        # bring the quote's own language. However the quote was found: `with_retrieval` compares what finds answers.
        quote = reply.quotes[0].text
        by_meaning = replace(settings.retrieve, lexical_weight=0.0, same_fact=math.inf)
        kin = retrieve(quote, self._encoder.encode_passages([quote])[0], index, by_meaning, filters=filters)
        return corroborate(
            reply,
            kin,
            read=lambda texts: self._reader.read(read_as, texts),
            embed=self._encoder.encode_passages,
            document=document,
            same_fact=settings.retrieve.same_fact,
            settings=settings.answer,
        )

    @contextlib.contextmanager
    def catalogue(self) -> Iterator[Catalogue]:
        """What documents there are, as one moment has them, without their texts.

        >>> with bot.catalogue() as catalogue:
        ...     print(catalogue.overview().languages)
        """
        with self._store.snapshot() as index:
            yield index.catalogue

    def documents(self) -> list[Document]:
        """All documents of the index, by id, with all their texts."""
        with self._store.snapshot() as index:
            return index.documents()

    def document(self, document_id: str) -> Document | None:
        """One document."""
        with self._store.snapshot() as index:
            return index.document(document_id)

    def close(self) -> None:
        """Releases the index."""
        self._store.close()


def build(
    roots: Sequence[Path],
    *,
    index: Path | None = None,
    settings: Settings | None = None,
    progress: Progress = silent,
    wait: bool = True,
) -> IndexReport:
    """Brings the index of these files and folders, and of the uploads beside it, up to date; see `update_index`."""
    settings = settings or load_settings()
    check_roots(roots)
    store = Store(index or index_folder(roots, settings), settings.store)
    uploads = uploads_folder(store.folder)
    encoder = load_encoder(settings.encoder)

    def corpus() -> Corpus:
        sources, problems = find_sources(roots)
        own = [source for source in sources if not source.path.is_relative_to(uploads)]
        return Corpus(roots=roots, sources=own, problems=problems)

    with contextlib.closing(store), reading_apart(Limits(ingest=settings.ingest, uploads=settings.uploads)) as apart:

        def read(source: SourceFile) -> Document:
            # What visitors brought is read as carefully as when it came.
            return apart(source) if source.path.is_relative_to(uploads) else read_document(source, settings.ingest)

        report = update_index(
            store,
            _pipeline(encoder, settings, read),
            corpus=corpus,
            uploads=stored_uploads(store.folder),
            progress=progress,
            wait=wait,
        )
    remember_newest(store.folder, settings)
    return report


def open_library(bot: Bot) -> Library:
    """The documents that visitors bring to the bot's index. What is added or removed the bot knows at once."""
    settings = bot._settings

    def update(uploads: Uploads, *, read: Read, progress: Progress) -> IndexReport:
        pipeline = _pipeline(bot._encoder, settings, read)
        return update_index(bot._store, pipeline, corpus=None, uploads=uploads, progress=progress)

    return Library(
        bot._store,
        update=update,
        reading=lambda: reading_apart(Limits(ingest=settings.ingest, uploads=settings.uploads)),
        settings=settings.uploads,
    )


def _pipeline(encoder: Encoder, settings: Settings, read: Read) -> Pipeline:
    return Pipeline(
        encoder=encoder.name,
        chunk_settings=settings.chunk,
        digest=sha256_of,
        read=read,
        chunk=lambda document: chunk(document, settings.chunk, fits=encoder.fits),
        embed=encoder.encode_passages,
    )


def open_index(folder: Path, *, settings: Settings | None = None) -> Bot:
    """A bot on an index as it stands. Verifies it, and mends vectors that do not verify.

    Raises `IndexMissing`, `IndexStale` if it was made with another encoder or other chunk settings, `IndexBroken`.
    """
    settings = settings or load_settings()
    store = Store(folder, settings.store)
    encoder = load_encoder(settings.encoder)
    if replace(settings.encoder, batch_tokens=0) != replace(EncoderSettings(), batch_tokens=0):
        _log.warning(
            "answer.threshold, retrieve.same_fact and the confidence of answers were fitted for the shipped encoder; "
            "with another one, find your own: docs/settings.md"
        )
    with_what = store.state()
    if not with_what:
        raise IndexMissing(f"there is no index in {folder}; make one with: babelquote index PATH")
    for key, value in stamp(encoder.name, settings.chunk).items():
        if with_what.get(key) != value:
            raise IndexStale(
                f"the index in {folder} was made with {key} {with_what.get(key)}, the settings say {value}; "
                f"run: {rebuild_command(folder)}"
            )
    try:
        store.verify()
    except IndexBroken:
        repair_index(store, encoder.encode_passages)
    return Bot(store, encoder=encoder, reader=load_reader(), settings=settings)


def open_corpus(
    corpus: str | Path | Sequence[str | Path],
    *,
    index: str | Path | None = None,
    settings: Settings | None = None,
    progress: Progress = silent,
) -> Bot:
    """A bot on a folder or files, whose index is built first if it is missing or behind. Exported as `qa.open`.

    While another process is writing the index, a published one answers as it stands; without one this waits.
    """
    settings = settings or load_settings()
    roots = [Path(corpus)] if isinstance(corpus, str | Path) else [Path(root) for root in corpus]
    folder = Path(index) if index else index_folder(roots, settings)
    try:
        build(roots, index=folder, settings=settings, progress=progress, wait=False)
    except IndexBusy:
        try:
            return open_index(folder, settings=settings)
        except (IndexMissing, IndexStale):
            build(roots, index=folder, settings=settings, progress=progress)
    return open_index(folder, settings=settings)
