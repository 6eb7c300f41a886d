"""Where settings come from, and what is refused."""

from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from pathlib import Path

import pytest

from qa.errors import SettingsError
from qa.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder without a settings file."""
    monkeypatch.chdir(tmp_path)


def toml(folder: Path, content: str, name: str = "babelquote.toml") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_without_file_and_environment_the_defaults_hold() -> None:
    assert load_settings(environ={}) == Settings()
    assert load_settings(environ={"PATH": "/bin", "CHUNK__MAX_TOKENS": "7", "babelquote_x": "1"}) == Settings()


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    toml(tmp_path, "[chunk]\nmax_tokens = 111\noverlap_tokens = 11\n")
    loaded = load_settings(environ={"BABELQUOTE_CHUNK__MAX_TOKENS": "222"})
    assert (loaded.chunk.max_tokens, loaded.chunk.overlap_tokens) == (222, 11)
    assert replace(loaded, chunk=Settings().chunk) == Settings()


def test_a_named_file_is_read_instead_of_the_one_in_the_working_folder(tmp_path: Path) -> None:
    toml(tmp_path, "[answer]\nquotes = 3\n")
    other = toml(tmp_path, "[answer]\nthreshold = 0.25\n", "other.toml")
    for loaded in (load_settings(file=other, environ={}), load_settings(environ={"BABELQUOTE_SETTINGS": str(other)})):
        assert (loaded.answer.threshold, loaded.answer.quotes) == (0.25, Settings().answer.quotes)
    assert load_settings(environ={"BABELQUOTE_SETTINGS": ""}).answer.quotes == 3


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot read the settings file .*nowhere\.toml"):
        load_settings(environ={"BABELQUOTE_SETTINGS": str(tmp_path / "nowhere.toml")})
    with pytest.raises(SettingsError, match="cannot read"):
        load_settings(file=tmp_path, environ={})


@pytest.mark.parametrize("content", ["[chunk\n", "= 1", "[chunk]\nmax_tokens = 1\nmax_tokens = 2\n", "\x00"])
def test_broken_toml_names_the_file(tmp_path: Path, content: str) -> None:
    toml(tmp_path, content)
    with pytest.raises(SettingsError, match=r"babelquote\.toml: "):
        load_settings(environ={})


def test_a_byte_order_mark_is_no_setting(tmp_path: Path) -> None:
    toml(tmp_path, "\ufeff[chunk]\nmax_tokens = 99\n")
    assert load_settings(environ={}).chunk.max_tokens == 99


def test_a_file_that_is_not_utf_8_names_itself(tmp_path: Path) -> None:
    (tmp_path / "babelquote.toml").write_bytes(b"[store]\nhome = '\xff\xfe'\n")
    with pytest.raises(SettingsError, match=r"babelquote\.toml"):
        load_settings(environ={})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[chunks]\nmax_tokens = 1\n", r"no section 'chunks'; sections: ingest, chunk"),
        ("[chunk]\nmax_token = 1\n", r"no setting 'max_token' in chunk; settings: max_tokens, overlap_tokens"),
        ("max_tokens = 1\n", r"'max_tokens' must stand in a section such as \[chunk\]; sections: ingest, chunk"),
        ("[chunk.max_tokens]\nvalue = 1\n", r"chunk\.max_tokens must be int"),
    ],
)
def test_an_unknown_name_in_the_file_is_an_error_that_lists_the_known(
    tmp_path: Path, content: str, message: str
) -> None:
    toml(tmp_path, content)
    with pytest.raises(SettingsError, match=message):
        load_settings(environ={})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("BABELQUOTE_CHUNKS__MAX_TOKENS", r"BABELQUOTE_CHUNKS__MAX_TOKENS: no section 'chunks'"),
        ("BABELQUOTE_CHUNK__MAX_TOKEN", r"no setting 'max_token' in chunk"),
        ("BABELQUOTE_CHUNK_MAX_TOKENS", r"BABELQUOTE_CHUNK_MAX_TOKENS is not a setting; .*two underscores"),
        ("BABELQUOTE_CHUNK__", r"no setting ''"),
    ],
)
def test_a_misspelt_variable_is_an_error_not_a_silence(name: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings(environ={name: "1"})


@pytest.mark.parametrize(
    "line",
    [
        "chunk.max_tokens = 1.5",
        "chunk.max_tokens = true",
        "chunk.max_tokens = [1]",
        "chunk.max_tokens = 1979-05-27",
        "answer.threshold = false",
        'encoder.projection = "perhaps"',
        "encoder.projection = 1",
        "encoder.model = 5",
        "store.home = {}",
    ],
)
def test_a_value_of_the_wrong_type_names_setting_and_type(tmp_path: Path, line: str) -> None:
    toml(tmp_path, line + "\n")
    with pytest.raises(SettingsError, match=line.split(" ")[0] + r" must be (int|float|bool|str), not "):
        load_settings(environ={})


@pytest.mark.parametrize("text", ["", "many", "1.5", "1e3", "0x10", "9" * 5_000])
def test_text_that_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"chunk\.max_tokens must be int"):
        load_settings(environ={"BABELQUOTE_CHUNK__MAX_TOKENS": text})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHUNK__MAX_TOKENS", "-1"),
        ("CHUNK__MAX_TOKENS", "0"),
        ("CHUNK__OVERLAP_TOKENS", "-1"),
        ("RETRIEVE__PASSAGES", "0"),
        ("ANSWER__QUOTES", "0"),
        ("STORE__LOCK_SECONDS", "-0.5"),
        ("STORE__LOCK_SECONDS", "nan"),
        ("SERVE__WAIT_SECONDS", "inf"),
        ("ANSWER__THRESHOLD", "1.01"),
        ("ANSWER__THRESHOLD", "inf"),
        ("CHAT__PORT", "65536"),
    ],
)
def test_a_number_that_cannot_be_meant_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"BABELQUOTE_{name}.* must lie between .*'{value}'"):
        load_settings(environ={f"BABELQUOTE_{name}": value})


def test_a_number_too_large_for_a_float_is_refused(tmp_path: Path) -> None:
    toml(tmp_path, f"[store]\nlock_seconds = {'9' * 400}\n")
    with pytest.raises(SettingsError, match=r"store\.lock_seconds must be float"):
        load_settings(environ={})


def test_text_of_the_environment_becomes_the_setting_s_type() -> None:
    loaded = load_settings(
        environ={
            "BABELQUOTE_ENCODER__PROJECTION": "False",
            "BABELQUOTE_ANSWER__THRESHOLD": "1",
            "BABELQUOTE_CHUNK__OVERLAP_TOKENS": "0",
            "BABELQUOTE_STORE__HOME": "/ü/ 家",
            "BABELQUOTE_STORE__CHROMA_URL": "http://127.0.0.1:8000",
        }
    )
    assert loaded.encoder.projection is False
    assert (type(loaded.answer.threshold), loaded.answer.threshold) == (float, 1.0)
    assert loaded.chunk.overlap_tokens == 0
    assert (loaded.store.home, loaded.store.chroma_url) == ("/ü/ 家", "http://127.0.0.1:8000")
    assert load_settings(environ={"BABELQUOTE_STORE__CHROMA_URL": ""}).store.chroma_url is None


def test_a_whole_number_in_the_file_will_do_for_a_float(tmp_path: Path) -> None:
    toml(tmp_path, "[store]\nlock_seconds = 5\n")
    assert type(load_settings(environ={}).store.lock_seconds) is float


def test_settings_are_frozen_and_slotted() -> None:
    settings = Settings()
    for item in fields(settings):
        section = getattr(settings, item.name)
        assert is_dataclass(section)
        for name in [field.name for field in fields(section)]:
            with pytest.raises(FrozenInstanceError):
                setattr(section, name, None)
        assert not hasattr(section, "__dict__")
    with pytest.raises(FrozenInstanceError):
        settings.chunk = settings.chunk  # type: ignore[misc]


def test_every_setting_can_be_set_by_its_own_default() -> None:
    settings = Settings()
    environ = {
        f"BABELQUOTE_{section.name}__{item.name}".upper(): str(value)
        for section in fields(settings)
        for item in fields(getattr(settings, section.name))
        if (value := getattr(getattr(settings, section.name), item.name)) is not None
    }
    assert len(environ) > 10
    assert load_settings(environ=environ) == settings
