"""Drops from a theme's style sheet the rules that no page can match, and from its icon fonts the icons without a rule."""

from __future__ import annotations

import base64
import io
import logging
import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import tinycss2
from fontTools import subset
from fontTools.ttLib import TTFont

INSIDE = ("media", "supports", "layer", "container")  # rules that hold rules
# Bootstrap puts these names together when it shows a tooltip.
COMPOSED = {
    "bs-tooltip-auto",
    "bs-tooltip-top",
    "bs-tooltip-bottom",
    "bs-tooltip-start",
    "bs-tooltip-end",
}
ICONS = re.compile(r"url\(([^)]*/(?P<family>fa-\w+)-\d+\.ttf)\)")
GLYPH = re.compile("[\ue000-\uf8ff]")  # the range of letters that Unicode leaves to fonts
FACES = {
    "fa-solid": {"fa-solid", "fas", "admonition"},
    "fa-regular": {"fa-regular", "far"},
    "fa-brands": {"fa-brands", "fab"},
}
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_GIVEN = re.compile(r'\b(?:class|id)="([^"]*)"')
_RUN = re.compile(r"<script\b[^>]*>(.*?)</script>", re.DOTALL)


def names(pages: Iterable[str], scripts: Iterable[str]) -> set[str]:
    """Every class and id of the pages, and every word of a script, which may give it to an element."""
    found = set(COMPOSED)
    for page in pages:
        found.update(*(given.split() for given in set(_GIVEN.findall(page))))
        found.update(*(_WORD.findall(run) for run in _RUN.findall(page)))
    return found.union(*map(_WORD.findall, scripts))


def purged(style: str, used: set[str]) -> str:
    """A style sheet without the rules that need a class or an id that is not used.

    What stands in `:not()` and its like does not count, so more is kept than is needed.
    Raises ValueError if the sheet cannot be read.
    """
    return "".join(_kept(tinycss2.parse_stylesheet(style, skip_whitespace=True), used))


def _kept(rules: list, used: set[str]) -> Iterable[str]:
    for rule in rules:
        if rule.type == "error":
            raise ValueError(
                f"a style sheet cannot be read: {rule.message}, line {rule.source_line}"
            )
        if rule.type == "comment":
            if rule.value.startswith("!"):  # a license
                yield rule.serialize()
        elif rule.type == "qualified-rule":
            selectors = [one for one in _selectors(rule.prelude) if _needs(one) <= used]
            if selectors:
                told = ",".join(tinycss2.serialize(one).strip() for one in selectors)
                yield f"{told}{{{tinycss2.serialize(rule.content)}}}"
        elif rule.lower_at_keyword in INSIDE and rule.content is not None:
            inside = tinycss2.parse_rule_list(
                rule.content, skip_comments=True, skip_whitespace=True
            )
            if kept := "".join(_kept(inside, used)):
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{kept}}}"
        else:
            yield rule.serialize()


def _selectors(prelude: list) -> list[list]:
    """The selectors between a rule's commas."""
    found: list[list] = [[]]
    for token in prelude:
        if token == ",":
            found.append([])
        else:
            found[-1].append(token)
    return found


def _needs(selector: list) -> set[str]:
    """The classes and ids that a selector names."""
    classes = {b.value for a, b in pairwise(selector) if a == "." and b.type == "ident"}
    return classes | {token.value for token in selector if token.type == "hash"}


def with_icons(style: str, folder: Path, used: set[str]) -> str:
    """A style sheet that carries its icons: of each icon font the glyphs that its rules name.

    In the sheet they need no request, and a browser shows them in a page opened from disk, too.
    """
    glyphs = [*map(ord, GLYPH.findall(style))]

    def face(match: re.Match[str]) -> str:
        file = ICONS.search(match.group(0))
        if file is None:
            return match.group(0)
        if not FACES[file["family"]] & used:
            return ""
        packed = base64.b64encode(_subset(folder / file[1], glyphs)).decode()
        source = f'src:url(data:font/woff;base64,{packed}) format("woff")'
        return re.sub(r"src:[^}]*(?=})", source, match.group(0))

    style = re.sub(r"@font-face\{[^}]*\}", face, style)
    # a glyph is no letter of any language: nothing is to be read where it stands
    return re.sub(f'content:("{GLYPH.pattern}")', r'content:\1;content:\1/""', style)


def _subset(file: Path, glyphs: list[int]) -> bytes:
    options = subset.Options(
        flavor="woff", hinting=False, layout_features=[], name_IDs=[0, 1, 2, 13, 14]
    )
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # or it tells the build every step
    font = TTFont(file, recalcTimestamp=False)  # the same pages give the same bytes
    worker = subset.Subsetter(options)
    worker.populate(unicodes=glyphs)
    worker.subset(font)
    font.flavor = "woff"
    packed = io.BytesIO()
    font.save(packed)
    return packed.getvalue()
