"""Chapters as every notebook program shows them: without the book's own markup, and with its code in place."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from pybtex.database import Entry, parse_file
from sphinx.config import Config
from sphinx.directives.code import LiteralIncludeReader

from book import ROOT
from classroom import QUESTION, as_a_list
from outputs import normalized

DIRECTIVE = re.compile(
    r"^(?P<fence>```|:::)\{(?P<name>\w+)\} ?(?P<title>.*)\n(?P<options>(?::[\w-]+:.*\n)*)"
    r"(?P<body>[^\0]*?)^(?P=fence)$",
    re.MULTILINE,
)
ROLE = re.compile(r"\{(?P<name>[a-z]+(?::t)?)\}`(?P<text>[^`<]*?)(?:\s*<(?P<target>[^`>]*)>)?`")


def chapter(path: Path) -> NotebookNode:
    """The notebook at `path`, in nothing but Markdown.

    Raises ValueError for markup that has no plain form here yet.
    """
    notebook = normalized(nbformat.read(path, as_version=4))
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            try:
                cell.source = text(cell.source, path.parent)
            except ValueError as error:
                raise ValueError(f"{path.name}: {error}") from None
    return notebook


def text(source: str, folder: Path) -> str:
    """A piece of a page of `folder` in plain Markdown."""
    source = QUESTION.sub(as_a_list, source)
    source = DIRECTIVE.sub(lambda found: directive(found, folder), source)
    return ROLE.sub(lambda found: role(found, folder), source)


def directive(found: re.Match[str], folder: Path) -> str:
    title, body = found["title"], found["body"].strip()
    options = dict(re.findall(r"^:([\w-]+): *(.*)$", found["options"], re.MULTILINE))
    if found["name"] == "literalinclude":
        return f"```python\n{code(folder / title, options)}```"
    if found["name"] == "admonition" and options.get("class") == "dropdown":
        return f"<details><summary><b>{title}</b></summary>\n\n{body}\n\n</details>"
    if found["name"] == "admonition":
        return "\n".join(f"> {line}".rstrip() for line in (f"**{title}**", "", *body.splitlines()))
    raise ValueError(f"the directive {found['name']!r} has no plain form in tools/plain.py")


def code(path: Path, options: dict[str, Any]) -> str:
    """The lines that the page shows, found by Sphinx itself."""
    options = {name: value.strip("\"'") for name, value in options.items()}
    if "dedent" in options:
        options["dedent"] = int(options["dedent"])
    options.pop("emphasize-lines", None)
    return LiteralIncludeReader(str(path), options, Config()).read()[0]


def role(found: re.Match[str], folder: Path) -> str:
    name, said, target = found["name"], found["text"], found["target"]
    if name in ("term", "set", "ref"):
        return said
    if name == "doc":
        name = target or said  # from the book's root where it begins with a slash
        page = (ROOT / name[1:] if name.startswith("/") else folder / name).with_suffix(".ipynb")
        if target is None:
            said = heading(page if page.is_file() else page.with_suffix(".md"))
        return f"[{said}]({page.name})" if page.is_file() else said
    if name in ("cite", "cite:t"):
        works = [cited(key.strip(), narrative=name == "cite:t") for key in said.split(",")]
        return "; ".join(works) if name == "cite:t" else f"({'; '.join(works)})"
    raise ValueError(f"the role {name!r} has no plain form in tools/plain.py")


def heading(page: Path) -> str:
    """A page's first heading."""
    source = page.read_text("utf-8")
    if page.suffix == ".ipynb":
        source = nbformat.reads(source, as_version=4).cells[0].source
    return re.search(r"^# (.*)", source, re.MULTILINE)[1]


def cited(key: str, *, narrative: bool) -> str:
    entry = bibliography()[key]
    people = [" ".join((*one.prelast_names, *one.last_names)) for one in entry.persons["author"]]
    who = " and ".join(people) if len(people) < 3 else f"{people[0]} et al."
    year = entry.fields["year"]
    return f"{who} ({year})" if narrative else f"{who}, {year}"


@cache
def bibliography() -> dict[str, Entry]:
    return dict(parse_file(ROOT / "book" / "references.bib").entries)
