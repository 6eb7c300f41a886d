"""The files that visitors brought, on disk: their folder, their names, and how one comes into it or goes, whole.

Whoever changes what lies here holds the index's lock. Only copies on their way, in hidden folders, are made without.
"""

import contextlib
import errno
import os
import shutil
import stat
import time
import uuid
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from qa import text
from qa.disk import RESERVE, is_full, sync_folder
from qa.errors import FileError, IndexUnwritable
from qa.formats import EXTRACTORS
from qa.records import SourceFile

PREFIX = "uploads/"
"""Begins the id of every document that a visitor brought."""

_NAME_BYTES = 180
_ABANDONED = 24 * 3600.0
"""Seconds after which a hidden folder is that of a killed run."""


class Shelf:
    """The folder. What writes raises `IndexUnwritable` if the disk is full or read-only, and leaves nothing half."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def sources(self) -> list[SourceFile]:
        """The files, by name, of which documents are made."""
        if not self.folder.is_dir():
            return []
        files = (path for path in self.folder.iterdir() if not path.name.startswith(".") and path.is_file())
        return [
            SourceFile(document_id=PREFIX + path.name, path=path)
            for path in sorted(files)
            if path.suffix.lower() in EXTRACTORS and not text.CONTROL.search(path.name)
        ]

    def stored(self) -> dict[str, Path]:
        """Document ids to files."""
        return {source.document_id: source.path for source in self.sources()}

    @contextlib.contextmanager
    def staging(self) -> Iterator[Path]:
        """A hidden folder for copies on their way, gone afterwards."""
        path = self.folder / f".new-{uuid.uuid4().hex[:12]}"
        with self._writing():
            path.mkdir(parents=True)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def copy(self, path: Path, copy: Path, *, most_bytes: int) -> None:
        """Makes a durable copy, in a new folder of its own, that nobody else writes to. Raises `FileError` if there is
        nothing to copy or too much."""
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise FileError("cannot be read: it is not a file")
            if status.st_size > most_bytes:
                raise FileError(f"has {status.st_size:,} bytes, more than the limit of {most_bytes:,}; split it")
            original = path.open("rb")
        except OSError as error:
            raise FileError(f"cannot be read: {error.strerror or error}") from error
        with original, self._writing():
            if shutil.disk_usage(self.folder).free < RESERVE + status.st_size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            copy.parent.mkdir()
            with copy.open("xb") as file:
                shutil.copyfileobj(original, file)
                file.flush()
                os.fsync(file.fileno())

    def place(self, copy: Path, taken: Collection[str]) -> Path:
        """Moves a copy into the folder, numbered if a document has its name; `taken` are case-folded ids."""
        path = self.folder / _free_name(copy.name, taken)
        with self._writing():
            copy.rename(path)
            sync_folder(self.folder)
        return path

    @contextlib.contextmanager
    def without(self, path: Path) -> Iterator[None]:
        """Hides a file, to delete it at the end, or show it again if something fails."""
        hidden = path.with_name(f".gone-{uuid.uuid4().hex[:12]}")
        with self._writing():
            path.rename(hidden)
        try:
            yield
        except BaseException:
            hidden.rename(path)
            raise
        with self._writing():
            hidden.unlink()

    def clean(self) -> None:
        """Deletes what killed runs left hidden."""
        for path in self.folder.glob(".gone-*"):
            path.unlink(missing_ok=True)
        for path in self.folder.glob(".new-*"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _ABANDONED:
                    shutil.rmtree(path)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """What the file system refuses, in our words."""
        try:
            yield
        except OSError as error:
            if is_full(error):
                raise IndexUnwritable(
                    f"the disk that holds {self.folder} is full; nothing was changed; make room, then do it again"
                ) from error
            raise IndexUnwritable(
                f"{self.folder} cannot be written ({error.strerror or error}); nothing was changed; give this program "
                "the right to write there, or choose another place with BABELQUOTE_STORE__HOME=FOLDER"
            ) from error


def uploads_folder(index: Path) -> Path:
    """Where the uploads of an index lie."""
    index = index.resolve()
    return index.with_name(f"{index.name}.uploads")


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


def _free_name(name: str, taken: Collection[str]) -> str:
    """The name, numbered if a document has it; `taken` holds folded ids."""
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
    number, free = 1, name
    while (PREFIX + free).casefold() in taken:
        number += 1
        free = f"{stem} ({number}){suffix}"
    return free
