"""The Content-Security-Policy under which the built pages work: their own host and the hashes of what is inline."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

# any other type is data, which no browser runs
_RUNS = {"", "module", "text/javascript", "application/javascript", "importmap"}


class _Inline(HTMLParser):
    """Collects the hashes of a page's inline scripts and styles, elements and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.text = "", ""
        self.hashes: dict[str, set[str]] = {
            "script": set(),
            "script attribute": set(),
            "style": set(),
            "style attribute": set(),
        }

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        runs = tag == "script" and "src" not in has and (has.get("type") or "").lower() in _RUNS
        self.inside, self.text = tag if runs or tag == "style" else "", ""
        for name, value in attrs:
            if name.startswith("on"):
                self.hashes["script attribute"].add(_hash(value or ""))
            elif name == "style":
                self.hashes["style attribute"].add(_hash(value or ""))

    def handle_data(self, data: str) -> None:
        self.text += data  # a "</" inside a script comes as a piece of its own

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.text:
            self.hashes[self.inside].add(_hash(self.text))
        self.inside = ""


def policy(pages: Iterable[str]) -> str:
    """The header's value for pages with these texts: nothing from elsewhere, nothing unknown inline.

    >>> policy(["<script src='x.js'></script>"])
    "default-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; script-src 'self'; style-src 'self'"
    """
    found = _Inline()
    for page in pages:
        found.feed(page)
    sources = [
        "default-src 'self'",
        "img-src 'self' data: blob:",  # an image in a picture, and a picture to be saved
        "font-src 'self' data:",  # icons in a style sheet
    ]
    for kind in ("script", "style"):
        apart = found.hashes[f"{kind} attribute"]
        hashes = sorted(found.hashes[kind]) + ["'unsafe-hashes'"] * bool(apart) + sorted(apart)
        sources.append(" ".join((f"{kind}-src 'self'", *hashes)))
    return "; ".join(sources)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def write(app: Sphinx, error: Exception | None) -> None:
    """Print the policy, and keep it beside the pages in ``csp.txt`` for whoever serves them."""
    if error or app.builder.format != "html":
        return
    pages = (path.read_text("utf-8") for path in sorted(Path(app.outdir).rglob("*.html")))
    found = policy(pages)
    Path(app.outdir, "csp.txt").write_text(f"{found}\n", "utf-8")
    logging.getLogger(__name__).info("Content-Security-Policy: %s", found)
