"""Files to documents. Knows which files belong to a corpus, what a manifest vouches for, and how bytes become text.

A corpus is a file, a folder, or several of them. A folder may hold a `manifest.json`; then exactly the files
it lists are the corpus, and each must have the bytes (sha256) that the manifest says.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from charset_normalizer import from_bytes

from qa import text
from qa.errors import CorpusError, FileError
from qa.records import Document, Problem, SourceFile
from qa.settings import IngestSettings

MANIFEST = "manifest.json"
_REQUIRED = {"id", "path", "sha256"}
_OPTIONAL = {"title", "language", "source", "date", "machine_translated"}
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"),
         (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))  # fmt: skip


def extract_plain(data: bytes) -> str:
    """Text of a .txt or .md file; Markdown is quoted as it is written.

    UTF-8 unless a byte order mark or the bytes themselves say otherwise. Raises `FileError` for binary data and
    for bytes whose encoding cannot be told, since a wrong guess would end up inside a quote.
    """
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), None)
    if encoding is None and b"\0" in data:
        raise FileError("this is binary data, not text; save it as text, or remove it from the corpus")
    try:
        return data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        guess = None if encoding else from_bytes(data).best()
        # Below 200 bytes, or without the letter statistics of some language, a guess is a coin toss.
        if guess is None or len(data) < 200 or guess.coherence < 0.2:
            raise FileError(
                f"its text encoding cannot be told (not UTF-8: byte {error.start} is {data[error.start]:#04x}); "
                "save it as UTF-8, for example with: iconv -f WINDOWS-1252 -t UTF-8"
            ) from error
        return str(guess)


EXTRACTORS: dict[str, Callable[[bytes], str]] = {".txt": extract_plain, ".md": extract_plain}
"""File suffix (lower case, with dot) to the function that turns the file's bytes into text. A new format is a new line."""


def find_sources(roots: Sequence[Path]) -> tuple[list[SourceFile], list[Problem]]:
    """The files of a corpus in a stable order, and those that lie there but cannot be used.

    Document ids come from the manifest, else they are the path below the common folder of all roots. Hidden files
    and folders are passed over. Raises `CorpusError` if a root does not exist, if a manifest does not tell
    the truth, or if two files claim one id.
    """
    sources: list[SourceFile] = []
    problems: list[Problem] = []
    for root in roots:
        if not root.exists():
            raise CorpusError(f"{root} does not exist; name a folder or a file that does")
    resolved = [root.resolve() for root in roots]
    base = Path(os.path.commonpath([root if root.is_dir() else root.parent for root in resolved]))
    for root in resolved:
        if (root / MANIFEST).is_file():
            sources.extend(_from_manifest(root))
            listed = {source.path for source in sources}
            problems.extend(
                Problem(str(path), f"not listed in {MANIFEST}, so left out; add an entry, or move the file away")
                for path in _walk(root)
                if path.suffix.lower() in EXTRACTORS and path not in listed and path.stem.lower() != "readme"
            )
            continue
        for path in _walk(root) if root.is_dir() else [root]:
            if path.suffix.lower() not in EXTRACTORS:
                known = ", ".join(sorted(EXTRACTORS))
                problems.append(
                    Problem(
                        str(path),
                        f"{path.suffix or 'a file without suffix'} is not supported; known: {known}",
                    )
                )
                continue
            sources.append(SourceFile(document_id=path.relative_to(base).as_posix(), path=path))
    seen: dict[str, Path] = {}
    for source in sources:
        other = seen.setdefault(source.document_id, source.path)
        if other != source.path:
            raise CorpusError(f"{other} and {source.path} both have the id {source.document_id!r}; rename one")
    unique = {source.path: source for source in sources}
    return sorted(unique.values(), key=lambda source: source.document_id), problems


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes. Raises `FileError` if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileError(f"cannot be read: {error.strerror or error}") from error


def read_document(source: SourceFile, settings: IngestSettings) -> Document:
    """The document in a file: text extracted, normalised, its language told.

    Raises `FileError` if the file is missing, empty, too large, binary, or in an encoding that cannot be told.
    """
    try:
        size = source.path.stat().st_size
        if size > settings.max_file_bytes:
            raise FileError(
                f"has {size:,} bytes, more than the limit of {settings.max_file_bytes:,}; split it, "
                "or raise BABELQUOTE_INGEST__MAX_FILE_BYTES"
            )
        data = source.path.read_bytes()
    except OSError as error:
        raise FileError(f"cannot be read: {error.strerror or error}") from error
    normal = text.normalise(EXTRACTORS[source.path.suffix.lower()](data))
    if not normal.strip():
        raise FileError("holds no text; remove it, or put text into it")
    first = next(text.lines(normal))
    return Document(
        id=source.document_id,
        title=source.title or normal[first.start : min(first.end, first.start + 120)].lstrip("# "),
        source=source.source or source.path.name,
        language=source.language or text.language_of(normal),
        text=normal,
        date=source.date,
        machine_translated=source.machine_translated,
        path=str(source.path),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _walk(root: Path) -> Iterator[Path]:
    """Files below a folder, sorted, without the hidden ones; links to folders are not followed."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if not name.startswith(".") and path != root / MANIFEST:
                yield path


def _from_manifest(root: Path) -> Iterator[SourceFile]:
    path = root / MANIFEST
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["documents"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorpusError(f'{path} is not a manifest: expected {{"documents": […]}} in UTF-8 ({error!r})') from error
    if not isinstance(entries, list):
        raise CorpusError(f'{path}: "documents" must be a list')
    ids = set()
    for number, entry in enumerate(entries, start=1):
        source = _manifest_entry(root, entry, where=f"{path}, document {number}")
        if source.document_id in ids:
            raise CorpusError(f"{path}, document {number}: the id {source.document_id!r} is used twice")
        ids.add(source.document_id)
        yield source


def _manifest_entry(root: Path, entry: Any, *, where: str) -> SourceFile:
    if not isinstance(entry, dict) or not entry.keys() >= _REQUIRED or not entry.keys() <= _REQUIRED | _OPTIONAL:
        needed, allowed = ", ".join(sorted(_REQUIRED)), ", ".join(sorted(_OPTIONAL))
        raise CorpusError(f"{where}: an entry has {needed}, may have {allowed}, and nothing else")
    for key, value in entry.items():
        if not isinstance(value, bool if key == "machine_translated" else str) and value is not None:
            raise CorpusError(f"{where}: {key} has an impossible value, {value!r}")
    file = (root / entry["path"]).resolve()
    if not file.is_relative_to(root):
        raise CorpusError(f"{where}: {entry['path']} lies outside the corpus folder")
    if file.suffix.lower() not in EXTRACTORS:
        raise CorpusError(f"{where}: {entry['path']}: known formats are {', '.join(sorted(EXTRACTORS))}")
    try:
        digest = sha256_of(file)
    except FileError as error:
        raise CorpusError(f"{where}: {entry['path']} {error}; restore the file or remove the entry") from error
    if digest != entry["sha256"]:
        raise CorpusError(
            f"{where}: {entry['path']} is not the file that the manifest vouches for: sha256 is {digest}, the "
            f"manifest says {entry['sha256']}; restore the file, or correct the entry if the change was meant"
        )
    rest = {key: entry.get(key) for key in _OPTIONAL}
    return SourceFile(document_id=entry["id"], path=file, sha256=digest, **rest)
