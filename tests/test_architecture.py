"""The order of the house: who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

QA = Path(__file__).parents[1] / "qa"
BASE = {"records", "errors", "text", "settings"}
"""What every stage may import."""
ALLOWED = {
    "records": set(),
    "errors": set(),
    "text": {"records"},
    "settings": {"errors"},
    "weights": {"errors"},
    "embed": BASE | {"weights"},
    "vectors": BASE,
    "truth": BASE,
    "store": BASE | {"truth", "vectors"},
    "index": BASE | {"store"},
    "read": BASE | {"embed"},
    "render": BASE,
    "__main__": BASE | {"bot", "render", "store"},
    "__init__": BASE | {"bot"},
    **dict.fromkeys(("ingest", "chunk", "retrieve", "answer"), BASE),
}
ONE_HOME = {"chromadb": {"vectors"}, "sqlite3": {"truth", "store"}, "torch": {"weights"}, "transformers": {"weights"},
            "sentence_transformers": {"weights", "embed"}, "typer": {"__main__"}, "tiktoken": {"chunk"}}  # fmt: skip


def imports(path: Path) -> set[str]:
    """Names of modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
            if node.module == "qa":
                found |= {f"qa.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", sorted(QA.glob("*.py")), ids=lambda path: path.stem)
def test_modules_import_only_what_stands_before_them(path: Path) -> None:
    ours = {name.split(".")[1] for name in imports(path) if name.startswith("qa.")}
    if path.stem != "bot":  # the composition knows all
        assert ours <= ALLOWED[path.stem]
    theirs = {name.split(".")[0] for name in imports(path)}
    assert not theirs & {"eval", "app", "gradio"}
    for library, homes in ONE_HOME.items():
        assert library not in theirs or path.stem in homes, f"{library} belongs in {homes}"


def test_importing_the_package_loads_no_model_library() -> None:
    code = "import qa, qa.embed, sys; print({'torch', 'chromadb', 'gradio', 'sentence_transformers'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_the_public_names_are_these() -> None:
    import qa

    assert sorted(qa.__all__) == ["Abstention", "Answer", "BabelquoteError", "Document", "Filters", "Quote", "Reason", "Reply", "open"]
    for name in qa.__all__:
        assert getattr(qa, name) is not None
