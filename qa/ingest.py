"""Files to documents. Knows which files belong to a corpus, what a manifest vouches for, and how bytes become text.

A corpus is a file, a folder, or several of them. A folder may hold a `manifest.json`; then exactly the files
it lists are the corpus, and each must have the bytes (sha256) that the manifest says.
"""

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from qa import disk, text
from qa.errors import CorpusError, FileError, FileUnavailable
from qa.formats import EXTRACTORS, SUFFIXES, Extract
from qa.records import Document, Problem, SourceFile
from qa.settings import IngestSettings

MANIFEST = "manifest.json"
_REQUIRED = {"id", "path", "sha256"}
_OPTIONAL = {"title", "language", "source", "date", "machine_translated"}
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_TITLE_LENGTH = 120


def find_sources(roots: Sequence[Path]) -> tuple[list[SourceFile], list[Problem]]:
    """The files of a corpus in a stable order, and those that lie there but cannot be used.

    Document ids come from the manifest, else they are the path below the common folder of all roots. Hidden files
    and folders are passed over. Raises `CorpusError` if a root does not exist, if a manifest does not tell
    the truth, or if two files claim one id.
    """
    sources: list[SourceFile] = []
    problems: list[Problem] = []
    check_roots(roots)
    resolved = [root.resolve() for root in roots]
    base = Path(os.path.commonpath([root if root.is_dir() else root.parent for root in resolved]))
    for root in resolved:
        if (root / MANIFEST).is_file():
            sources.extend(_from_manifest(root))
            listed = {source.path for source in sources}
            problems.extend(
                Problem(str(path), f"not listed in {MANIFEST}, so left out; add an entry, or move the file away")
                for path in _walk(root, resolved, problems)
                if path.suffix.lower() in EXTRACTORS and path not in listed and path.stem.lower() != "readme"
            )
            continue
        for path in _walk(root, resolved, problems) if root.is_dir() else [root]:
            document_id = path.relative_to(base).as_posix()
            if path.suffix.lower() not in EXTRACTORS:
                found, known = path.suffix or "a file without suffix", ", ".join(SUFFIXES)
                problems.append(Problem(str(path), f"{found} is not supported; known: {known}"))
            elif not _is_name(document_id):
                problems.append(Problem(str(path), "its name holds characters that cannot be shown; rename it"))
            else:
                sources.append(SourceFile(document_id=document_id, path=path))
    seen: dict[str, Path] = {}
    for source in sources:
        other = seen.setdefault(source.document_id, source.path)
        if other != source.path:
            raise CorpusError(f"{other} and {source.path} both have the id {source.document_id!r}; rename one")
    unique: dict[Path, SourceFile] = {}
    for source in sorted(sources, key=lambda source: (source.sha256 is None, source.document_id)):
        unique.setdefault(source.path, source)  # named twice: what a manifest says of it counts
    return sorted(unique.values(), key=lambda source: source.document_id), problems


def check_roots(roots: Sequence[Path]) -> None:
    """Raises `CorpusError` if a root does not exist."""
    for root in roots:
        if not root.exists():
            raise CorpusError(f"{root} does not exist; name a folder or a file that does")


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes. Raises `FileError` if it cannot be read."""
    try:
        _size(path)
        return disk.sha256_of(path)
    except OSError as error:
        raise _unread(error) from error


def read_document(source: SourceFile, settings: IngestSettings) -> Document:
    """The document in a file: text extracted, normalised, its language told.

    Raises `FileError` if the file is missing, empty, too large, binary, or in an encoding that cannot be told.
    """
    try:
        size = _size(source.path)
        if size > settings.max_file_bytes:
            raise FileError(
                f"has {size:,} bytes, more than the limit of {settings.max_file_bytes:,}; split it, "
                "or raise BABELQUOTE_INGEST__MAX_FILE_BYTES"
            )
        data = source.path.read_bytes()
    except OSError as error:
        raise _unread(error) from error
    extract = _extract(source.path.suffix.lower(), data)
    # Parts meet at a line end, so that normalising each is normalising the whole.
    parts = [text.normalise(part) for part in extract.parts]
    normal = "\n".join(parts)
    if not normal.strip():
        raise FileError("holds no text; remove it, or put text into it")
    return Document(
        id=source.document_id,
        title=source.title or _shortened(extract.title or "") or _title(normal) or source.path.name,
        source=source.source or source.path.name,
        language=source.language or text.language_of(normal),
        text=normal,
        pages=tuple(accumulate((len(part) + 1 for part in parts[:-1]), initial=0)) if extract.paged else (),
        date=source.date or extract.date,
        machine_translated=source.machine_translated,
        path=str(source.path),
        sha256=hashlib.sha256(data).hexdigest(),
        warning=extract.warning,
    )


def _extract(suffix: str, data: bytes) -> Extract:
    """What the file says. Parsers raise whatever they like for a file that somebody damaged on purpose."""
    try:
        return EXTRACTORS[suffix](data)
    except FileError:
        raise
    except MemoryError as error:
        raise FileError("needs more memory to read than there is; split it") from error
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"[:200]
        raise FileError(f"cannot be read as {suffix} ({problem}); save it anew") from error


def _unread(error: OSError) -> FileError:
    """Who may not read a file, or whose disk does not answer, is not told that it is gone."""
    kind = FileError if isinstance(error, FileNotFoundError) else FileUnavailable
    return kind(f"cannot be read: {error.strerror or error}")


def _size(path: Path) -> int:
    """Bytes of a file. Raises `FileError` for what is none: a pipe would be waited for without end."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise FileError("cannot be read: it is not a file")
    return status.st_size


