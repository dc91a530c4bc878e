"""The house around the package: the book's key and build, the stored outputs, the browser, style."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import book
import browser
import outputs

FAILING_CELL = "def remember():\n    return 1 / 0\n\nremember()"


@pytest.fixture
def small_book(tmp_path: Path) -> Path:
    """A book of one page and one notebook with the settings of the real one."""
    pages = shutil.ignore_patterns("*.md")
    shutil.copytree(book.ROOT / "book", tmp_path / "book", ignore=pages)
    shutil.copytree(book.ROOT / "tools", tmp_path / "tools")
    for name in ("_config.yml", "CITATION.cff"):
        shutil.copy(book.ROOT / name, tmp_path / name)
    toc = "format: jb-book\nroot: book/intro\nchapters:\n- file: notebooks/chapter\n"
    (tmp_path / "_toc.yml").write_text(toc)
    (tmp_path / "book" / "intro.md").write_text("# A book\n")
    write_notebook(tmp_path / "notebooks" / "chapter.ipynb", "print(2 + 2)")
    (tmp_path / "src" / "rnn_teach").mkdir(parents=True)
    (tmp_path / "src" / "rnn_teach" / "cells.py").write_text("decay = 0.9\n")
    return tmp_path


def write_notebook(path: Path, source: str) -> None:
    v4 = nbformat.v4
    cells = [v4.new_markdown_cell("# A chapter"), v4.new_code_cell(source)]
    path.parent.mkdir(exist_ok=True)
    nbformat.write(outputs.normalized(v4.new_notebook(cells=cells)), path)


@pytest.mark.parametrize(
    "changed",
    [
        "src/rnn_teach/cells.py",
        "notebooks/chapter.ipynb",
        "book/intro.md",
        "_config.yml",
        "_toc.yml",
    ],
)
def test_every_source_is_in_the_key(small_book: Path, changed: str) -> None:
    before = book.key(small_book)
    assert book.key(small_book) == before
    with (small_book / changed).open("a") as file:
        file.write("\n")
    assert book.key(small_book) != before


def test_a_new_a_renamed_and_a_deleted_page_change_the_key(small_book: Path) -> None:
    page = small_book / "book" / "more.md"
    keys = [book.key(small_book)]
    page.write_text("# More\n")
    keys.append(book.key(small_book))
    page.rename(page.with_name("other.md"))
    keys.append(book.key(small_book))
    assert len(set(keys)) == 3
    page.with_name("other.md").unlink()
    assert book.key(small_book) == keys[0]


def test_packages_are_in_the_key(small_book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = book.key(small_book)
    monkeypatch.setattr(book, "distributions", list)
    assert book.key(small_book) != before


def test_leftovers_are_not_in_the_key(small_book: Path) -> None:
    before = book.key(small_book)
    for leftover in (
        "__pycache__/cells.pyc",
        ".ipynb_checkpoints/a.ipynb",
        "rnn.egg-info/PKG-INFO",
    ):
        path = small_book / "src" / leftover
        path.parent.mkdir()
        path.write_text("left behind")
    assert book.key(small_book) == before


def test_a_failing_notebook_fails_the_build_and_shows_why(
    small_book: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    html = book.build(small_book)
    assert "4" in (html / "notebooks" / "chapter.html").read_text()
    capfd.readouterr()

    assert book.build(small_book) == html
    assert capfd.readouterr().out.startswith("Nothing has changed")

    write_notebook(small_book / "notebooks" / "chapter.ipynb", FAILING_CELL)
    with pytest.raises(subprocess.CalledProcessError):
        book.build(small_book)
    said = capfd.readouterr().err
    assert "ZeroDivisionError" in said and "remember()" in said
    assert not (html / "built-from.txt").exists(), "the next build would be skipped"


def test_stored_outputs_have_the_normal_form() -> None:
    notebooks = sorted(outputs.NOTEBOOKS.glob("*.ipynb"))
    assert notebooks
    for path in notebooks:
        notebook = nbformat.read(path, as_version=4)
        assert outputs.normalized(notebook) == notebook, f"{path.name}: run `make outputs`"
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert all(cell.execution_count for cell in code), f"{path.name}: run `make outputs`"


@pytest.mark.parametrize(
    ("engine", "packages"),
    [
        ("chromium", ["libatomic1", "chromium"]),
        ("firefox", ["firefox-esr"]),
        ("webkit", ["webkit2gtk-driver", "xvfb"]),
    ],
)
def test_a_missing_browser_is_installed(
    monkeypatch: pytest.MonkeyPatch, engine: str, packages: list[str]
) -> None:
    ran = []
    enough = 2 + len(packages)  # Playwright's download, the list of packages, then each of them
    monkeypatch.setattr(browser, "find", lambda _: "/there" if len(ran) == enough else None)
    monkeypatch.setattr(browser, "run", lambda *command: ran.append(command))
    monkeypatch.setattr(browser.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert browser.find_or_install(engine) == "/there"
    assert ran[0] == (sys.executable, "-m", "playwright", "install", engine)
    assert [command[-1] for command in ran[2:]] == packages
    assert all("install" in command for command in ran[2:])


@pytest.mark.parametrize("engine", browser.ENGINES)
def test_no_browser_to_be_had_is_a_clear_message(
    monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setattr(browser, "run", lambda *command: False)
    with pytest.raises(SystemExit, match=f"No {engine} was found(.|\n)*install"):
        browser.find_or_install(engine)


def test_code_and_notebooks_are_clean() -> None:
    for check in (["check"], ["format", "--check"]):
        subprocess.run([sys.executable, "-m", "ruff", *check, book.ROOT], check=True)
