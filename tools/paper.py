"""Makes one document of the built pages, in the order of the contents: what a browser prints as the book.

On paper nothing moves and nothing unfolds. A figure stands in the state in which its page opens, with
its sentence; a question gets a number and its choices letters; answers and solutions wait at the end
of their chapter; and where a page would link, the number of the page is printed, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path, PurePosixPath
from posixpath import normpath
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup, Comment, SoupStrainer, Tag

PARSER = "html.parser"
ARTICLE = SoupStrainer("article", class_="bd-article")
# what is for readers who can press, point or listen
NOT_ON_PAPER = (
    "script, button, nav, [hidden], [data-offer], .headerlink, .toctree-wrapper, "
    ".live-controls, .live-tools, .live-note, .live-said, details > summary, mjx-assistive-mml, .place, .only-dark"
)
COLORED = re.compile(r"^(?:[kcs].?|ow|hll)$")  # the kinds of code that pdf.css tells from the rest
REFERS = ("for", "aria-labelledby", "aria-describedby")  # attributes that name other elements


@dataclass
class Chapter:
    """A page of the book on its way to paper."""

    page: str  # its path without .html, as the table of contents has it
    part: str
    article: Tag
    links: list[str] = field(default_factory=list)  # where its links lead inside the book

    @property
    def key(self) -> str:
        """The chapter's own name in the document; what it holds is called KEY--NAME."""
        return self.page.replace("/", "-")

    @property
    def number(self) -> str:
        """The chapter's number, as its file begins with it; "" for a page without one."""
        found = re.match(r"0*(\d+)_", PurePosixPath(self.page).name)
        return found[1] if found else ""

    @property
    def title(self) -> str:
        heading = self.article.find(["h1", "h2"])
        return " ".join(heading.get_text().split())


def contents(toc: Path) -> list[tuple[str, str]]:
    """The pages of a table of contents in order, each with the name of its part.

    >>> contents(Path("_toc.yml"))[0]
    ('', 'book/intro')
    """
    read = yaml.safe_load(toc.read_text("utf-8"))
    parts = read.get("parts", [{"chapters": read.get("chapters", [])}])
    pages = [(p.get("caption", ""), c["file"]) for p in parts for c in p["chapters"]]
    return [("", read["root"]), *pages]


def chapters(html: Path, toc: Path) -> list[Chapter]:
    """Every page of the book, made ready for paper.

    Raises ValueError, naming page and link, if a page is missing, a formula was not set or a link
    leads nowhere.
    """
    found = []
    for part, page in contents(toc):
        path = html / f"{page}.html"
        text = path.read_text("utf-8") if path.is_file() else ""
        article = BeautifulSoup(text, PARSER, parse_only=ARTICLE).article
        if article is None:
            raise ValueError(f"{toc.name} names {page!r}, but {path} is no page of a built book")
        if article.select_one(".math:not(:has(mjx-container))"):
            raise ValueError(f"{page}: its formulas were not set when the book was built")
        found.append(Chapter(page, part, article))
    keys = {chapter.page: chapter.key for chapter in found}
    for chapter in found:
        prepare(chapter, html, keys)
    known = {tag["id"] for c in found for tag in c.article.find_all(id=True)} | {*keys.values()}
    lost = [f"{c.page}: {link}" for c in found for link in c.links if link not in known]
    if lost:
        raise ValueError("links that lead nowhere in the book:\n" + "\n".join(lost))
    return found


def prepare(chapter: Chapter, html: Path, keys: dict[str, str]) -> None:
    """Turn what a page holds into what a chapter holds, in place."""
    article = chapter.article
    for figure in article.select("figure.live"):
        caption(figure)
    for gone in article.select(NOT_ON_PAPER):
        gone.decompose()
    for comment in article.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    for formula in article.select("mjx-container > svg"):
        formula.attrs |= {"role": "img", "aria-label": formula.parent["data-tex"]}
        formula.attrs.pop("aria-hidden", None)
    for word in article.select(".highlight span"):
        if not COLORED.match(" ".join(word.get("class", ()))):
            word.unwrap()
    gather(chapter)
    for folded in article.select("details"):
        folded.unwrap()
    for figure, name in numbered(article.select("figure"), chapter.number):
        figure.figcaption.insert(0, piece(f"<b>Figure{name}.</b> "))
    rename(article, chapter.key)
    for image in article.select("img[src]"):
        image["src"] = (html / f"{chapter.page}.html").parent.joinpath(image["src"]).as_uri()
    for link in article.select("a[href]"):
        lead(link, chapter, html, keys)
    for depth in (3, 2, 1) if chapter.part else ():  # above a chapter stands its part
        for heading in article.find_all(f"h{depth}"):
            heading.name = f"h{depth + 1}"


def caption(figure: Tag) -> None:
    """Under the picture its sentence, and in small the figure's name and where its controls stand."""
    stands = []
    for control in figure.select(".live-control"):
        label = control.select_one(".live-label").get_text()
        if chosen := control.select_one("option[selected], output"):
            stands.append(f"{label} {chosen.get_text()}")
        else:
            stands.append(f"{label} {'on' if control.input.has_attr('checked') else 'off'}")
    words = figure.select_one(".live-words")
    state = f"<small><i>{figure['id']}</i>: {escape(', '.join(stands))}</small>"
    figure.append(piece(f"<figcaption>{words.p.decode_contents()} {state}</figcaption>"))
    words.decompose()


