"""Where indexes live, and what they were made of."""

import contextlib
import json
import os
import uuid
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from qa.disk import is_full
from qa.errors import BabelquoteError, IndexMissing, IndexUnwritable, disk_full
from qa.settings import Settings
from qa.store import Store

_NEWEST = "newest"


def index_folder(roots: Sequence[Path], settings: Settings) -> Path:
    """The folder below `store.home` where the index of these files and folders lives."""
    names = sorted(str(root.resolve()) for root in roots)
    slug = "".join(c if c.isalnum() else "-" for c in Path(names[0]).name)[:40]
    return Path(settings.store.home) / f"{slug}-{sha256(json.dumps(names).encode()).hexdigest()[:8]}"


def remember_newest(folder: Path, settings: Settings) -> None:
    """Makes this index the one that is asked where none is named, if it lies in `store.home`.

    Raises `IndexUnwritable`; the index itself is complete then.
    """
    home = Path(settings.store.home).resolve()
    if folder.resolve().parent != home:
        return
    fresh = home / f".{_NEWEST}-{uuid.uuid4().hex[:12]}"
    try:
        fresh.write_bytes(os.fsencode(folder.name))
        fresh.replace(home / _NEWEST)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        if is_full(error):
            raise disk_full(home) from error
        raise IndexUnwritable(
            f"{home} cannot be written ({error.strerror or error}); give this program the right to write there, "
            "or choose another place with BABELQUOTE_STORE__HOME=FOLDER"
        ) from error


def newest_index(settings: Settings) -> Path:
    """The folder below `store.home` that was brought up to date last, by its owner and not by an upload.

    Raises `IndexMissing` if there is none.
    """
    home = Path(settings.store.home)
    with contextlib.suppress(OSError, ValueError):
        folder = home / os.fsdecode((home / _NEWEST).read_bytes())
        if Store(folder, settings.store).truth_path.is_file():
            return folder
    built: dict[Path, datetime] = {}
    for path in home.glob("*/truth.sqlite3"):
        try:
            state = Store(path.parent, settings.store).state()
        except BabelquoteError:
            continue
        if "built" in state:
            built[path.parent] = datetime.fromisoformat(state["built"])
    if not built:
        raise IndexMissing(
            f"nothing is indexed in {home.resolve()}; run: babelquote index PATH, or name one with --index FOLDER"
        )
    return max(built, key=lambda folder: built[folder])


def roots_of(folder: Path, settings: Settings) -> list[Path]:
    """The folders and files that an index was made of. Raises `IndexMissing` if there is no index."""
    roots = [Path(root) for root in json.loads(Store(folder, settings.store).state().get("roots", "[]"))]
    if not roots:
        raise IndexMissing(f"there is no index in {folder}; make one with: babelquote index PATH")
    return roots
