"""The book on paper: every page number, link and figure of a small one, and what the whole one is made of."""

from __future__ import annotations

import re
import shutil
from contextlib import nullcontext
from pathlib import Path
from unicodedata import normalize

import pytest
import small_book
from bs4 import BeautifulSoup
from playwright.sync_api import Browser
from pypdf import PdfReader
from pypdf.generic import Destination

import book as tool
import paper
import pdf
from rnn_teach.live import html as live
from rnn_teach.live.controls import Control

SVG = '<svg viewBox="0 0 40 20"><defs><path id="a" d="M0 0h9v9z"/></defs><use href="#a"/></svg>'
CONTROLS = [
    Control((1, 2, 3), name="gain", label="gain", kind="slider"),
    Control((False, True), name="on", label="clip"),
]
FIGURE = live.piece("flow", SVG, CONTROLS, (1, 0), "Half of it arrives.", "A line that falls")
TOC = """\
root: index
parts:
- caption: Part I · Memory
  chapters: [{file: 01_one}, {file: 02_two}]
- caption: Back
  chapters: [{file: words}]
"""
ONE = f"""
A {{term}}`gain` is explained in {{doc}}`02_two`. $h_t$ is a letter.

$$x_t = {" + ".join(f"x_{{{k}}}" for k in range(60))}$$

:::{{question}} first-guess
:prediction:

What is left?

- [ ] All

  Nothing is lost only at 1.

- [x] Half

  One of two arrives.
:::

```{{raw}} html
{FIGURE}
<img src="_static/file.png" class="only-light"><img src="nowhere.png" class="only-dark">
```

(halving)=
## Exercises

### 1. Halve it (5 minutes)

Write it down.

```{{admonition}} Solution
:class: dropdown

Divide by two.
```

```python
very_long_line = {" + ".join(["one_name"] * 12)} + the_end_of_it
```

| {" | ".join("abcdefghijkl")} |
| {" | ".join(["---"] * 12)} |
| {" | ".join(["unbreakable"] * 12)} |
"""
TWO = "See {doc}`01_one`, {ref}`the exercises <halving>` and <https://example.org/a>.\n\n" + (
    "A long chapter goes on.\n\n" * 90
)
WORDS = "```{glossary}\ngain\n  What it is multiplied by. First in {doc}`01_one`.\n```"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with what `pdf` reads there, and the built pages in `out`."""
    root = tmp_path_factory.mktemp("paper")
    pages = {"01_one": ONE, "02_two": TWO, "words": WORDS}
    small_book.made(root, "rnn_teach.sphinxext.questions", **pages)
    (root / "_toc.yml").write_text(TOC, "utf-8")
    for name in ("_config.yml", "CITATION.cff"):
        shutil.copy(tool.ROOT / name, root)
    return root


@pytest.fixture(scope="module")
def printed(site: Path, browser: Browser) -> PdfReader:
    return PdfReader(pdf.pdf(site / "out", site, browser))


@pytest.fixture(scope="module")
def texts(printed: PdfReader) -> list[str]:
    said = (normalize("NFKC", page.extract_text()) for page in printed.pages)  # ligatures apart
    return [" ".join(text.split()) for text in said]


def entries(printed: PdfReader) -> list[tuple[int, str, int]]:
    """The outline: depth, title, page."""

    def walk(items: list, depth: int) -> list[tuple[int, str, int]]:
        found = []
        for item in items:
            if isinstance(item, Destination):
                found.append((depth, item.title, printed.get_destination_page_number(item)))
            else:
                found += walk(item, depth + 1)
        return found

    return walk(printed.outline, 0)


def test_the_outline_has_parts_chapters_and_sections(printed: PdfReader, texts: list[str]) -> None:
    outline = entries(printed)
    assert [(depth, title) for depth, title, _ in outline] == [
        (0, "Contents"),
        (0, "index"),
        (0, "Part I Memory"),
        (1, "01_one"),
        (2, "Exercises"),
        (3, "1. Halve it (5 minutes)"),
        (2, "Answers"),
        (1, "02_two"),
        (0, "Back"),
        (1, "words"),
    ]
    assert all(title in texts[page] for _, title, page in outline)
    chapters = [
        page for _, title, page in outline if title in ("index", "01_one", "02_two", "words")
    ]
    assert len({*chapters}) == 4, "each begins on a page of its own"


def test_the_contents_name_the_pages(printed: PdfReader, texts: list[str]) -> None:
    at = {title: page + 1 for _, title, page in entries(printed)}
    listed = dict(re.findall(r"(index|01_one|02_two|words) (\d+)", texts[at["Contents"] - 1]))
    assert {title: int(number) for title, number in listed.items()} == {
        title: at[title] for title in ("index", "01_one", "02_two", "words")
    }
    assert at["words"] > at["02_two"] + 1, "or every number could be a guess"


def test_a_page_says_its_number_and_where_it_is(printed: PdfReader, texts: list[str]) -> None:
    at = {title: page for _, title, page in entries(printed)}
    assert not re.search(r"\d{2}|Part I · ", texts[0].replace("0.1.0", "")), "the cover has neither"
    for page in range(at["02_two"] + 1, at["Back"]):
        heads = ("Part I · Memory", "2 02_two")
        assert heads[page % 2 == 0] in texts[page]
        assert heads[page % 2 == 1] not in texts[page]
        assert re.search(rf"\b{page + 1}\b", texts[page])


def test_links_lead_to_the_pages_they_name(
    site: Path, printed: PdfReader, texts: list[str]
) -> None:
    places = pdf.numbers(site / "out" / pdf.NAME)
    notes = [note.get_object() for page in printed.pages for note in page.annotations or ()]
    leads = [str(note["/Dest"]).removeprefix("/") for note in notes if "/Dest" in note]
    assert {"01_one", "02_two", "01_one--halving", "words--term-gain", "part-1"} <= {*leads}
    assert {*leads} == {*places}
    for name, words in (
        ("01_one", "01_one A gain"),
        ("01_one--question-first-guess-answer", "One of two arrives"),
        ("01_one--solution-1-answer", "Divide by two"),
        ("words--term-gain", "What it is multiplied by"),
    ):
        assert words in texts[places[name] - 1], name
    said = " ".join(texts)
    assert f"explained in 02_two (page {places['02_two']})" in said
    assert f"See 01_one (page {places['01_one']})" in said
    assert f"the exercises (page {places['01_one--halving']})" in said
    assert f"Prediction 1.1 answer (page {places['01_one--question-first-guess-answer']})" in said
    assert "https://example.org/a" in [note["/A"]["/URI"] for note in notes if "/A" in note]


def test_answers_wait_at_the_end_of_the_chapter(texts: list[str]) -> None:
    said = " ".join(texts)
    question, exercise, answers = map(said.index, ("What is left?", "Write it down.", "Answers"))
    assert said.index("a. All") > question and said.index("b. Half") < exercise
    for answer in ("Nothing is lost only at 1.", "One of two arrives.", "Divide by two."):
        assert said.count(answer) == 1 and said.index(answer) > answers
    assert said.index("Exercise 1: Halve it") > answers


def test_a_figure_stands_still(printed: PdfReader, texts: list[str]) -> None:
    said = " ".join(texts)
    assert "Figure 1.1. Half of it arrives. flow: gain 2, clip off" in said
    assert not re.search("Play|Save|Commit|Check|Copy|Click|Link to|¶|#", said)
    alternatives = [str(thing.get("/Alt")) for thing in tags(printed)]
    assert "A line that falls" in alternatives
    assert "h_t" in alternatives, "a formula is heard as it was written"


def tags(printed: PdfReader) -> list[dict]:
    """Every element of the tree that a screen reader follows."""
    objects = (printed.get_object(k) for k in range(1, len(printed.xref[0]) + 1))
    return [
        thing
        for thing in objects
        if isinstance(thing, dict) and thing.get("/Type") == "/StructElem"
    ]


def test_it_says_what_it_is(printed: PdfReader) -> None:
    root = printed.trailer["/Root"]
    assert printed.metadata.title == "Recurrent neural networks you can move"
    assert printed.metadata.author == "The rnn_teach maintainers"
    assert root["/Lang"] == "en" and root["/MarkInfo"]["/Marked"]
    width, height = (float(side) / 72 * 25.4 for side in printed.pages[0].mediabox[2:])
    assert (round(width), round(height)) == (178, 254) and len(printed.pages) < 20


@pytest.mark.parametrize(
    ("page", "old", "new", "said"),
    [
        ("02_two", "01_one.html", "03_three.html", "links that lead nowhere in the book:\n02_two: 03_three"),
        ("02_two", "#halving", "#halves", "links that lead nowhere in the book:\n02_two: 01_one--halves"),
        ("01_one", "bd-article", "bd-nothing", "_toc.yml names '01_one', but .* is no page of a built book"),
        ("01_one", "mjx-container", "mjx-nothing", "01_one: its formulas were not set"),
        ("01_one", "<use href=", "<image href='http://127.0.0.2:9/x.png'/><use href=", "asked from elsewhere, or missing:\nhttp"),
        ("01_one", '<p>Write', '<p><img src="no.png">Write', "or missing:\nmissing file:.*/out/no.png"),
        ("01_one", '<svg role="img"', '<svg style="display:none" role="img"', "figures without a picture:\n01_one--flow"),
        ("01_one", '<p>Write', '<p style="width:999px">Write', "wider than the column:\n01_one: Write it down."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(
    site: Path, browser: Browser, tmp_path: Path, page: str, old: str, new: str, said: str
) -> None:
    root = shutil.copytree(
        site, tmp_path / "root", ignore=shutil.ignore_patterns("_build", "*.pdf")
    )
    path = root / "out" / f"{page}.html"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(ValueError, match=said):
        pdf.pdf(root / "out", root, browser)


def test_a_file_that_is_too_large_is_not_kept(
    site: Path, printed: PdfReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "MOST", 1000)
    made, headings = tmp_path / "book.pdf", [title for _, title, _ in entries(printed)]
    with pytest.raises(ValueError, match=r"the PDF has [\d,]+ bytes, expected at most 1,000"):
        pdf.finish(site / "out" / pdf.NAME, made, site, headings)
    assert not made.exists()


def test_nothing_is_printed_twice(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prints: list[Path] = []

    def pretend(html: Path, root: Path, printer: None) -> Path:
        prints.append(html)
        (html / pdf.NAME).write_bytes(b"%PDF")
        return html / pdf.NAME

    out = shutil.copytree(site / "out", site / "copy")
    (out / "built-from.txt").write_text("one")
    (out / pdf.NAME).unlink(missing_ok=True)
    monkeypatch.setattr(pdf, "pdf", pretend)
    monkeypatch.setattr(pdf, "chromium", nullcontext)
    pdf.make(out, site)
    pdf.make(out, site)
    assert prints == [out] and "Nothing has changed" in capsys.readouterr().out
    (out / "built-from.txt").write_text("two")
    pdf.make(out, site)
    assert prints == [out, out]


def test_the_whole_book_goes_on_paper(book: Path) -> None:
    found = paper.chapters(book, tool.ROOT / "_toc.yml")
    names = [tag["id"] for chapter in found for tag in chapter.article.find_all(id=True)]
    assert len({*names}) == len(names)
    for chapter in found:
        page = BeautifulSoup((book / f"{chapter.page}.html").read_text("utf-8"), "html.parser")
        sentences = [said.get_text() for said in page.select("article .live-sentence")]
        text = chapter.article.get_text()
        assert all(sentence in text for sentence in sentences)
        assert len(chapter.article.select("figure svg")) == len(sentences)
        assert len(chapter.article.select(".question .see")) == len(page.select("form.question"))
        assert not chapter.article.select("button, input, script, form, details, .headerlink")