def gather(chapter: Chapter) -> None:
    """Number the questions, and carry their answers and all solutions to the end of the chapter."""
    answers, asked = [], 0
    for folded in chapter.article.select("form.question, div.dropdown.admonition"):
        if folded.name == "form":
            asked += 1
            number = f"{chapter.number}.{asked}" if chapter.number else str(asked)
            name, answer = question(folded, f"{folded.legend.get_text()} {number}")
        else:
            name, answer = solution(folded, len(answers))
        answers.append(f'<div class="answer" id="{name}-answer">{answer}</div>')
    if answers:
        heading = '<section class="answers" id="answers"><h2>Answers</h2>'
        chapter.article.section.append(piece(f"{heading}{''.join(answers)}</section>"))


def question(form: Tag, title: str) -> tuple[str, str]:
    """Replace a question by its printed form; its name and its answer."""
    name = form["id"]
    choices, reasons = [], []
    for choice in form.select(".question-choice"):
        right = ' class="right"' if choice.has_attr("data-right") else ""
        choices.append(f"<li>{choice.label.span.decode_contents()}</li>")
        because = choice.select_one(".question-because").decode_contents()
        reasons.append(f"<li{right}>{because}</li>")
    text = form.select_one(".question-text").decode_contents()
    form.replace_with(
        piece(
            f'<div class="question" id="{name}"><p class="question-name">{title}'
            f'<a class="see" href="#{name}-answer">answer</a></p>{text}<ol>{"".join(choices)}</ol></div>'
        )
    )
    back = f'<p class="answer-name"><a href="#{name}">{title}</a></p>'
    return name, f"{back}<ol>{''.join(reasons)}</ol>"


def solution(folded: Tag, number: int) -> tuple[str, str]:
    """Take a folded answer out, with the hidden cells that follow it; its name and its content."""
    name = f"solution-{number}"
    heading = folded.find_parent("section").find(["h1", "h2", "h3"]).get_text().strip()
    exercise = re.match(r"(\d+)\. (.*?)( \(.*\))?$", heading)
    title = folded.select_one(".admonition-title").extract().get_text()
    told = f"Exercise {exercise[1]}: {exercise[2]}" if exercise else f"{heading}: {title}"
    content = [folded.decode_contents()]
    for cell in folded.find_next_siblings():
        if "tag_hide-cell" not in cell.get("class", ()):
            break
        for toggle in cell.select("details"):
            toggle.unwrap()
        content.append(str(cell.extract()))
    see = f'<p class="solution" id="{name}"><a class="see" href="#{name}-answer">{title}</a></p>'
    folded.replace_with(piece(see))
    return name, f'<p class="answer-name"><a href="#{name}">{told}</a></p>{"".join(content)}'


def numbered(tags: list[Tag], chapter: str) -> Iterator[tuple[Tag, str]]:
    """Each with its number in the chapter; a page without a number has few, and they need none."""
    for k, tag in enumerate(tags, 1):
        yield tag, f" {chapter}.{k}" if chapter else ""


def rename(article: Tag, key: str) -> None:
    """Give all names of a page the chapter's name in front: one document has them all."""
    for tag in article.find_all(True):
        for name, value in tag.attrs.items():
            if name == "id":
                tag[name] = f"{key}--{value}"
            elif name in REFERS:
                tag[name] = " ".join(f"{key}--{word}" for word in value.split())
            elif name in ("href", "xlink:href") and tag.name != "a":
                tag[name] = re.sub("^#", f"#{key}--", value)
            elif isinstance(value, str) and "url(#" in value:
                tag[name] = value.replace("url(#", f"url(#{key}--")


def lead(link: Tag, chapter: Chapter, html: Path, keys: dict[str, str]) -> None:
    """Let a link lead to its place in the document, and print the page where that is."""
    parts = urlsplit(link["href"])
    if parts.scheme:
        link["class"] = ["external"]
        return
    file = normpath(f"{PurePosixPath(chapter.page).parent}/{unquote(parts.path)}")
    page = file.removesuffix(".html") if parts.path else chapter.page
    if "live-set" in link.get("class", ()) or (page not in keys and (html / file).is_file()):
        link.unwrap()  # there is nothing to set here, and what is no page is not on paper
        return
    fragment = unquote(parts.fragment.partition("?")[0])  # behind it stands the state of a figure
    target = f"{keys.get(page, page)}--{fragment}".removesuffix("--")
    chapter.links.append(target)
    link["href"] = f"#{target}"
    seen = link.find_parent(class_=["bibtex-citation", "answer-name"])
    if not (seen or link.select_one(".std-term")):
        link.insert_after(piece(f' <span class="at">(page {at(target)})</span>'))


def at(target: str) -> str:
    """The number of the page where something is; it is known when the book has been laid out."""
    return f'<span data-at="{target}">000</span>'


def piece(html: str) -> Tag:
    return BeautifulSoup(html, PARSER)
