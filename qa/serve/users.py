"""Who may log in: a file with one user a line, passwords hashed with Argon2id.

    {"name": "anna", "hash": "$argon2id$v=19$m=65536,t=3,p=4$…"}

Readable by its owner only, replaced in one step, read again when it changes.
"""

import json
import os
import threading
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from tempfile import NamedTemporaryFile

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from filelock import FileLock

from qa.errors import BabelquoteError, SettingsError
from qa.settings import Settings

FILE_NAME = "users.jsonl"
SHORTEST, LONGEST = 8, 1_000
"""Bounds of a password's length, in characters."""
LONGEST_NAME = 64
_COMPOSED = 4
"""Most characters that become one in normal form C."""
HASHED_AT_ONCE = 2
"""Each takes 64 MiB and tens of milliseconds."""

_hasher = PasswordHasher()
_hashing = threading.Semaphore(HASHED_AT_ONCE)


class Users:
    """A user file, which need not exist yet. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] | None = None
        self._hashes: Mapping[str, str] = {}

    def names(self) -> list[str]:
        """All users, sorted. Raises `SettingsError` if the file cannot be read or is not a user file."""
        return sorted(self._read())

    def add(self, name: str, password: str) -> bool:
        """Adds a user, or gives one a new password; whether the user is new.

        Raises `BabelquoteError` for a name or password that will not do, `SettingsError` if the file cannot be
        written.
        """
        name, password = _normal(name), _normal(password)
        if not name or len(name) > LONGEST_NAME or ":" in name or not name.isprintable() or name != name.strip():
            raise BabelquoteError(
                f"{name!r} is not a name for a user; expected 1 to {LONGEST_NAME} visible characters without a colon"
            )
        if not SHORTEST <= len(password) <= LONGEST:
            raise BabelquoteError(
                f"the password has {len(password):,} characters; choose one of {SHORTEST} to {LONGEST:,}"
            )
        with _hashing:
            hashed = _hasher.hash(password)
        with self._changing() as hashes:
            new = name not in hashes
            self._write({**hashes, name: hashed})
        return new

    def remove(self, name: str) -> None:
        """Removes a user, whose sessions end with that. Raises `BabelquoteError` if there is none of that name."""
        with self._changing() as hashes:
            if _normal(name) not in hashes:
                raise BabelquoteError(f"there is no user {name!r} in {self.path}; users: {', '.join(sorted(hashes))}")
            self._write({known: hashed for known, hashed in hashes.items() if known != _normal(name)})

    def verify(self, name: str, password: str) -> str | None:
        """The user's name if the password is right. An unknown user takes as long as a known one."""
        if too_long(name, password):
            return None
        name, password = _normal(name), _normal(password)
        hashed = self._read().get(name)
        nobody = _nobody()
        with _hashing:
            try:
                _hasher.verify(hashed or nobody, password)
            except (VerificationError, InvalidHashError):
                return None
        return name if hashed else None

    def mark(self, name: str) -> str | None:
        """Something that changes with the user's password; `None` if there is no such user."""
        hashed = self._read().get(name)
        return sha256(hashed.encode()).hexdigest()[:32] if hashed else None

    def _read(self) -> Mapping[str, str]:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise _unreadable(self.path, error) from error
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        with self._lock:
            if stamp != self._stamp:
                self._hashes, self._stamp = _parse(self.path), stamp
            return self._hashes

    @contextmanager
    def _changing(self) -> Iterator[Mapping[str, str]]:
        """What the file holds now, while no other process changes it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_name(f"{self.path.name}.lock"), mode=0o600):
                yield self._read()
        except OSError as error:
            raise SettingsError(f"cannot write the user file {self.path}: {error.strerror or error}") from error

    def _write(self, hashes: Mapping[str, str]) -> None:
        lines = (json.dumps({"name": name, "hash": hashes[name]}, ensure_ascii=False) + "\n" for name in sorted(hashes))
        # Such a file is made readable by its owner only.
        with NamedTemporaryFile("w", dir=self.path.parent, prefix=".users-", delete=False, encoding="utf-8") as file:
            try:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(self.path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise


def too_long(name: str, password: str) -> bool:
    """Whether nobody can have this name and password, told without looking at more of them than anybody's could be."""
    for text, longest in ((name, LONGEST_NAME), (password, LONGEST)):
        if len(text) > _COMPOSED * longest or len(_normal(text)) > longest:
            return True
    return False


def users_for(host: str, settings: Settings) -> Users | None:
    """Who may log in to a server that listens on `host`; `None` if everybody may use it without.

    There is a login as soon as there are users. Without them only a loopback address is served, but for
    `serve.open_to_all`. Raises `SettingsError` that says what to do.
    """
    if settings.serve.open_to_all:
        return None
    users = user_file(settings)
    if users.names():
        return users
    if settings.serve.users is not None:
        raise SettingsError(f"there are no users in {users.path}; add one with: babelquote user add NAME")
    if is_loopback(host):
        return None
    raise SettingsError(
        f"{host} is reached from other machines, and nobody can log in yet; add a user with: babelquote user add NAME "
        "(or, to let everybody in who reaches this machine: BABELQUOTE_SERVE__OPEN_TO_ALL=true)"
    )


def user_file(settings: Settings) -> Users:
    """The user file that the settings name."""
    return Users(Path(settings.serve.users) if settings.serve.users else Path(settings.store.home) / FILE_NAME)


def is_loopback(host: str) -> bool:
    """Whether an address or name to listen on is reached from this machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _parse(path: Path) -> Mapping[str, str]:
    hashes = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    for number, line in enumerate(lines, start=1):
        try:
            user = json.loads(line)
            name, hashed = user["name"], user["hash"]
            if not (isinstance(name, str) and isinstance(hashed, str) and hashed.startswith("$argon2id$")):
                raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise SettingsError(
                f"the user file {path}, line {number}, is not a user; expected a name and an Argon2id hash as "
                "babelquote user add NAME writes them"
            ) from error
        hashes[name] = hashed
    return hashes


@cache
def _nobody() -> str:
    """What the passwords of unknown users are compared with."""
    return _hasher.hash("nobody's password")


def _unreadable(path: Path, error: Exception) -> SettingsError:
    return SettingsError(f"cannot read the user file {path}: {error}")


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)
