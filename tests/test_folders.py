"""Which index is asked where none is named."""

from pathlib import Path

from tests.commands import typed
from tests.light import novel, write


def test_it_is_the_one_last_brought_up_to_date_even_if_nothing_changed(tmp_path: Path) -> None:
    for number in (1, 2):
        write(tmp_path / str(number), {f"{number}.txt": novel(number)})
    for path, shown in (("1", "1.txt"), ("2", "2.txt"), ("1", "1.txt")):
        assert typed(tmp_path, f"babelquote index {path}").returncode == 0
        assert typed(tmp_path, "babelquote show").stdout.decode().startswith(shown)
