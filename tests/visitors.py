"""Files as visitors bring them, and what they are told."""

import random
from collections.abc import Mapping
from pathlib import Path

from qa.records import FileReport, FileStatus

ADDED, ALREADY_THERE, LEFT_OUT = FileStatus.ADDED, FileStatus.ALREADY_THERE, FileStatus.LEFT_OUT


def brought(folder: Path, files: Mapping[str, str | bytes]) -> list[tuple[str, Path]]:
    """Files as a web server hands them over: under names of its own."""
    folder.mkdir(exist_ok=True)
    paths = []
    for number, (name, content) in enumerate(files.items()):
        path = folder / f"{random.Random(name + str(content)).getrandbits(60):x}-{number}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        paths.append((name, path))
    return paths


def statuses(reports: list[FileReport]) -> list[FileStatus]:
    return [report.status for report in reports]
