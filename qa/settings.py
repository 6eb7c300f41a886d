"""Every setting, one frozen section per stage; the only place that reads the environment or TOML.

Whole numbers are at least 1, others at least 0, where a field's metadata does not say otherwise.

Precedence: environment (`BABELQUOTE_CHUNK__MAX_TOKENS=200`), then `babelquote.toml` in the working folder (or
the file named by `BABELQUOTE_SETTINGS`), then the defaults below. An unknown key is an error, because a
misspelt setting that is silently ignored is worse than none.

>>> load_settings(environ={"BABELQUOTE_RETRIEVE__PASSAGES": "8"}).retrieve.passages
8
"""

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from qa.errors import SettingsError

PREFIX = "BABELQUOTE_"
FILE_NAME = "babelquote.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings:
    """`max_file_bytes`: larger files are reported and left out."""

    max_file_bytes: int = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkSettings:
    """Budgets in cl100k_base tokens (tiktoken). The encoder's own limit is kept besides, see `qa.chunk`."""

    max_tokens: int = 64
    overlap_tokens: int = field(default=16, metadata={"least": 0})


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSettings:
    """`model`: "multilingual-e5-small" is the embedded one; anything else is given to sentence-transformers.

    `projection` removes the language directions from the embedded model's space, `layers` adds what training across
    languages changed in its upper layers (docs/retriever.md).
    `batch_tokens`: padded tokens per batch; bounds memory.
    """

    model: str = "multilingual-e5-small"
    projection: bool = True
    layers: bool = True
    batch_tokens: int = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """`home`: folder that holds the indexes. `chroma_url`: a running Chroma server instead of local folders.

    `lock_seconds`: how long a writer waits for another one before it raises `IndexBusy`.
    """

    home: str = ".babelquote"
    chroma_url: str | None = None
    lock_seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieveSettings:
    """`candidates` come from each leg, dense and lexical; `passages` go on to the reader.

    `same_fact`: cosine from which on two texts of different documents state the same fact: such passages are grouped,
    and a sentence corroborates that has it with the mean of the quote and what corroborated before; more than 1 does
    neither. It belongs to the embedded encoder; other models need others.
    `lexical_weight`: of the BM25 share beside the cosine; 0 turns the lexical leg off. A question of more than
    `max_question_chars` is refused.
    """

    candidates: int = 50
    passages: int = 15
    lexical_weight: float = 0.04
    same_fact: float = 0.7
    max_question_chars: int = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSettings:
    """`threshold`: an answer less probable than this becomes an abstention. `quotes`: most quotes shown."""

    threshold: float = field(default=0.35, metadata={"most": 1})
    quotes: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueSettings:
    """`earlier`: so many of a conversation's last questions are looked at; older ones are left aside."""

    earlier: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """Where the page listens. Any host but a loopback address shows your documents to the network."""

    host: str = "127.0.0.1"
    port: int = field(default=7860, metadata={"least": 0, "most": 65_535})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """The walls around page, REST and MCP; see docs/api.md.

    `parallel` questions are answered at once, `waiting` more may wait, each for at most `wait_seconds`. A client (a
    user, or without login an address) may ask `rate_per_minute` questions, `burst` of them at once.
    `users`: the user file; `None` is `users.jsonl` in `store.home`, if there is one. `open_to_all` serves other
    addresses than loopback without login. `hosts`: more names that this server goes by, separated by commas.
    `proxy`: the address of a reverse proxy whose X-Forwarded-For and -Proto are believed. `max_body_bytes`: of one
    request to REST or MCP; `max_shown_chars`: of a document's text in one response; `session_hours`: how long a browser
    stays logged in.
    """

    parallel: int = 2
    waiting: int = 16
    wait_seconds: float = 60.0
    rate_per_minute: float = field(default=60.0, metadata={"least": 0.01})
    burst: int = 20
    max_body_bytes: int = 1_000_000
    max_shown_chars: int = 100_000
    users: str | None = None
    open_to_all: bool = False
    session_hours: float = field(default=12.0, metadata={"least": 0.01})
    hosts: str = ""
    proxy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadSettings:
    """What visitors may bring. What lies beyond is left out, with the reason.

    `max_files`: in one go. `max_file_bytes`: of one file; `max_total_bytes`: of all that are kept. `max_pages`,
    `max_chars` and `max_line_chars` (the longest line) are of one document's text. A file is read in a process of its
    own, for at most `read_seconds` and with `read_memory_bytes` of address space.
    """

    max_files: int = 20
    max_file_bytes: int = 20_000_000
    max_total_bytes: int = 1_000_000_000
    max_pages: int = 2_000
    max_chars: int = 2_000_000
    max_line_chars: int = 200_000
    read_seconds: float = field(default=30.0, metadata={"least": 0.1})
    read_memory_bytes: int = field(default=2_000_000_000, metadata={"least": 500_000_000})


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackSettings:
    """`max_entry_bytes` and `max_bytes` bound one entry and the whole file."""

    max_entry_bytes: int = 200_000
    max_bytes: int = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All sections."""

    ingest: IngestSettings = field(default_factory=IngestSettings)
    chunk: ChunkSettings = field(default_factory=ChunkSettings)
    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    retrieve: RetrieveSettings = field(default_factory=RetrieveSettings)
    answer: AnswerSettings = field(default_factory=AnswerSettings)
    dialogue: DialogueSettings = field(default_factory=DialogueSettings)
    chat: ChatSettings = field(default_factory=ChatSettings)
    uploads: UploadSettings = field(default_factory=UploadSettings)
    feedback: FeedbackSettings = field(default_factory=FeedbackSettings)
    serve: ServeSettings = field(default_factory=ServeSettings)


def load_settings(*, file: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from file and environment over the defaults.

    Raises `SettingsError` for an unreadable file, an unknown section or key, or a value of the wrong type.
    """
    named = file or (Path(name) if (name := environ.get(f"{PREFIX}SETTINGS")) else None)
    path = named or Path(FILE_NAME)
    table: dict[str, Any] = {}
    if named or path.is_file():
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            raise SettingsError(f"cannot read the settings file {path}: {error}") from error
    settings = Settings()
    for section, values in table.items():
        if not isinstance(values, dict):
            raise SettingsError(
                f"{path}: {section!r} must stand in a section such as [chunk]; sections: {', '.join(_names(settings))}"
            )
        for key, value in values.items():
            settings = _set(settings, section, key, value, origin=str(path))
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name == f"{PREFIX}SETTINGS":
            continue
        section, separator, key = name.removeprefix(PREFIX).lower().partition("__")
        if not separator:
            raise SettingsError(f"{name} is not a setting; expected {PREFIX}SECTION__KEY, with two underscores between")
        settings = _set(settings, section, key, text, origin=name)
    return settings


