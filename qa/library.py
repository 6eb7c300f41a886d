"""Documents that visitors bring, indexed together with the corpus.

An index folder is derived, and may be deleted and built again; what visitors brought is original. So it lies beside
it, in `NAME.uploads` for the index folder `NAME` (see `qa.shelf`), and every update of that index takes it along:

file → copied to a hidden folder → read, checked → (lock) → moved into place → indexed → (unlock)

A killed run leaves a file that is whole, or none; `Library.complete` indexes what is there.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Protocol

from qa.disk import sha256_of
from qa.errors import FileError, IndexBusy, LibraryError, PlaceMissing, rebuild_command
from qa.formats import EXTRACTORS, SUFFIXES
from qa.index import Progress, Uploads, silent, uploaded_ids
from qa.records import Document, FileReport, FileStatus, IndexReport, SourceFile
from qa.settings import UploadSettings
from qa.shelf import PREFIX, Shelf, safe_name, uploads_folder
from qa.store import Store
from qa.truth import Truth

Read = Callable[[SourceFile], Document]


class Update(Protocol):
    """Brings the index up to date with the uploads, its corpus left as it is; see `qa.index.update_index`."""

    def __call__(self, uploads: Uploads, *, read: Read, progress: Progress) -> IndexReport: ...


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A file that was read and may be kept: its place among the files that came, and its document."""

    number: int
    name: str
    path: Path
    document: Document


