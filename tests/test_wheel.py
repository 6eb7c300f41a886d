"""The built wheel serves somebody else, somewhere else."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY


def tracked(*below: str) -> set[str]:
    """The project's files."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *below], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return {name for name in listed.stdout.split("\0") if (REPOSITORY / name).is_file()}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel was installed, without its dependencies: those are here already."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # not the checkout: what an earlier build left there would be packed, too
    for name in tracked():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / name, source / name)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            str(folder),
            str(source),
        ],
        check=True,
    )
    (wheel,) = folder.glob("babelquote-*.whl")
    site = folder / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)], check=True
    )
    return site


def test_the_wheel_holds_the_package_its_data_and_the_page_and_no_more(site: Path) -> None:
    (wheel,) = site.parent.glob("babelquote-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name for name in names if ".dist-info" not in name} == tracked("qa", "app.py")
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_answers_on_somebody_elses_folder(site: Path, tmp_path: Path) -> None:
    documents = tmp_path / "papers"
    documents.mkdir()
    (documents / "ferry.txt").write_text(
        "Die Fähre nach Helgoland legt um 9:30 Uhr ab. Hunde fahren kostenlos mit.\n", encoding="utf-8"
    )
    # -S and -I would lose the dependencies; a PYTHONPATH before everything else wins over the repository.
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(site)}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "qa", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = subprocess.run(
        [sys.executable, "-c", "import qa, app; print(qa.__file__, app.__file__)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert where.count(str(site)) == 2
    assert "1 documents" in run("index", "papers")
    reply = json.loads(run("ask", "--json", "When does the ferry leave?"))
    assert reply["status"] == "answered"
    assert "9:30" in reply["quotes"][0]["text"]
    assert reply["quotes"][0]["document_id"] == "ferry.txt"
    assert "ferry.txt" in run("show")
