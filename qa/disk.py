"""What several modules ask of the file system."""

import errno
import hashlib
import os
from pathlib import Path

RESERVE = 32_000_000
"""Bytes of the disk that files from outside leave to the index, which needs room even to be read."""


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes. Raises `OSError`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Makes durable which files a folder holds, under which names. Raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_full(error: OSError) -> bool:
    """Whether a disk, or somebody's share of it, has no room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