class Library:
    """The documents that visitors brought to one index. Safe for threads and processes: the index's lock orders them.

    Every method that writes raises `IndexBusy` if another process writes the index for longer than it waits, and
    `IndexUnwritable` if the disk is full or read-only; nothing is kept or removed then.
    """

    def __init__(
        self,
        store: Store,
        *,
        update: Update,
        reading: Callable[[], AbstractContextManager[Read]],
        settings: UploadSettings,
    ) -> None:
        self._shelf = Shelf(uploads_folder(store.folder))
        self._store = store
        self._update = update
        self._reading = reading
        self._settings = settings

    def add(self, files: Sequence[tuple[str, Path]], *, progress: Progress = silent) -> list[FileReport]:
        """Keeps and indexes files; each is its name, as the visitor knows it, and where its bytes are.

        One report a file, in their order; what cannot be read or exceeds a limit is left out and does not stop the
        others. The index answers throughout. `progress` is told of "check" (files), then of the stages of indexing.
        """
        reports: dict[int, FileReport] = {}
        candidates: list[_Candidate] = []
        with self._shelf.staging() as staging:
            with self._reading() as read:
                for number, (name, path) in enumerate(files):
                    progress("check", number, len(files))
                    try:
                        candidates.append(self._check(number, name, path, staging, read))
                    except FileError as error:
                        reports[number] = _left_out(name, str(error))
                progress("check", len(files), len(files))
            if candidates:
                self._index(candidates, reports, progress)
        return [self._counted(reports[number]) for number in range(len(files))]

    def remove(self, document_id: str, *, progress: Progress = silent) -> None:
        """Deletes an upload and takes it out of the index.

        Raises `PlaceMissing` if there is no such document, `LibraryError` if it belongs to the corpus, `CorpusError` if
        it is the index's only one.
        """

        @contextlib.contextmanager
        def without(_truth: Truth) -> Iterator[Sequence[SourceFile]]:
            self._shelf.clean()
            path = self._shelf.stored().get(document_id)
            # If the file is gone already, the index follows.
            with self._shelf.without(path) if path else contextlib.nullcontext():
                yield self._shelf.sources()

        if document_id not in self._shelf.stored() and document_id not in uploaded_ids(self._store.state()):
            with self._store.snapshot() as snapshot:
                if snapshot.document(document_id) is None:
                    raise PlaceMissing(f"there is no document {document_id!r}")
            raise LibraryError(
                f"{document_id!r} belongs to the corpus; remove its file there, then run: "
                f"{rebuild_command(self._store.folder)}"
            )
        with self._reading() as read:
            self._update(without, read=read, progress=progress)

    def ids(self) -> frozenset[str]:
        """The uploads that the index holds."""
        return uploaded_ids(self._store.state())

    def complete(self, *, progress: Progress = silent) -> IndexReport | None:
        """Indexes what a killed run left to be indexed. `None` if there is nothing to do, or another process writes."""
        if self._shelf.stored().keys() == uploaded_ids(self._store.state()):
            return None

        @contextlib.contextmanager
        def as_they_are(_truth: Truth) -> Iterator[Sequence[SourceFile]]:
            self._shelf.clean()
            yield self._shelf.sources()

        with self._reading() as read, contextlib.suppress(IndexBusy):
            return self._update(as_they_are, read=read, progress=progress)
        return None

    def _check(self, number: int, name: str, path: Path, staging: Path, read: Read) -> _Candidate:
        """A candidate, copied and read. Raises `FileError` for what is not taken."""
        limits = self._settings
        if number >= limits.max_files:
            raise FileError(f"is one too many: at most {limits.max_files} files at once; add it once more by itself")
        called = safe_name(name)
        suffix = PurePosixPath(called).suffix
        if suffix.lower() not in EXTRACTORS:
            raise FileError(f"{suffix[:20] or 'a file without suffix'} is not supported; known: {', '.join(SUFFIXES)}")
        copy = staging / str(number) / called
        self._shelf.copy(path, copy, most_bytes=limits.max_file_bytes)
        document = read(SourceFile(document_id=PREFIX + called, path=copy))
        return _Candidate(number, name, copy, document)

    def _index(self, candidates: Sequence[_Candidate], reports: dict[int, FileReport], progress: Progress) -> None:
        """Keeps and indexes the candidates that are new; reports of all of them."""
        kept: dict[Path, _Candidate] = {}

        def read_once(source: SourceFile) -> Document:
            return kept[source.path].document if source.path in kept else read(source)

        with self._reading() as read:
            outcome = self._update(
                lambda truth: self._keep(candidates, truth, kept, reports), read=read_once, progress=progress
            )
        failures = {problem.path: problem.message for problem in outcome.problems}
        for path, candidate in kept.items():
            reports[candidate.number] = self._added(candidate, path, failures.get(str(path)))

    @contextlib.contextmanager
    def _keep(
        self,
        candidates: Sequence[_Candidate],
        truth: Truth,
        kept: dict[Path, _Candidate],
        reports: dict[int, FileReport],
    ) -> Iterator[Sequence[SourceFile]]:
        """Moves the candidates that are new into place, for as long as nothing fails. Called under the lock."""
        self._shelf.clean()
        stored, uploaded = self._shelf.stored(), uploaded_ids(truth.state)
        digests = truth.digests()
        ids = {digest: i for i, digest in digests.items() if i in stored or i not in uploaded}
        ids |= {sha256_of(path): i for i, path in stored.items() if i not in digests}
        taken = {i.casefold() for i in (*stored, *digests.keys() - uploaded)}
        room = self._settings.max_total_bytes - sum(path.stat().st_size for path in stored.values())
        try:
            for candidate in candidates:
                document, size = candidate.document, candidate.path.stat().st_size
                if same := ids.get(document.sha256):
                    there = FileReport(
                        name=candidate.name, status=FileStatus.ALREADY_THERE, document_id=same,
                        message=f"the same file is there already, as {same}",
                    )  # fmt: skip
                    reports[candidate.number] = there
                    continue
                if size > room:
                    limit = f"the limit of {self._settings.max_total_bytes:,} bytes"
                    reports[candidate.number] = _left_out(
                        candidate.name, f"would make all uploads larger than {limit}; remove others first"
                    )
                    continue
                path = self._shelf.place(candidate.path, taken)
                room -= size
                kept[path] = replace(candidate, document=_placed(document, path, was=candidate.path.name))
                ids[document.sha256] = kept[path].document.id
                taken.add(kept[path].document.id.casefold())
            yield self._shelf.sources()
        except BaseException:
            for path in kept:
                path.unlink(missing_ok=True)
            raise

    def _added(self, candidate: _Candidate, path: Path, failure: str | None) -> FileReport:
        if failure is not None:
            path.unlink(missing_ok=True)
            return _left_out(candidate.name, failure)
        return FileReport(
            name=candidate.name, status=FileStatus.ADDED, message=candidate.document.warning or "",
            document_id=candidate.document.id,
        )  # fmt: skip

    def _counted(self, report: FileReport) -> FileReport:
        """The report with what the index says of its document."""
        if report.document_id is None:
            return report
        with self._store.snapshot() as snapshot:
            document = snapshot.document(report.document_id)
            if document is None:  # another process removed it meanwhile
                return report
            return replace(
                report,
                language=document.language,
                pages=len(document.pages) or None,
                passages=snapshot.count_passages(document.id),
            )


def stored_uploads(index: Path) -> Uploads:
    """The uploads of an index as they are, for an update that changes none of them."""

    @contextlib.contextmanager
    def stored(_truth: Truth) -> Iterator[Sequence[SourceFile]]:
        yield Shelf(uploads_folder(index)).sources()

    return stored


def _left_out(name: str, reason: str) -> FileReport:
    return FileReport(name=name, status=FileStatus.LEFT_OUT, message=reason)


def _placed(document: Document, path: Path, *, was: str) -> Document:
    """The document as it is read from its place, where the file may have another name."""
    title = path.name if document.title == was else document.title
    return replace(document, id=PREFIX + path.name, title=title, source=path.name, path=str(path))
