"""What can go wrong, as a tree.

    BabelquoteError
    ├── SettingsError        a setting is unknown or has an impossible value
    ├── CorpusError          nothing to read, or a manifest that does not tell the truth
    ├── FileError            one file cannot be read; the others go on
    ├── QuestionError        the question cannot be asked (empty, far too long)
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


class BabelquoteError(Exception):
    """Base of everything that this package raises on purpose."""


class SettingsError(BabelquoteError):
    """A setting is unknown or has an impossible value."""


class CorpusError(BabelquoteError):
    """The corpus as a whole cannot be used."""


class FileError(BabelquoteError):
    """One file cannot be read. Indexing reports it and goes on with the others."""


class QuestionError(BabelquoteError):
    """The question cannot be asked as it stands."""


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
