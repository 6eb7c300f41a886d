"""The user file and its commands: what it keeps, whom it refuses, and when there must be one."""

import json
import os
import stat
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from qa.errors import BabelquoteError, SettingsError
from qa.serve.users import Users, users_for
from qa.settings import ServeSettings, Settings, StoreSettings
from tests.conftest import CORPUS
from tests.serving import NAME, PASSWORD


def test_the_user_file_is_private_and_holds_no_password(users: Users) -> None:
    assert stat.S_IMODE(users.path.stat().st_mode) == 0o600
    (line,) = users.path.read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["name"] == NAME
    assert json.loads(line)["hash"].startswith("$argon2id$")
    assert PASSWORD not in line
    assert [path.name for path in users.path.parent.iterdir() if path.suffix != ".lock"] == ["users.jsonl"]


def test_names_and_passwords_are_the_same_however_they_are_composed(tmp_path: Path) -> None:
    users = Users(tmp_path / "users.jsonl")
    users.add("Zoe\u0308", "pa\u0308ssword")
    assert users.verify("Zoë", "pässword") == "Zoë"
    assert users.verify("Zoë", "password") is None
    assert users.verify("Zoe", "pässword") is None


def test_an_unknown_user_takes_as_long_as_a_known_one(users: Users) -> None:
    def seconds(name: str) -> float:
        times = []
        for _ in range(5):
            begun = time.perf_counter()
            users.verify(name, "wrong password")
            times.append(time.perf_counter() - begun)
        return min(times)

    seconds("warm up")
    assert 0.5 < seconds("nobody") / seconds(NAME) < 2


@pytest.mark.parametrize("name", ["", " anna", "an:na", "an\nna", "an\u202ena", "a" * 65])
def test_impossible_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BabelquoteError, match="is not a name for a user; expected 1 to 64 visible characters"):
        Users(tmp_path / "users.jsonl").add(name, PASSWORD)


@pytest.mark.parametrize("password", ["", "1234567", "a" * 1_001])
def test_too_short_and_too_long_passwords_are_refused(tmp_path: Path, password: str) -> None:
    with pytest.raises(BabelquoteError, match=r"choose one of 8 to 1,000"):
        Users(tmp_path / "users.jsonl").add("anna", password)


def test_users_added_at_the_same_time_are_all_there(tmp_path: Path) -> None:
    names = [f"user {number}" for number in range(6)]
    threads = [threading.Thread(target=Users(tmp_path / "users.jsonl").add, args=(name, PASSWORD)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Users(tmp_path / "users.jsonl").names() == names


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"name": "a"}', '{"name": "a", "hash": "plain"}', "\udcff"])
def test_a_broken_user_file_lets_nobody_in(tmp_path: Path, line: str) -> None:
    path = tmp_path / "users.jsonl"
    path.write_text(line, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(SettingsError, match=r"user file .*users\.jsonl"):
        users_for("127.0.0.1", with_users(tmp_path))


def with_users(folder: Path, **serve: object) -> Settings:
    return replace(
        Settings(),
        store=StoreSettings(home=str(folder)),
        serve=replace(ServeSettings(), **serve),  # type: ignore[arg-type]
    )


def test_a_login_is_required_as_soon_as_others_can_reach_the_server(tmp_path: Path) -> None:
    for host in ("127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"):
        assert users_for(host, with_users(tmp_path)) is None
    for host in ("0.0.0.0", "::", "192.168.1.4", "example.org"):
        with pytest.raises(SettingsError, match=r"babelquote user add NAME .*OPEN_TO_ALL=true"):
            users_for(host, with_users(tmp_path))
        assert users_for(host, with_users(tmp_path, open_to_all=True)) is None
    with pytest.raises(SettingsError, match=r"there are no users in .*mine; add one with: babelquote user add"):
        users_for("127.0.0.1", with_users(tmp_path, users=str(tmp_path / "mine")))
    Users(tmp_path / "users.jsonl").add(NAME, PASSWORD)
    for host in ("127.0.0.1", "0.0.0.0"):
        found = users_for(host, with_users(tmp_path))
        assert found is not None
        assert found.names() == [NAME]


def babelquote(*arguments: str, home: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "qa", *arguments], input=given, capture_output=True, text=True, timeout=120,
        env={**os.environ, "BABELQUOTE_STORE__HOME": str(home)},
    )  # fmt: skip


def test_users_are_kept_by_commands(tmp_path: Path) -> None:
    added = babelquote("user", "add", "anna", home=tmp_path, given="the password\n")
    assert (added.returncode, added.stdout) == (0, "")
    assert "anna may log in now" in added.stderr
    assert Users(tmp_path / "users.jsonl").verify("anna", "the password") == "anna"
    assert babelquote("user", "list", home=tmp_path).stdout == "anna\n"
    changed = babelquote("user", "add", "anna", home=tmp_path, given="another one\r\n")
    assert "anna has a new password" in changed.stderr
    assert Users(tmp_path / "users.jsonl").verify("anna", "another one") == "anna"
    unknown = babelquote("user", "remove", "bo", home=tmp_path)
    assert (unknown.returncode, "there is no user 'bo'" in unknown.stderr) == (2, True)
    assert babelquote("user", "remove", "anna", home=tmp_path).returncode == 0
    assert Users(tmp_path / "users.jsonl").names() == []


def test_the_chat_refuses_to_be_open_to_the_network_without_users(tmp_path: Path) -> None:
    refused = babelquote("chat", str(CORPUS), "--host", "0.0.0.0", home=tmp_path)
    assert refused.returncode == 2
    assert "babelquote user add NAME" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert list(tmp_path.iterdir()) == []  # it said so before it indexed anything
