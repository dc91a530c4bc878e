"""Binds chapters into a book: cover, imprint, contents, a page before each part, running heads and fonts."""

from __future__ import annotations

import copy
import json
import re
from base64 import b64encode
from html import escape
from importlib.resources import files
from itertools import groupby
from pathlib import Path

import matplotlib
import yaml
from bs4 import Tag

from paper import Chapter, at, rename

STYLE = Path(__file__).with_name("pdf.css")
# the fonts come as packages, so that the book breaks into the same pages on every machine
FAMILIES = {
    "Source Serif Pro": ("font_source_serif_pro", "SourceSerifPro", (400, 600)),
    "Source Sans Pro": ("font_source_sans_pro", "SourceSansPro", (300, 400, 600)),
}
CUTS = {300: ("Light", "LightIt"), 400: ("Regular", "It"), 600: ("Semibold", "SemiboldIt")}
# matplotlib brings these; the second is for odd signs that the first two families lack
CODE = {"DejaVu Sans Mono": "DejaVuSansMono", "DejaVu Sans": "DejaVuSans"}


def bind(chapters: list[Chapter], html: Path, root: Path) -> str:
    """The whole book, of the site in `html`, as one HTML document; `root` holds its `_config.yml`."""
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    cited = yaml.safe_load((root / "CITATION.cff").read_text("utf-8"))
    parts = [(name, list(group)) for name, group in groupby(chapters, lambda c: c.part)]
    front = cover(config, cited, chapters[0], [name.partition(" · ")[2] for name, _ in parts])
    body = [front, imprint(config, cited), listing(parts)]
    for number, (name, group) in enumerate(parts):
        if name:
            body.append(opening(number, name, group))
        body += map(bound, group)
    style = "\n".join([*faces(), *formulas(html), STYLE.read_text("utf-8"), *map(heads, chapters)])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(config['title'])}</title><style>{style}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>"
    )


def cover(config: dict, cited: dict, first: Chapter, parts: list[str]) -> str:
    """The title and what the numbered parts are about, over the picture of the first figure."""
    picture = Tag(name="div", attrs={"class": "cover-picture"})
    picture.extend(map(copy.copy, first.article.select("figure svg")[:1]))
    rename(picture, "cover")
    return (
        f'<section class="cover"><p class="cover-title">{escape(config["title"])}</p>'
        f'<p class="cover-parts">{escape(" · ".join(filter(None, parts)))}</p>{picture}'
        f'<p class="cover-author">{escape(config["author"])}</p>'
        f'<p class="cover-version">Version {cited["version"]}</p></section>'
    )


def imprint(config: dict, cited: dict) -> str:
    """Who made the book and when, what one may do with it, and how it reads on paper."""
    year = cited["date-released"][:4]
    online = config.get("html", {}).get("baseurl")
    where = f'<p>The figures move at <a href="{online}">{online}</a>.</p>' if online else ""
    title, author = escape(config["title"]), escape(config["author"])
    return f"""<section class="imprint"><p><b>{title}</b><br>{author}<br>
Version {cited["version"]}, {cited["date-released"]}</p>
<p>On paper the figures stand still. Each is shown in the state in which its page opens; under it, in
italics, is the name by which you find it on its page, where it moves. Predictions and questions have
their answers at the end of the chapter, and so have the exercises.</p>{where}
<p>© {escape(str(config["copyright"]))}.<br>
You may copy, change, print and sell text and pictures under the license Creative Commons Attribution
4.0, as long as you say where they come from, and the code under the BSD 3-Clause License.</p>
<p>To cite the book: {author}. <i>{escape(cited["title"])}</i>. Version {cited["version"]}, {year}.</p>
<p>Set in Source Serif and Source Sans, its code in DejaVu Sans Mono. The page is 7 by 10 inches:
it goes on A4 and on Letter as it is, and two of it go on a sheet.</p></section>"""


def listing(parts: list[tuple[str, list[Chapter]]]) -> str:
    """The contents, with the number of each page."""
    lines = []
    for number, (name, group) in enumerate(parts):
        if name:
            lines.append(f'<p class="toc-part"><a href="#part-{number}">{escape(name)}</a></p>')
        lines.append(f"<ul>{''.join(map(line, group))}</ul>")
    return f'<section class="toc" id="contents"><h1>Contents</h1>{"".join(lines)}</section>'


def line(chapter: Chapter) -> str:
    return (
        f'<li><a href="#{chapter.key}"><span class="toc-number">{chapter.number}</span>'
        f'<span class="toc-title">{escape(chapter.title)}</span>'
        f'<span class="toc-dots"></span>{at(chapter.key)}</a></li>'
    )


def opening(number: int, name: str, group: list[Chapter]) -> str:
    """The page before a part: its name, and what is in it."""
    label, _, title = name.rpartition(" · ")
    heading = f"<span>{escape(label)}</span> {escape(title)}" if label else escape(title)
    return (
        f'<section class="part" id="part-{number}"><h1>{heading}</h1>'
        f"<ul>{''.join(map(line, group))}</ul></section>"
    )


def bound(chapter: Chapter) -> str:
    mark = f'<p class="chapter-number">{chapter.number}</p>' if chapter.number else ""
    inside = chapter.article.decode_contents()
    return f'<section class="chapter" id="{chapter.key}" style="page: p-{chapter.key}">{mark}{inside}</section>'


def heads(chapter: Chapter) -> str:
    """The running heads of a chapter: its part on the left page, its title on the right."""
    title = f"{chapter.number}  {chapter.title}".strip()
    left, right = (json.dumps(text, ensure_ascii=False) for text in (chapter.part or title, title))
    page = f"@page p-{chapter.key}"
    return (
        f"{page}:left {{ @top-left {{ content: {left} }} @bottom-left {{ content: counter(page) }} }}\n"
        f"{page}:right {{ @top-right {{ content: {right} }} @bottom-right {{ content: counter(page) }} }}"
    )


def formulas(html: Path) -> list[str]:
    """The rules by which the site shows its formulas, in whatever sheet the build has put them."""
    rule = re.compile(r"[^{};/]*\bmjx-[^{}]*\{[^{}]*\}")
    sheets = sorted((html / "_static").glob("*.css"))
    return [found for sheet in sheets for found in rule.findall(sheet.read_text("utf-8"))]


def faces() -> list[str]:
    """A rule for each cut of each font."""
    found = []
    for family, (package, stem, weights) in FAMILIES.items():
        for weight in weights:
            for cut, style in zip(CUTS[weight], ("normal", "italic"), strict=True):
                path = Path(str(files(package) / "files" / f"{stem}-{cut}.ttf"))
                found.append(face(family, weight, style, path))
    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    for family, stem in CODE.items():
        found.append(face(family, 400, "normal", folder / f"{stem}.ttf"))
        found.append(face(family, 600, "normal", folder / f"{stem}-Bold.ttf"))
    return found


def face(family: str, weight: int, style: str, path: Path) -> str:
    # the font itself: a page from a disk may not read files
    data = b64encode(path.read_bytes()).decode()
    return (
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-style: {style}; '
        f"src: url(data:font/ttf;base64,{data}) }}"
    )
