"""The teacher's pages: a row for every live figure, and nothing named that is not there."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

from rnn_teach import checks
from rnn_teach.sphinxext import setting
from rnn_teach.sphinxext.figures import specs

ROOT = Path(__file__).parents[1]
PAGES = {path.stem: path.read_text("utf-8") for path in (ROOT / "book").glob("teach*.md")}
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))


class Row(NamedTuple):
    """What the page of the figures says of one."""

    name: str
    page: str
    state: str
    before: str
    after: str
    wrong: str


def rows() -> list[Row]:
    found = []
    for line in PAGES["teach-figures"].splitlines():
        if line.startswith("| <a "):
            link, *told = (cell.strip() for cell in line.strip("|").split(" | "))
            # as HTML: in a Markdown link MyST escapes the & of an address twice
            address, name = re.fullmatch(r'<a href="(.+)">(.+)</a>', link).groups()
            parts = urlsplit(unescape(address))
            page = (ROOT / "book" / parts.path).resolve().relative_to(ROOT.resolve())
            found.append(Row(name, page.as_posix(), unquote(parts.fragment), *told))
    return found


ROWS = rows()


def shown(path: Path) -> set[str]:
    """The names of the live figures in a chapter, by its stored outputs."""
    outputs = (
        output.get("data", {}).get("text/plain", "")
        for cell in nbformat.read(path, 4).cells
        for output in cell.get("outputs", [])
    )
    return {found[1] for text in outputs if (found := re.match(r"<live figure ([\w-]+):", text))}


def test_every_figure_of_the_chapters_has_a_row() -> None:
    names = [row.name for row in ROWS]
    assert len(names) == len(set(names)) > 38
    for path in CHAPTERS:
        figures = {row.name for row in ROWS if row.page == f"notebooks/{path.stem}.html"}
        assert shown(path) == figures, path.name
    assert sum(len(shown(path)) for path in CHAPTERS) >= len(ROWS) - 2  # two are on other pages


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_asks_twice_and_names_a_mistake(row: Row) -> None:
    assert "?" in row.before and "?" in row.after and row.before != row.after
    assert row.state.partition("?")[0] == row.name
    assert len(row.wrong.split()) > 6
    named = re.findall(r"`check\.(\w+)`", row.wrong)
    shows = r"\b(cells?|exercises?|table|search|regression|dashes|predictions?|state)\b"
    assert named or re.search(shows, row.wrong) or "*" in row.wrong, row.wrong


def test_every_check_that_is_named_is_there() -> None:
    named = {name for text in PAGES.values() for name in re.findall(r"`check\.(\w+)`", text)}
    assert named <= set(checks.__all__) and len(named) > 12


def test_every_address_is_a_state_of_the_built_figure(book: Path) -> None:
    built = {
        spec["name"]: (page.relative_to(book).as_posix(), spec)
        for page in book.rglob("*.html")
        for spec in specs(page.read_text("utf-8"))
    }
    assert {row.name for row in ROWS} == set(built)
    for row in ROWS:
        page, spec = built[row.name]
        assert row.page == page, row.name
        if "?" in row.state:
            setting._link(row.state, {row.name: spec})  # raises if it is not a state


def test_the_plans_add_up_and_name_every_chapter() -> None:
    plan = PAGES["teach"]
    lesson = plan[plan.index("## 50 minutes") : plan.index("## A day")]
    minutes = [int(k) for k in re.findall(r"^\| (\d+) \|", lesson, re.MULTILINE)]
    assert sum(minutes) == 50
    weeks = plan[plan.index("## Two weeks") : plan.index("## Predictions")]
    named = set(re.findall(r"\{doc\}`/notebooks/(\w+)`", weeks))
    assert {path.stem for path in CHAPTERS} <= named
    assert [int(k) for k in re.findall(r"^\| (\d+) \|", weeks, re.MULTILINE)] == [*range(1, 11)]


def test_the_commands_are_those_of_the_project() -> None:
    text = PAGES["teach-class"]
    pins = (ROOT / "requirements.txt").read_text("utf-8")
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert re.search(r"^class:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert "tools/classroom.py --out" in text and (ROOT / "tools" / "classroom.py").is_file()
    for extra in set(re.findall(r"\[(\w+)\]\"", text)):
        assert re.search(rf"^{extra} = \[", project, re.MULTILINE), extra
    version = re.search(r'^version = "(.*)"', project, re.MULTILINE)[1]
    assert set(re.findall(r"rnn_teach-([\d.]+)-py3", text)) == {version}
    assert "jupyterlab==" in pins and "anywidget==" in pins
