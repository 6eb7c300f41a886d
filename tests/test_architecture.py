"""The order of the house: who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

QA = REPOSITORY / "qa"
BASE = {"records", "errors", "text", "settings"}
"""What every stage may import."""
ALLOWED = {
    "records": set(),
    "errors": set(),
    "text": {"records"},
    "settings": {"errors"},
    "disk": set(),
    "encodings": {"errors", "text"},
    "paragraphs": {"records", "text"},
    "sentences": {"paragraphs", "records", "text"},
    "formats": set(),
    "formats.scripts": set(),
    "formats.symbols": set(),
    "formats.formulas": {"formats"},
    "formats.plain": {"encodings", "formats"},
    "formats.html": {"encodings", "errors", "formats"},
    "formats.docx": {"errors", "formats"},
    "formats.pdf": {"errors", "formats"},
    "ingest": BASE | {"disk", "formats"},
    "chunk": BASE | {"sentences"},
    "reading": BASE | {"ingest", "sentences"},
    "layers": {"errors"},
    "weights": {"errors", "layers"},
    "embed": BASE | {"layers", "weights"},
    "vectors": BASE | {"disk"},
    "catalogue": BASE,
    "tables": set(),
    "truth": BASE | {"catalogue"},
    "staging": BASE | {"tables", "truth"},
    "swap": BASE | {"staging", "tables", "truth", "vectors"},
    "store": BASE | {"staging", "swap", "tables", "truth", "vectors"},
    "folders": BASE | {"disk", "store"},
    "index": BASE | {"staging", "store", "swap", "tables", "truth"},
    "shelf": BASE | {"disk", "formats"},
    "library": BASE | {"disk", "formats", "index", "shelf", "store", "truth"},
    "feedback": BASE | {"disk", "render"},
    "dialogue": set(),
    "read": BASE | {"read"},
    "read.spans": BASE | {"layers", "weights"},
    "read.export": BASE | {"read", "weights"},
    "render": BASE,
    "batch": {"errors", "records", "render"},
    "filters": BASE | {"catalogue"},
    "serve": set(),
    "serve.addresses": {"serve"},
    "serve.limits": set(),
    "serve.clients": set(),
    "serve.excerpts": {"errors", "records"},
    "serve.service": BASE | {"bot", "filters", "serve"},
    "serve.schema": BASE | {"serve"},
    "serve.rest": BASE | {"library", "render", "serve"},
    "serve.mcp": BASE | {"render", "serve"},
    "serve.users": BASE,
    "serve.commands": BASE | {"serve"},
    "serve.login": BASE | {"page", "serve"},
    "serve.loginpage": {"page", "serve"},
    "serve.walls": BASE | {"serve"},
    "serve.files": {"disk", "errors", "serve", "settings"},
    "serve.run": BASE,
    "serve.api": {"library", "serve"},
    "page": set(),
    "page.words": set(),
    "page.markup": BASE | {"page"},
    "page.requests": BASE,
    "page.memory": BASE | {"page"},
    "page.answers": BASE | {"page"},
    "page.source": BASE | {"page"},
    "page.shelf": BASE | {"formats", "page"},
    "page.welcome": BASE | {"page"},
    "page.uploads": BASE | {"page"},
    "page.frame": set(),
    "page.chat": BASE | {"catalogue", "feedback", "page", "render"},
    "__main__": BASE
    | {"batch", "bot", "catalogue", "feedback", "filters", "folders", "read", "render", "serve", "store"},
    "__init__": BASE | {"bot"},
    **dict.fromkeys(("retrieve", "answer"), BASE),
}
ONE_HOME = {
    "argon2": {"serve.users"},
    "chromadb": {"vectors"},
    "docx": {"formats.docx"},
    "fastapi": {"serve.rest", "serve.api", "serve.run"},
    "itsdangerous": {"serve.login"},
    "lxml": {"formats.docx", "formats.formulas", "formats.html"},
    "mcp": {"serve.mcp"},
    "pypdfium2": {"formats.pdf"},
    "sentence_transformers": {"weights", "embed"},
    "sentencex": {"sentences"},
    "sqlite3": {"catalogue", "staging", "store", "tables", "truth"},
    "tiktoken": {"chunk"},
    "torch": {"layers", "weights", "read.spans", "read.export"},
    "transformers": {"weights", "read.export"},
    "typer": {"__main__", "serve.commands"},
    "uvicorn": {"serve.run"},
    "webencodings": {"formats.html"},
}

EVAL_HOME = {
    "ir_measures": {"ranking"},
    "jinja2": {"report"},
    "pydantic": {"result", "squad"},
    "scipy": {"calibrate", "pool"},
    "sklearn": {"calibrate"},
    "typer": {"__main__"},
}


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


def modules() -> dict[str, Path]:
    """Dotted name below `qa` to file, of what runs; training may import all of it."""
    files = {path.relative_to(QA).with_suffix(""): path for path in QA.rglob("*.py")}
    names = {".".join(name.parts).removesuffix(".__init__"): path for name, path in files.items()}
    return {name: path for name, path in names.items() if not name.startswith("training")}


@pytest.mark.parametrize("name", sorted(modules()))
def test_modules_import_only_what_stands_before_them(name: str) -> None:
    imported = imports(modules()[name])
    ours = {module.split(".")[1] for module in imported if module.startswith("qa.")}
    if name != "bot":  # the composition knows all
        assert ours <= ALLOWED[name]
    theirs = {module.split(".")[0] for module in imported}
    assert not theirs & {"eval", "app", "gradio"}
    assert "training" not in ours
    for library, homes in ONE_HOME.items():
        assert library not in theirs or name in homes, f"{library} belongs in {homes}"


@pytest.mark.parametrize("path", sorted((REPOSITORY / "eval").glob("*.py")), ids=lambda path: path.stem)
def test_each_library_of_the_evaluation_has_one_home(path: Path) -> None:
    theirs = {module.split(".")[0] for module in imports(path)}
    for library, homes in EVAL_HOME.items():
        assert library not in theirs or path.stem in homes, f"{library} belongs in {homes}"


def test_measuring_speed_loads_nothing_that_only_the_evaluation_needs() -> None:
    code = "import eval.__main__, eval.speed, qa.bot, sys; print({'ir_measures', 'eval.run'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_importing_the_package_loads_no_model_library() -> None:
    code = "import qa, qa.embed, qa.read, sys; print({'torch', 'chromadb', 'gradio'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_the_public_names_are_these() -> None:
    import qa

    assert sorted(qa.__all__) == [
        "Abstention",
        "Answer",
        "BabelquoteError",
        "Document",
        "Filters",
        "Quote",
        "Reason",
        "Reply",
        "open",
    ]
    for name in qa.__all__:
        assert getattr(qa, name) is not None
