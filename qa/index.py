"""Bringing an index up to date with its corpus. Reads and embeds only what changed; may be killed at any moment."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qa.errors import BabelquoteError, CorpusError, FileError, FileUnavailable, IndexBroken, IndexStale
from qa.records import Document, IndexReport, Passage, Problem, SourceFile
from qa.settings import ChunkSettings
from qa.staging import WritableTruth
from qa.store import Store
from qa.swap import Writer
from qa.tables import SCHEMA_VERSION
from qa.truth import Truth

PIPELINE_VERSION = 6
"""Raise it when ingest or chunking change what they give for the same bytes: everything is then read again."""

_BATCH = 256


class Progress(Protocol):
    """Told how far a stage ("read", "embed", "index") is."""

    def __call__(self, stage: str, done: int, total: int) -> None: ...


def silent(stage: str, done: int, total: int) -> None:
    """The `Progress` that tells nobody."""


Uploads = Callable[[Truth], AbstractContextManager[Sequence[SourceFile]]]
"""Gives the files that visitors brought. Entered when the lock is held, left before it is released."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """What files go through on their way into an index.

    `digest` and `read` raise `FileError`; `embed` gives unit rows, *Shape* (texts, d).
    """

    encoder: str
    chunk_settings: ChunkSettings
    digest: Callable[[Path], str]
    read: Callable[[SourceFile], Document]
    chunk: Callable[[Document], Sequence[Passage]]
    embed: Callable[[Sequence[str]], NDArray[np.float32]]

    @property
    def stamp(self) -> dict[str, str]:
        return stamp(self.encoder, self.chunk_settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """What an index is to mirror: the files found below the roots, and what could not be found there."""

    roots: Sequence[Path]
    sources: Sequence[SourceFile]
    problems: Sequence[Problem] = ()


def stamp(encoder: str, chunk: ChunkSettings) -> dict[str, str]:
    """What an index must agree with to be of use: compared at opening, written at publishing."""
    return {
        "encoder": encoder,
        "chunk": json.dumps(asdict(chunk), sort_keys=True),
        "pipeline": str(PIPELINE_VERSION),
    }


def update_index(
    store: Store,
    pipeline: Pipeline,
    *,
    corpus: Callable[[], Corpus] | None,
    uploads: Uploads = lambda _truth: nullcontext(()),
    progress: Progress = silent,
    wait: bool = True,
) -> IndexReport:
    """Makes the index in `store` mirror the corpus and the uploads. Without `corpus`, the documents of the corpus stay
    as they are in the index. `corpus` looks the files up when the lock is held: what another process indexed while this
    one waited is not taken out again.

    Files that cannot be read are reported, not indexed, and do not stop the others. Every step is durable: what was
    read and embedded before a crash is not done again. The published index answers throughout. Raises `CorpusError` if
    no file can be read (the published index stays), `IndexStale` if the corpus is to stay and was indexed with other
    settings, and what `Store.writing`, `corpus` and `uploads` raise.
    """
    started = time.monotonic()
    with store.writing(wait=wait) as writer, uploads(writer.truth) as uploaded:
        truth = writer.truth
        live = truth.fingerprints(live=True)
        found = corpus() if corpus else None
        kept = {} if found else _documents_of_corpus(truth, live, pipeline)
        sources = found.sources if found else ()
        of_corpus = kept.keys() | {source.document_id for source in sources}
        files = [*sources, *(source for source in uploaded if source.document_id not in of_corpus)]
        staged, problems, warnings = _stage_changed(truth, files, pipeline, progress)
        problems = [
            *(found.problems if found else ()),
            *(
                Problem(str(source.path), f"the corpus holds {source.document_id}, too; rename that file of the corpus")
                for source in uploaded
                if source.document_id in of_corpus
            ),
            *problems,
        ]
        wanted = kept | staged
        if unread := [Path(problem.path) for problem in problems if problem.folder]:
            wanted |= {i: live[i] for i, path in truth.paths().items() if any(map(path.is_relative_to, unread))}
        if not wanted:
            reasons = "".join(f"\n  {problem.path}: {problem.message}" for problem in problems[:10])
            where = ", ".join(map(str, found.roots)) if found else str(store.folder)
            raise CorpusError(f"no document could be read in {where}{reasons or ': it is empty'}")
        left = truth.fingerprints(live=False)
        truth.unstage(i for i in left if wanted.get(i) != left[i] or live.get(i) == wanted[i])
        embedded = _embed_staged(writer, pipeline, progress)
        # Not whatever the corpus was not found to hold: documents of a folder that cannot be read are of the corpus.
        brought = {source.document_id for source in uploaded} | uploaded_ids(truth.state)
        ids_uploaded = sorted(wanted.keys() & brought - of_corpus)
        state = {**pipeline.stamp, "corpus": _corpus_digest(wanted)}
        if found:
            state["roots"] = json.dumps([str(root.resolve()) for root in found.roots])
        if uploaded or "uploads" in truth.state:
            state["uploads"] = json.dumps(ids_uploaded)
        removed = [i for i in live if i not in wanted]
        expected = {**state, "schema": SCHEMA_VERSION}
        if any(truth.state.get(key) != value for key, value in expected.items()) or not _verifies(store):
            truth.forget_vectors({pipeline.encoder, truth.state.get("encoder", pipeline.encoder)})
            writer.publish(
                encoder=pipeline.encoder,
                removed=removed,
                uploaded=ids_uploaded,
                state={**state, "built": datetime.now(UTC).isoformat(timespec="seconds")},
                embed=pipeline.embed,
                progress=lambda done, total: progress("index", done, total),
            )
    return IndexReport(
        documents=len(wanted), passages=int(store.state()["passages"]), added=len(wanted.keys() - live.keys()),
        updated=sum(i in live and live[i] != wanted[i] for i in wanted), removed=len(removed), embedded=embedded,
        seconds=time.monotonic() - started, problems=tuple(problems), warnings=tuple(warnings),
    )  # fmt: skip


def _documents_of_corpus(truth: Truth, live: Mapping[str, str], pipeline: Pipeline) -> dict[str, str]:
    """Id to fingerprint of the live documents that nobody uploaded."""
    if any(truth.state.get(key) != value for key, value in pipeline.stamp.items()):
        raise IndexStale("the index was made anew with other settings meanwhile; start this program again")
    uploaded = uploaded_ids(truth.state)
    return {document_id: known for document_id, known in live.items() if document_id not in uploaded}


def _stage_changed(
    truth: WritableTruth, files: Sequence[SourceFile], pipeline: Pipeline, progress: Progress
) -> tuple[dict[str, str], list[Problem], list[Problem]]:
    """Reads and stages those files that are neither live nor staged as they are. Id to fingerprint of what the index
    will hold of them, what could not be read, and what was read in part."""
    live, staged = truth.fingerprints(live=True), truth.fingerprints(live=False)
    current: dict[str, str] = {}
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for number, source in enumerate(files):
        progress("read", number, len(files))
        try:
            known = replace(source, sha256=source.sha256 or pipeline.digest(source.path))
            fingerprint = _fingerprint(known, pipeline.stamp)
            if fingerprint not in (live.get(source.document_id), staged.get(source.document_id)):
                document = pipeline.read(known)
                if document.sha256 != known.sha256:
                    raise FileUnavailable("changed while it was read; run the same command again")
                truth.stage(document, _chunked(document, pipeline.chunk), fingerprint)
                if document.warning:
                    warnings.append(Problem(str(source.path), document.warning))
            current[source.document_id] = fingerprint
        except FileError as error:
            problems.append(Problem(str(source.path), str(error)))
            if isinstance(error, FileUnavailable) and source.document_id in live:
                current[source.document_id] = live[source.document_id]
    progress("read", len(files), len(files))
    return current, problems, warnings


def _chunked(document: Document, chunk: Callable[[Document], Sequence[Passage]]) -> Sequence[Passage]:
    """The passages. A text that meets a defect of ours, or of a library, is left out by name, and does not stop the
    others."""
    try:
        return chunk(document)
    except BabelquoteError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # of libraries in Rust
            raise
        raise FileError(
            f"could not be cut into passages ({type(error).__name__}: {error}); this is a defect of babelquote, please "
            "report it with the file"
        ) from error


def uploaded_ids(state: Mapping[str, str]) -> frozenset[str]:
    """The ids of those documents of an index that visitors brought."""
    return frozenset(json.loads(state.get("uploads", "[]")))


def repair_index(store: Store, embed: Callable[[Sequence[str]], NDArray[np.float32]]) -> None:
    """Derives the vectors anew from the truth's cache. For an index whose vectors do not verify."""
    with store.writing() as writer:
        if _verifies(store):  # another process was faster
            return
        state = dict(writer.truth.state)
        writer.truth.unstage(writer.truth.fingerprints(live=False))
        uploaded = sorted(uploaded_ids(state))
        writer.publish(encoder=state["encoder"], removed=[], state=state, uploaded=uploaded, embed=embed)


def _embed_staged(writer: Writer, pipeline: Pipeline, progress: Progress) -> int:
    """Embeds the staged passages and their sentences, as far as the cache lacks them; returns how many texts."""
    keys = writer.truth.staged_keys()
    count = 0
    for i in range(0, len(keys), _BATCH):
        progress("embed", i, len(keys))
        texts: dict[str, None] = {}
        for stored in writer.truth.stored_passages(keys[i : i + _BATCH]):
            texts.update(dict.fromkeys(stored.passage.texts()))
        _, new = writer.truth.vectors(pipeline.encoder, list(texts), pipeline.embed)
        count += new
    progress("embed", len(keys), len(keys))
    return count


def _verifies(store: Store) -> bool:
    try:
        store.verify()
    except IndexBroken:
        return False
    return True


def _fingerprint(source: SourceFile, stamp: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps([asdict(source), stamp], default=str, sort_keys=True).encode()).hexdigest()


def _corpus_digest(fingerprints: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(fingerprints.items())).encode()).hexdigest()
