"""Which index is asked where none is named."""

from pathlib import Path

from tests.commands import typed
from tests.disks import in_namespace
from tests.light import novel, write


def test_it_is_the_one_last_brought_up_to_date_even_if_nothing_changed(tmp_path: Path) -> None:
    for number in (1, 2):
        write(tmp_path / str(number), {f"{number}.txt": novel(number)})
    for path, shown in (("1", "1.txt"), ("2", "2.txt"), ("1", "1.txt")):
        assert typed(tmp_path, f"babelquote index {path}").returncode == 0
        assert typed(tmp_path, "babelquote show").stdout.decode().startswith(shown)


SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path
from qa.errors import IndexUnwritable
from qa.folders import remember_newest
from qa.settings import Settings, StoreSettings
from tests.disks import fill

home = Path(sys.argv[1])
settings = replace(Settings(), store=StoreSettings(home=str(home)))
remember_newest(home / "one", settings)
fill(home / "full")
try:
    remember_newest(home / "two", settings)
except IndexUnwritable as error:
    print(error)
(home / "full").unlink()
print([path.name for path in home.iterdir()], (home / "newest").read_text())
remember_newest(home / "caf\\udce9", settings)
print((home / "newest").read_bytes())
"""


def test_a_home_without_room_for_a_name_is_named_and_keeps_the_one_before(tmp_path: Path) -> None:
    mounted = 'mount -t tmpfs -o size=64k,mode=700 tmpfs "$1"; "$PYTHON" -c "$2" "$1"'
    done = in_namespace(mounted, tmp_path, SCRIPT)
    assert done.returncode == 0, done.stderr
    said, kept, odd = done.stdout.splitlines()
    assert f"the disk that holds {tmp_path} is full" in said
    assert (kept, odd) == ("['newest'] one", r"b'caf\xe9'")