def _title(normal: str) -> str:
    """The first line that states something, without Markdown's marks, cut between words; "" if there is none."""
    for line in text.lines(normal):
        if not text.is_boilerplate(title := normal[slice(*line)].strip("# ")):
            return _shortened(title)
    return ""


def _shortened(title: str) -> str:
    cut = title[:_TITLE_LENGTH]
    return title if title == cut else (cut.rpartition(" ")[0] or cut) + " …"


def _is_name(name: str) -> bool:
    """Whether a name can stand in a citation: no controls, nothing that reorders it, no bytes that are not UTF-8."""
    return bool(name.strip()) and not text.CONTROL.search(name)


def _walk(root: Path, roots: Sequence[Path], problems: list[Problem]) -> Iterator[Path]:
    """Files below a folder, sorted, without the hidden ones. Folders that cannot be read are added to the problems, and
    links to folders, which are not followed, unless what they lead to is found below one of the roots."""

    def unread(error: OSError) -> None:
        message = f"the folder cannot be read: {error.strerror or error}; what an index holds of it stays"
        problems.append(Problem(str(error.filename), message, folder=True))

    for folder, folders, files in os.walk(root, onerror=unread):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(folder, name) for name in folders):
            if path.is_symlink() and not any(_holds(each, path.resolve()) for each in roots):
                message = "a link to a folder is not followed; name that folder beside this one, or copy it in"
                problems.append(Problem(str(path), message))
        for name in sorted(files):
            path = Path(folder, name)
            if not name.startswith(".") and path != root / MANIFEST:
                yield path


def _holds(root: Path, folder: Path) -> bool:
    """Whether a folder is the root or lies below it, and not below a hidden folder there."""
    return folder.is_relative_to(root) and not any(part.startswith(".") for part in folder.relative_to(root).parts)


def _from_manifest(root: Path) -> Iterator[SourceFile]:
    path = root / MANIFEST
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["documents"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CorpusError(f'{path} is not a manifest: expected {{"documents": […]}} in UTF-8 ({error!r})') from error
    if not isinstance(entries, list):
        raise CorpusError(f'{path}: "documents" must be a list, not {entries!r:.60}')
    ids: set[str] = set()
    files: set[Path] = set()
    for number, entry in enumerate(entries, start=1):
        where = f"{path}, document {number}"
        source = _manifest_entry(root, entry, where=where)
        if source.document_id in ids:
            raise CorpusError(f"{where}: the id {source.document_id!r} is used twice; give one of the two another")
        if source.path in files:
            raise CorpusError(f"{where}: {entry['path']} is listed twice; remove one of the two entries")
        ids.add(source.document_id)
        files.add(source.path)
        yield source


def _manifest_entry(root: Path, entry: Any, *, where: str) -> SourceFile:
    if not isinstance(entry, dict) or not entry.keys() >= _REQUIRED or not entry.keys() <= _REQUIRED | _OPTIONAL:
        needed, allowed = ", ".join(sorted(_REQUIRED)), ", ".join(sorted(_OPTIONAL))
        raise CorpusError(f"{where}: an entry has {needed}, may have {allowed}, and nothing else")
    for key, value in entry.items():
        if not _is_possible(key, value):
            expected = {"machine_translated": "true or false", "language": "a code such as en or de"}.get(key, "text")
            raise CorpusError(f"{where}: {key} is {value!r}; expected {expected}")
    file = (root / entry["path"]).resolve()
    if not file.is_relative_to(root):
        raise CorpusError(f"{where}: {entry['path']} lies outside the corpus folder")
    if file.suffix.lower() not in EXTRACTORS:
        raise CorpusError(f"{where}: {entry['path']}: known formats are {', '.join(SUFFIXES)}")
    try:
        digest = sha256_of(file)
    except FileError as error:
        raise CorpusError(f"{where}: {entry['path']} {error}; restore the file or remove the entry") from error
    if digest != entry["sha256"].lower():
        raise CorpusError(
            f"{where}: {entry['path']} is not the file that the manifest vouches for: sha256 is {digest}, the "
            f"manifest says {entry['sha256']}; restore the file, or correct the entry if the change was meant"
        )
    rest = {key: entry.get(key) for key in _OPTIONAL}
    return SourceFile(document_id=entry["id"], path=file, sha256=digest, **rest)


def _is_possible(key: str, value: object) -> bool:
    if key in _OPTIONAL and value is None:
        return True
    if key == "machine_translated":
        return isinstance(value, bool)
    if not isinstance(value, str) or _SURROGATE.search(value):
        return False
    return _LANGUAGE.fullmatch(value) is not None if key == "language" else key in _OPTIONAL or _is_name(value)
