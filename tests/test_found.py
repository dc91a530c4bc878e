"""What others are told of the pages: of the book as it is, and of a small one that is published somewhere."""

from __future__ import annotations

import doctest
import shutil
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from PIL import Image
from test_site import pages_of

import book as tool
import cards
import citation
import elsewhere
import found

ADDRESS, REPOSITORY = "https://someone.example/book/", "https://github.com/someone/book"
CHAPTER = "07_small"
MARKS = ("canonical", "og:", "twitter:", "launch-", "colab", "mybinder")


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built pages of a book with the settings of the real one, and with both addresses."""
    root = tmp_path_factory.mktemp("published")
    for name in ("CITATION.cff", "CHANGELOG.md"):
        shutil.copy(tool.ROOT / name, root)
    shutil.copytree(tool.ROOT / "book", root / "book", ignore=shutil.ignore_patterns("*.md"))
    shutil.copytree(tool.ROOT / "tools", root / "tools")
    settings = yaml.safe_load((tool.ROOT / "_config.yml").read_text("utf-8"))
    settings["html"]["baseurl"], settings["repository"]["url"] = ADDRESS, REPOSITORY
    (root / "_config.yml").write_text(yaml.safe_dump(settings), "utf-8")
    (root / "book" / "intro.md").write_text('# A book\n\nIt moves.\n\nIt says & shows "much".\n')
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# What is $h$?\n\nA {term}`state`.", id="a"),
            nbformat.v4.new_code_cell("2 + 2", id="b"),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    (root / "notebooks").mkdir()
    nbformat.write(notebook, root / "notebooks" / f"{CHAPTER}.ipynb")
    (root / "book" / "glossary.md").write_text(
        "# Words\n\n```{glossary}\nstate\n  What is kept.\n```\n"
    )
    toc = {
        "format": "jb-book",
        "root": "book/intro",
        "parts": [
            {"caption": "Part I · Memory", "chapters": [{"file": f"notebooks/{CHAPTER}"}]},
            {"caption": "Back", "chapters": [{"file": "book/glossary"}]},
        ],
    }
    (root / "_toc.yml").write_text(yaml.safe_dump(toc, allow_unicode=True), "utf-8")
    return tool.build(root)


def head(page: Path) -> dict[str, str]:
    """What a page's head says, by name; a name that it says twice is an error."""
    soup = BeautifulSoup(page.read_text("utf-8"), "html.parser")
    named = [
        (tag.get("name") or tag.get("property"), tag["content"])
        for tag in soup.select("meta[content]")
    ]
    named += [(tag["rel"][0], tag["href"]) for tag in soup.select("link[rel=canonical]")]
    told = [(name, content) for name, content in named if name]
    once = [name for name, _ in told if name != "viewport"]  # Sphinx and the theme both write that
    assert len({*once}) == len(once), f"{page.name}: {told}"
    return dict(told) | {"title": soup.title.get_text(strip=True), "lang": soup.html["lang"]}


def test_every_page_describes_itself_and_no_two_alike(book: Path) -> None:
    heads = {path.relative_to(book).as_posix(): head(path) for path in pages_of(book)}
    first = heads.pop("index.html")
    assert first["description"] == heads["book/intro.html"]["description"]
    for page, told in heads.items():
        assert told["lang"] == "en" and "width=device-width" in told["viewport"], page
        assert 20 <= len(told["description"]) <= found.LONGEST, f"{page}: {told['description']}"
        assert not set("\\$<{") & set(told["description"]), f"{page}: {told['description']}"
    for name in ("title", "description"):
        assert len({told[name] for told in heads.values()}) == len(heads), name


def test_a_book_without_addresses_names_none(book: Path) -> None:
    for path in pages_of(book):
        soup = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        tags = [str(tag) for tag in [*soup.select("meta, link"), *soup.select("header a, .btn")]]
        assert not [tag for tag in tags if any(mark in tag.lower() for mark in MARKS)], path.name
    assert not (book / "sitemap.xml").exists() and not (book / "colab").exists()
    assert not (book / "_static" / "cards").exists()
    assert (book / "robots.txt").read_text() == "User-agent: *\nAllow: /\n"


def test_a_published_page_knows_its_address(published: Path) -> None:
    for page in ("book/intro.html", f"notebooks/{CHAPTER}.html"):
        told = head(published / page)
        assert told["canonical"] == told["og:url"] == ADDRESS + page
    assert head(published / "book/intro.html")["og:type"] == "website"
    assert head(published / f"notebooks/{CHAPTER}.html")["og:type"] == "article"
    # who has the book's own address has it of the first page
    first = head(published / "index.html")
    told = head(published / "book/intro.html")
    assert first["canonical"] == ADDRESS + "book/intro.html"
    assert first["og:image"] == told["og:image"] and first["description"] == told["description"]
    assert told["og:description"] == "It moves. It says & shows “much”."


def test_the_sitemap_has_all_pages_and_robots_names_it(published: Path) -> None:
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    tree = ElementTree.parse(published / "sitemap.xml")
    addresses = [one.text for one in tree.iter(f"{space}loc")]
    assert addresses == [
        ADDRESS + page
        for page in ("book/glossary.html", "book/intro.html", f"notebooks/{CHAPTER}.html")
    ]
    assert f"Sitemap: {ADDRESS}sitemap.xml" in (published / "robots.txt").read_text().splitlines()


