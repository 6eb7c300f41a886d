"""What can go wrong, as a tree.

    BabelquoteError
    ├── SettingsError        a setting is unknown or has an impossible value
    ├── CorpusError          nothing to read, or a manifest that does not tell the truth
    ├── FileError            one file cannot be read; the others go on
    │   └── FileUnavailable  … this time: what an index holds of it stays
    ├── QuestionError        the question cannot be asked (empty, far too long)
    ├── PlaceMissing         no such document, or no such stretch of it
    ├── LibraryError         an upload or a feedback entry cannot be taken or removed
    ├── Refused              a limit of the service; the same may be asked again later
    │   ├── RateExceeded     this client asks too often
    │   └── Overloaded       too many questions are waiting
    ├── ModelError           an encoder or its weights cannot be loaded
    └── StoreError           the index on disk
        ├── IndexMissing     nothing was indexed here yet
        ├── IndexStale       the index was made with other settings
        ├── IndexBusy        another process is writing
        ├── IndexBroken      what is on disk cannot be trusted, and must be rebuilt
        └── IndexUnwritable  the disk is full or read-only

Every message says what failed, the value, what was expected and what mends it. That the corpus holds no
answer is not an error: see `qa.records.Abstention`.
"""

import shlex
from pathlib import Path


def rebuild_command(index: Path) -> str:
    """What to type to bring the index in this folder up to date."""
    return f"babelquote index --index {shlex.quote(str(index))}"


class BabelquoteError(Exception):
    """Base of everything that this package raises on purpose."""


class SettingsError(BabelquoteError):
    """A setting is unknown or has an impossible value."""


class CorpusError(BabelquoteError):
    """The corpus as a whole cannot be used."""


class FileError(BabelquoteError):
    """One file cannot be read. Indexing reports it and goes on with the others."""


class FileUnavailable(FileError):
    """A file that is there could not be read this time. What an index holds of it stays."""


class QuestionError(BabelquoteError):
    """The question cannot be asked as it stands."""


class PlaceMissing(BabelquoteError):
    """There is no such document, or no such stretch of it."""


class LibraryError(BabelquoteError):
    """An upload cannot be removed, or a feedback entry not be taken, as it was asked for."""


class Refused(BabelquoteError):
    """A limit of the service, not a fault of the question: the same may be asked again after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateExceeded(Refused):
    """This client asks too often."""


class Overloaded(Refused):
    """Too many questions are waiting already."""


class ModelError(BabelquoteError):
    """An encoder or its weights cannot be loaded."""


class StoreError(BabelquoteError):
    """The index on disk cannot serve."""


class IndexMissing(StoreError):
    """There is no index where one was looked for."""


class IndexStale(StoreError):
    """The index was made with another encoder or other settings than those asked for."""


class IndexBusy(StoreError):
    """Another process is writing this index."""


class IndexBroken(StoreError):
    """The files of the index contradict each other."""


class IndexUnwritable(StoreError):
    """The index cannot be written: the disk is full, read-only, or not ours."""


def disk_full(folder: Path) -> IndexUnwritable:
    """What to say where an index has no room."""
    return IndexUnwritable(
        f"the disk that holds {folder} is full; make room, then run the same command again: nothing is lost"
    )
