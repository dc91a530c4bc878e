"""How to cite the book, its version and its changes: one source, and the same everywhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner
from playwright.sync_api import Page
from pybtex.database import parse_string
from test_site import page, pages_of  # noqa: F401  a fixture

import citation
from book import ROOT

CITATION = citation.read(ROOT)
RELEASE = re.compile(r"^## (\S+) \((\d{4}-\d\d-\d\d)\)$", re.MULTILINE)


def test_the_citation_file_follows_its_schema() -> None:
    schema = "--builtin-schema=vendor.citation-file-format"
    checked = CliRunner().invoke(check_jsonschema, [schema, str(ROOT / "CITATION.cff")])
    assert checked.exit_code == 0, checked.output


def test_the_version_and_its_date_are_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    releases = RELEASE.findall((ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert releases[0] == (project["version"], CITATION["date-released"])
    assert CITATION["version"] == project["version"]
    assert releases == sorted(releases, key=lambda release: release[1], reverse=True)


def test_the_bibtex_entry_says_what_the_file_says() -> None:
    (entry,) = parse_string(citation.bibtex(CITATION), "bibtex").entries.values()
    assert entry.fields["title"].replace("\\_", "_") == CITATION["title"]
    assert entry.fields["version"] == CITATION["version"]
    assert entry.fields["year"] == CITATION["date-released"][:4]
    (author,) = entry.persons["author"]
    assert str(author).strip("{}").replace("\\_", "_") == CITATION["authors"][0]["name"]


def test_people_and_an_address_come_in_as_well() -> None:
    told = CITATION | {
        "authors": [{"family-names": "Hopper", "given-names": "Grace"}, {"name": "A & B"}],
        "url": "https://book.example",
    }
    (entry,) = parse_string(citation.bibtex(told), "bibtex").entries.values()
    first, second = entry.persons["author"]
    assert (first.last_names, first.first_names) == (["Hopper"], ["Grace"])
    assert str(second) == r"{A \& B}"
    assert entry.fields["url"] == "https://book.example"
    assert citation.sentence(told).startswith("Hopper, Grace; A & B (2026). rnn_teach: ")


def test_the_page_shows_it(book: Path) -> None:
    soup = BeautifulSoup((book / "book" / "cite.html").read_text("utf-8"), "html.parser")
    shown = [block.get_text().strip() for block in soup.select("article pre")]
    assert shown == [citation.bibtex(CITATION)]
    (line,) = soup.select("article blockquote")
    assert line.get_text().strip() == citation.sentence(CITATION)
    (file,) = soup.select("article a.download")
    handed_out = (book / "book" / file["href"]).resolve()
    assert handed_out.read_bytes() == (ROOT / "CITATION.cff").read_bytes()


def test_a_press_copies_the_entry(page: Page, book: Path) -> None:  # noqa: F811
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto((book / "book" / "cite.html").as_uri())
    page.locator("article .highlight").first.hover()
    page.locator("article button.copybtn").first.click()
    page.locator("article button.copybtn.success").first.wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == citation.bibtex(CITATION)


def test_the_changes_are_a_page(book: Path) -> None:
    soup = BeautifulSoup((book / "book" / "changes.html").read_text("utf-8"), "html.parser")
    releases = RELEASE.findall((ROOT / "CHANGELOG.md").read_text("utf-8"))
    shown = [heading.get_text().strip("#") for heading in soup.select("article h2")]
    assert shown == [f"{version} ({day})" for version, day in releases]


@pytest.mark.parametrize("name", ["licenses", "cite", "changes"])
def test_the_foot_of_every_page_leads_there(book: Path, name: str) -> None:
    day = citation.released(CITATION)
    for path in pages_of(book):
        soup = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        if path.name in ("index.html", "404.html"):
            continue  # they lead to other pages and are no part of the book
        (foot,) = soup.select(".imprint")
        text = " ".join(foot.get_text().split())
        assert f"Version {CITATION['version']}, {day:%B} {day.day}, {day.year}." in text
        assert foot.time["datetime"] == CITATION["date-released"]
        here = path.relative_to(book) == Path("book", f"{name}.html")
        leads = [(path.parent / link["href"]).resolve() for link in foot.select("a[href$=html]")]
        assert here or (book / "book" / f"{name}.html").resolve() in leads, path.name