def test_every_page_has_a_card_of_its_own(published: Path) -> None:
    pictures = set()
    for page in ("book/intro.html", "book/glossary.html", f"notebooks/{CHAPTER}.html"):
        address = head(published / page)["og:image"]
        file = published / address.removeprefix(ADDRESS)
        with Image.open(file) as picture:
            assert picture.size == cards.SIZE
        pictures.add(file.read_bytes())
    assert len(pictures) == 3


def test_a_long_title_fits_its_card() -> None:
    long = "Which of these are alike? " * 4
    assert " ".join(cards.fitted(long)[0]) == long.strip(), "its end is cut off"
    for title in ("Why?", "How do you turn one sequence into another?", long, long * 2):
        figure = cards.picture(cards.Card(title, "Part II · Learning through time", 6), "A book")
        figure.canvas.draw()
        boxes = [text.get_window_extent() for text in figure.axes[0].texts]
        assert all(box.x0 >= 0 and box.x1 <= cards.SIZE[0] for box in boxes), title
        assert min(box.y0 for box in boxes[1:-1]) > cards.SIZE[1] - cards.NETWORK + 50, title


def test_the_buttons_lead_to_this_chapter_on_each_service(published: Path) -> None:
    page = BeautifulSoup(
        (published / f"notebooks/{CHAPTER}.html").read_text("utf-8"), "html.parser"
    )
    buttons = {
        link.get_text(strip=True): link["href"]
        for link in page.select(".dropdown-launch-buttons a")
    }
    assert buttons == {
        "Colab": f"https://colab.research.google.com/github/someone/book/blob/gh-pages/colab/{CHAPTER}.ipynb",
        "Binder": f"https://mybinder.org/v2/gh/someone/book/main?urlpath=lab/tree/notebooks/{CHAPTER}.ipynb",
        "JupyterHub": "https://nbgitpuller.readthedocs.io/en/latest/link.html"
        "?repo=https%3A//github.com/someone/book&branch=main"
        f"&urlpath=lab/tree/book/notebooks/{CHAPTER}.ipynb",
    }
    other = BeautifulSoup((published / "book/glossary.html").read_text("utf-8"), "html.parser")
    assert not other.select(".dropdown-launch-buttons"), "this page is no notebook"


def test_other_hosts_have_other_addresses() -> None:
    launch = {
        "colab_url": "https://colab.example",
        "binderhub_url": "https://binder.example/",
        "jupyterhub_url": "https://hub.example",
    }
    there = elsewhere.places("https://gitlab.com/a/b", "next", launch, "06_vanishing")
    assert there == {
        "Binder": "https://binder.example/v2/gl/a%2Fb/next?urlpath=lab/tree/notebooks/06_vanishing.ipynb",
        "JupyterHub": "https://hub.example/hub/user-redirect/git-pull"
        "?repo=https%3A//gitlab.com/a/b&branch=next&urlpath=lab/tree/b/notebooks/06_vanishing.ipynb",
    }
    assert not elsewhere.places("https://github.com/a/b", "main", {}, "06_vanishing")


def test_colab_gets_the_chapter_below_a_cell_that_installs_the_package(published: Path) -> None:
    copy = nbformat.read(published / "colab" / f"{CHAPTER}.ipynb", as_version=4)
    nbformat.validate(copy)
    first, heading, *_ = copy.cells
    assert f'%pip install --quiet "rnn_teach[figures] @ git+{REPOSITORY}@main"' in first.source
    assert "output.enable_custom_widget_manager()" in first.source
    assert heading.source == "# What is $h$?\n\nA state."
    # the chapter itself stays as it is, in the page and in what it hands out
    assert "%pip" not in (published / f"notebooks/{CHAPTER}.html").read_text("utf-8")
    assert "%pip" not in (published / f"_sources/notebooks/{CHAPTER}.ipynb").read_text("utf-8")


@pytest.mark.parametrize(
    "path", sorted((tool.ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem
)
def test_the_download_button_gives_the_chapter_with_its_outputs(book: Path, path: Path) -> None:
    page = book / "notebooks" / f"{path.stem}.html"
    soup = BeautifulSoup(page.read_text("utf-8"), "html.parser")
    (link,) = soup.select(".dropdown-download-buttons a")
    file = (page.parent / link["href"]).resolve()
    assert file.name == path.name and file.read_bytes() == path.read_bytes()
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    assert any(cell.get("outputs") for cell in notebook.cells)


def test_binder_installs_what_the_book_was_tested_with() -> None:
    script = (tool.ROOT / ".binder" / "postBuild").read_text("utf-8")
    assert script.startswith("#!/bin/bash\n") and "--constraint requirements.txt" in script
    assert (tool.ROOT / ".binder" / "postBuild").stat().st_mode & 0o111, "Binder has to run it"
    assert '".[lab]"' in script


@pytest.mark.parametrize("module", [citation, elsewhere, found])
def test_the_examples_are_true(module: ModuleType) -> None:
    tried = doctest.testmod(module)
    assert tried.attempted and not tried.failed
