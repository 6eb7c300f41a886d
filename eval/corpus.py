"""The corpus of an evaluation: its documents as they are on disk now, and the index that is asked."""

from pathlib import Path

from qa.errors import BabelquoteError
from qa.folders import index_folder
from qa.ingest import find_sources, read_document
from qa.records import Document
from qa.settings import Settings


def read_documents(corpus: Path, settings: Settings) -> list[Document]:
    """The corpus as it is on disk now; files that cannot be read are left out, as they are when indexing."""
    documents = []
    for source in find_sources([corpus])[0]:
        try:
            documents.append(read_document(source, settings.ingest))
        except BabelquoteError:
            continue
    return documents


def index_of(corpus: Path, settings: Settings, variant: str = "") -> Path:
    """The folder of an index of the corpus alone, where `babelquote` does not look by itself: the usual one may hold
    what visitors brought. `variant` tells one that is made otherwise apart."""
    usual = index_folder([corpus], settings)
    return usual.parent / "eval" / f"{usual.name}{variant}"
