"""Disks that are full or cannot be written: small ones of a test's own, gone when it ends."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY


def in_namespace(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs bash where it may mount: in a namespace of its own, whose mounts vanish with it."""
    for unshare in (["unshare", "-rm"], ["unshare", "-m"]):
        if shutil.which("unshare") and subprocess.run([*unshare, "true"], capture_output=True).returncode == 0:
            environment = {**os.environ, "PYTHON": sys.executable}
            return subprocess.run(
                [*unshare, "bash", "-euc", script, "bash", *map(str, arguments)],
                capture_output=True, text=True, cwd=REPOSITORY, env=environment,
            )  # fmt: skip
    pytest.fail(
        "this test mounts a small disk and a read-only folder, and needs `unshare` (util-linux) with user namespaces "
        "(sysctl kernel.unprivileged_userns_clone=1), or root with CAP_SYS_ADMIN (docker run --cap-add SYS_ADMIN)"
    )


def fill(path: Path) -> None:
    """Makes a file that takes what room its disk has left."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
