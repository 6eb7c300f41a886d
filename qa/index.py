"""Bringing an index up to date with its corpus. Reads and embeds only what changed; may be killed at any moment."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qa.errors import BabelquoteError, CorpusError, FileError, IndexBroken, IndexStale
from qa.records import Document, IndexReport, Passage, Problem, SourceFile
from qa.settings import ChunkSettings
from qa.store import Store
from qa.swap import Writer
from qa.tables import SCHEMA_VERSION
from qa.truth import Truth

PIPELINE_VERSION = 4
"""Raise it when ingest or chunking change what they give for the same bytes: everything is then read again."""

_BATCH = 256


class Progress(Protocol):
    """Told how far a stage ("read", "embed", "index") is."""

    def __call__(self, stage: str, done: int, total: int) -> None: ...


Uploads = Callable[[Truth], AbstractContextManager[Sequence[SourceFile]]]
"""Gives the files that visitors brought. Entered when the lock is held, left before it is released."""


def stamp(encoder: str, chunk: ChunkSettings) -> dict[str, str]:
    """What an index must agree with to be of use: compared at opening, written at publishing."""
    return {
        "encoder": encoder,
        "chunk": json.dumps(asdict(chunk), sort_keys=True),
        "pipeline": str(PIPELINE_VERSION),
    }


def update_index(
    store: Store,
    sources: Sequence[SourceFile],
    *,
    roots: Sequence[Path],
    encoder: str,
    chunk_settings: ChunkSettings,
    digest: Callable[[Path], str],
    read: Callable[[SourceFile], Document],
    chunk: Callable[[Document], Sequence[Passage]],
    embed: Callable[[Sequence[str]], NDArray[np.float32]],
    problems: Iterable[Problem] = (),
    uploads: Uploads = lambda _truth: nullcontext(()),
    corpus_stays: bool = False,
    progress: Progress = lambda _stage, _done, _total: None,
    wait: bool = True,
) -> IndexReport:
    """Makes the index in `store` mirror `sources` and `uploads`.

    With `corpus_stays` the documents of the corpus stay as they are in the index; `sources` and `roots` are then empty.

    Files that cannot be read are reported, not indexed, and do not stop the others. Every step is durable: what was
    read and embedded before a crash is not done again. The published index answers throughout. Raises `CorpusError` if
    no file can be read (the published index stays), `IndexStale` if the corpus is to stay and was indexed with other
    settings, and what `Store.writing` and `uploads` raise.
    """
    started = time.monotonic()
    problems = list(problems)
    mark = stamp(encoder, chunk_settings)
    with store.writing(wait=wait) as writer, uploads(writer.truth) as brought:
        truth = writer.truth
        live, staged = truth.fingerprints(live=True), truth.fingerprints(live=False)
        wanted: dict[str, str] = {}
        if corpus_stays:
            if any(truth.state.get(key) != value for key, value in mark.items()):
                raise IndexStale("the index was made anew with other settings meanwhile; start this program again")
            uploaded = uploaded_ids(truth.state)
            wanted = {document_id: known for document_id, known in live.items() if document_id not in uploaded}
        of_corpus = wanted.keys() | {source.document_id for source in sources}
        files = [*sources, *(source for source in brought if source.document_id not in of_corpus)]
        problems += [
            Problem(str(source.path), f"the corpus holds {source.document_id}, too; rename that file of the corpus")
            for source in brought
            if source.document_id in of_corpus
        ]
        for number, source in enumerate(files):
            progress("read", number, len(files))
            try:
                known = replace(source, sha256=source.sha256 or digest(source.path))
                fingerprint = _fingerprint(known, mark)
                if fingerprint not in (live.get(source.document_id), staged.get(source.document_id)):
                    document = read(known)
                    if document.sha256 != known.sha256:
                        raise FileError("changed while it was read; run the same command again")
                    truth.stage(document, _chunked(document, chunk), fingerprint)
                wanted[source.document_id] = fingerprint
            except FileError as error:
                problems.append(Problem(str(source.path), str(error)))
        progress("read", len(files), len(files))
        if not wanted:
            reasons = "".join(f"\n  {problem.path}: {problem.message}" for problem in problems[:10])
            raise CorpusError(f"no document could be read in {', '.join(map(str, roots))}{reasons or ': it is empty'}")
        staged = truth.fingerprints(live=False)
        truth.unstage(i for i in staged if wanted.get(i) != staged[i] or live.get(i) == wanted[i])
        added = [i for i in wanted if i not in live]
        updated = [i for i in wanted if i in live and live[i] != wanted[i]]
        removed = [i for i in live if i not in wanted]
        state = {**mark, "corpus": _corpus_digest(wanted)}
        if not corpus_stays:
            state["roots"] = json.dumps([str(root.resolve()) for root in roots])
        if brought or "uploads" in truth.state:
            state["uploads"] = json.dumps(sorted(wanted.keys() - of_corpus))
        embedded = _embed_staged(writer, encoder, embed, progress)
        expected = {**state, "schema": SCHEMA_VERSION}
        if any(truth.state.get(key) != value for key, value in expected.items()) or not _verifies(store):
            writer.publish(
                encoder=encoder,
                removed=removed,
                brought=sorted(wanted.keys() - of_corpus),
                state={**state, "built": datetime.now(UTC).isoformat(timespec="seconds")},
                embed=embed,
                progress=lambda done, total: progress("index", done, total),
            )
    return IndexReport(
        documents=len(wanted), passages=int(store.state()["passages"]), added=len(added), updated=len(updated),
        removed=len(removed), embedded=embedded, seconds=time.monotonic() - started, problems=tuple(problems),
    )  # fmt: skip


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
        writer.publish(encoder=state["encoder"], removed=[], state=state, brought=uploaded, embed=embed)


def _embed_staged(
    writer: Writer, encoder: str, embed: Callable[[Sequence[str]], NDArray[np.float32]], progress: Progress
) -> int:
    """Embeds the staged passages and their sentences, as far as the cache lacks them; returns how many texts."""
    keys = writer.truth.staged_keys()
    count = 0
    for i in range(0, len(keys), _BATCH):
        progress("embed", i, len(keys))
        texts: dict[str, None] = {}
        for stored in writer.truth.stored_passages(keys[i : i + _BATCH]):
            texts[stored.passage.text] = None
            texts.update(dict.fromkeys(stored.passage.text[slice(*bounds)] for bounds in stored.passage.sentences))
        cached = writer.truth.cached_vectors(encoder, list(texts))
        if unknown := [text for text in texts if text not in cached]:
            writer.truth.cache_vectors(encoder, unknown, embed(unknown))
            count += len(unknown)
    progress("embed", len(keys), len(keys))
    return count


def _verifies(store: Store) -> bool:
    try:
        store.verify()
    except IndexBroken:
        return False
    return True


def _fingerprint(source: SourceFile, mark: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps([asdict(source), mark], default=str, sort_keys=True).encode()).hexdigest()


def _corpus_digest(fingerprints: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(fingerprints.items())).encode()).hexdigest()
