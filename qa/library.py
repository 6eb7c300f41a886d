"""Documents that visitors bring, indexed together with the corpus.

An index folder is derived, and may be deleted and built again; what visitors brought is original. So it lies beside
it, in `NAME.uploads` for the index folder `NAME`, and every update of that index takes it along. Whatever happens
to the folder happens under the index's lock:

file → copied to a hidden folder → read, checked → (lock) → renamed into place → indexed → (unlock)

A killed run leaves a file that is whole, or none; `Library.complete` indexes what is there.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Protocol

from qa import text
from qa.errors import FileError, IndexBusy, IndexUnwritable, LibraryError, PlaceMissing
from qa.formats import EXTRACTORS, SUFFIXES
from qa.index import Progress, Uploads, uploaded_ids
from qa.records import Document, FileReport, FileStatus, IndexReport, SourceFile
from qa.settings import UploadSettings
from qa.store import Store
from qa.truth import Truth

PREFIX = "uploads/"
"""Begins the id of every document that a visitor brought."""

_RESERVE = 32_000_000
"""Bytes of the disk that uploads leave to the index, which needs room even to be read."""
_NAME_BYTES = 180
_ABANDONED = 24 * 3600.0
"""Seconds after which a hidden folder is that of a killed run."""
_SILENT: Progress = lambda _stage, _done, _total: None  # noqa: E731

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
        self.folder = uploads_folder(store.folder)
        self._store = store
        self._update = update
        self._reading = reading
        self._settings = settings

    def add(self, files: Sequence[tuple[str, Path]], *, progress: Progress = _SILENT) -> list[FileReport]:
        """Keeps and indexes files; each is its name, as the visitor knows it, and where its bytes are.

        One report a file, in their order; what cannot be read or exceeds a limit is left out and does not stop the
        others. The index answers throughout. `progress` is told of "check" (files), then of the stages of indexing.
        """
        reports: dict[int, FileReport] = {}
        candidates: list[_Candidate] = []
        with self._staging() as staging:
            with self._reading() as read:
                for number, (name, path) in enumerate(files):
                    progress("check", number, len(files))
                    try:
                        candidates.append(self._check(number, name, path, staging, read))
                    except FileError as error:
                        reports[number] = FileReport(name=name, status=FileStatus.LEFT_OUT, message=str(error))
                progress("check", len(files), len(files))
            if candidates:
                self._index(candidates, reports, progress)
        return [self._counted(reports[number]) for number in range(len(files))]

    def remove(self, document_id: str, *, progress: Progress = _SILENT) -> None:
        """Deletes an upload and takes it out of the index.

        Raises `PlaceMissing` if there is no such document, `LibraryError` if it belongs to the corpus, `CorpusError` if
        it is the index's only one.
        """

        @contextlib.contextmanager
        def without(_truth: Truth) -> Iterator[Sequence[SourceFile]]:
            self._clean()
            path = self._stored().get(document_id)
            if path is None:  # the file is gone already; the index follows
                yield self._sources()
                return
            hidden = path.with_name(f".gone-{uuid.uuid4().hex[:12]}")
            with self._writing():
                path.rename(hidden)
            try:
                yield self._sources()
            except BaseException:
                hidden.rename(path)
                raise
            hidden.unlink()

        if document_id not in self._stored() and document_id not in uploaded_ids(self._store.state()):
            with self._store.snapshot() as snapshot:
                if snapshot.document(document_id) is None:
                    raise PlaceMissing(f"there is no document {document_id!r}")
            raise LibraryError(
                f"{document_id!r} belongs to the corpus; remove its file there, then run: babelquote index"
            )
        with self._reading() as read:
            self._update(without, read=read, progress=progress)

    def uploads(self) -> list[Document]:
        """The uploads that the index holds, by id."""
        with self._store.snapshot() as snapshot:
            found = (snapshot.document(document_id) for document_id in sorted(uploaded_ids(snapshot.state)))
            return [document for document in found if document]

    def complete(self, *, progress: Progress = _SILENT) -> IndexReport | None:
        """Indexes what a killed run left to be indexed. `None` if there is nothing to do, or another process writes."""
        if self._stored().keys() == uploaded_ids(self._store.state()):
            return None

        @contextlib.contextmanager
        def as_they_are(_truth: Truth) -> Iterator[Sequence[SourceFile]]:
            self._clean()
            yield self._sources()

        with self._reading() as read, contextlib.suppress(IndexBusy):
            return self._update(as_they_are, read=read, progress=progress)
        return None

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
        self._copy(path, copy)
        document = read(SourceFile(document_id=PREFIX + called, path=copy))
        return _Candidate(number, name, copy, document)

    def _copy(self, path: Path, copy: Path) -> None:
        """A durable copy that nobody else writes to."""
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise FileError("cannot be read: it is not a file")
            if status.st_size > self._settings.max_file_bytes:
                limit = self._settings.max_file_bytes
                raise FileError(f"has {status.st_size:,} bytes, more than the limit of {limit:,}; split it")
            original = path.open("rb")
        except OSError as error:
            raise FileError(f"cannot be read: {error.strerror or error}") from error
        with original, self._writing():
            self._check_room(status.st_size)
            copy.parent.mkdir()
            with copy.open("xb") as file:
                shutil.copyfileobj(original, file)
                file.flush()
                os.fsync(file.fileno())

    @contextlib.contextmanager
    def _keep(
        self,
        candidates: Iterable[_Candidate],
        truth: Truth,
        kept: dict[Path, _Candidate],
        reports: dict[int, FileReport],
    ) -> Iterator[Sequence[SourceFile]]:
        """Moves the candidates that are new into place, for as long as nothing fails. Called under the lock."""
        self._clean()
        stored, uploaded = self._stored(), uploaded_ids(truth.state)
        digests = truth.digests()
        ids = {digest: i for i, digest in digests.items() if i in stored or i not in uploaded}
        ids |= {_sha256(path): i for i, path in stored.items() if i not in digests}
        taken = {i.casefold() for i in (*stored, *digests.keys() - uploaded)}
        total = sum(path.stat().st_size for path in stored.values())
        try:
            for candidate in candidates:
                document, size = candidate.document, candidate.path.stat().st_size
                if same := ids.get(document.sha256):
                    reports[candidate.number] = FileReport(
                        name=candidate.name, status=FileStatus.ALREADY_THERE, document_id=same,
                        message=f"the same file is there already, as {same}",
                    )  # fmt: skip
                    continue
                total += size
                if total > self._settings.max_total_bytes:
                    total -= size
                    limit = self._settings.max_total_bytes
                    message = f"would make all uploads larger than the limit of {limit:,} bytes; remove others first"
                    reports[candidate.number] = FileReport(
                        name=candidate.name, status=FileStatus.LEFT_OUT, message=message
                    )
                    continue
                path = self.folder / _free_name(candidate.path.name, taken)
                with self._writing():
                    candidate.path.rename(path)
                document_id = PREFIX + path.name
                taken.add(document_id.casefold())
                ids[document.sha256] = document_id
                title = path.name if document.title == candidate.path.name else document.title
                kept[path] = replace(
                    candidate,
                    document=replace(document, id=document_id, title=title, source=path.name, path=str(path)),
                )
            with self._writing():
                _sync(self.folder)
            yield self._sources()
        except BaseException:
            for path in kept:
                path.unlink(missing_ok=True)
            raise

    def _added(self, candidate: _Candidate, path: Path, failure: str | None) -> FileReport:
        document = candidate.document
        if failure is None:
            return FileReport(name=candidate.name, status=FileStatus.ADDED, message="", document_id=document.id)
        path.unlink(missing_ok=True)
        return FileReport(name=candidate.name, status=FileStatus.LEFT_OUT, message=failure)

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

    @contextlib.contextmanager
    def _staging(self) -> Iterator[Path]:
        """A hidden folder that is gone afterwards."""
        path = self.folder / f".new-{uuid.uuid4().hex[:12]}"
        with self._writing():
            path.mkdir(parents=True)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def _clean(self) -> None:
        """Deletes what killed runs left behind. Called under the lock, so that no removal is on its way."""
        for path in self.folder.glob(".gone-*"):
            path.unlink(missing_ok=True)
        for path in self.folder.glob(".new-*"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _ABANDONED:
                    shutil.rmtree(path)

    def _check_room(self, size: int) -> None:
        if shutil.disk_usage(self.folder).free < _RESERVE + size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """What the file system refuses, in our words."""
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise IndexUnwritable(
                    f"the disk that holds {self.folder} is full; nothing was changed; make room, then do it again"
                ) from error
            raise IndexUnwritable(
                f"{self.folder} cannot be written ({error.strerror or error}); nothing was changed; give this program "
                "the right to write there, or choose another place with BABELQUOTE_STORE__HOME=FOLDER"
            ) from error

    def _stored(self) -> dict[str, Path]:
        return {source.document_id: source.path for source in self._sources()}

    def _sources(self) -> list[SourceFile]:
        return _sources(self.folder)


def uploads_folder(index: Path) -> Path:
    """Where the uploads of an index lie."""
    index = index.resolve()
    return index.with_name(f"{index.name}.uploads")


def stored_uploads(index: Path) -> Uploads:
    """The uploads of an index as they are, for an update that changes none of them."""

    @contextlib.contextmanager
    def stored(_truth: Truth) -> Iterator[Sequence[SourceFile]]:
        yield _sources(uploads_folder(index))

    return stored


def safe_name(name: str) -> str:
    """A name for a file and a citation: no folders, controls or bidi marks, in NFC, not hidden, at most 180 bytes.

    >>> safe_name("C:\\\\texts\\\\..\\\\Grüße \\u202egpj.txt")
    'Grüße gpj.txt'
    """
    last = text.clean_question(name.replace("\\", "/").rpartition("/")[2]).strip(". ")
    stem, suffix = PurePosixPath(last).stem, PurePosixPath(last).suffix
    if not suffix and f".{last.lower()}" in EXTRACTORS:  # ".txt", of which the dot was taken
        stem, suffix = "", f".{last}"
    room = max(0, _NAME_BYTES - len(suffix.encode()))
    return (stem.encode()[:room].decode(errors="ignore").strip() or "document") + suffix


def _free_name(name: str, taken: set[str]) -> str:
    """The name, numbered if a document has it; `taken` holds folded ids."""
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
    number, free = 1, name
    while (PREFIX + free).casefold() in taken:
        number += 1
        free = f"{stem} ({number}){suffix}"
    return free


def _sources(folder: Path) -> list[SourceFile]:
    if not folder.is_dir():
        return []
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())
    return [
        SourceFile(document_id=PREFIX + name, path=folder / name)
        for name in names
        if PurePosixPath(name).suffix.lower() in EXTRACTORS and not text.CONTROL.search(name)
    ]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