def _set(settings: Settings, section: str, key: str, value: object, *, origin: str) -> Settings:
    if section not in _names(settings):
        raise SettingsError(f"{origin}: no section {section!r}; sections: {', '.join(_names(settings))}")
    part = getattr(settings, section)
    if key not in _names(part):
        raise SettingsError(f"{origin}: no setting {key!r} in {section}; settings: {', '.join(_names(part))}")
    name = f"{origin}: {section}.{key}"
    converted = _coerce(value, get_type_hints(type(part))[key], name)
    if isinstance(converted, int | float) and not isinstance(converted, bool):
        limits = next(item.metadata for item in fields(part) if item.name == key)
        least, most = limits.get("least", int(isinstance(converted, int))), limits.get("most", math.inf)
        if not least <= converted <= most or converted == math.inf:
            raise SettingsError(f"{name} must lie between {least} and {most}, but is {value!r}")
    return replace(settings, **{section: replace(part, **{key: converted})})


def _coerce(value: object, wanted: Any, name: str) -> object:
    """The value as the wanted type. Only text (from the environment) is converted; TOML is typed already."""
    options = get_args(wanted) or (wanted,)
    if type(None) in options and value in (None, ""):
        return None
    kind = next(option for option in options if option is not type(None))
    if isinstance(value, str) and kind is bool and value.lower() in ("true", "false", "1", "0"):
        return value.lower() in ("true", "1")
    is_text, is_whole = isinstance(value, str) and kind is not bool, type(value) is int and kind is float
    try:
        converted = kind(value) if is_text or is_whole else value
    except (ValueError, OverflowError):
        converted = None
    if type(converted) is not kind:
        raise SettingsError(f"{name} must be {kind.__name__}, not {value!r}")
    return converted


def _names(section: Any) -> list[str]:
    return [item.name for item in fields(section)]
