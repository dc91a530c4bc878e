"""Lays live figures into pages: their states and numbers beside the page, the front end once on each."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from ..live import html

_SPEC = re.compile(r'<script type="application/json" class="live-spec">(.*?)</script>', re.DOTALL)


def specs(body: str) -> list[dict[str, Any]]:
    """What each live figure in a piece of a page says of itself."""
    return [json.loads(text) for text in _SPEC.findall(body)]


def mark(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Have everything that holds a live figure say so.

    A style that looked inside with :has() would be asked again whenever a picture changes.
    """
    for raw in doctree.findall(nodes.raw):
        if 'class="live-spec"' not in raw.astext():
            continue
        holder = raw
        while holder is not doctree:
            if "with-figure" not in holder["classes"]:
                holder["classes"].append("with-figure")
            holder = holder.parent


def lay(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Move the states out of the page, so that it paints first, and add the front end."""
    body = context.get("body", "")
    if 'class="live-spec"' not in body:
        return

    def beside(event: str, file: str, packed: str) -> str:
        """Write a payload beside the pages; its address, as the page sees it."""
        script = delivery(event, packed)
        # the hash makes a changed figure a new file, which no browser has in its cache
        path = f"_static/live/{file}.{hashlib.sha256(script.encode()).hexdigest()[:12]}.js"
        target = Path(app.outdir, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(script, encoding="utf-8")
        return context["pathto"](path, 1)

    def out(match: re.Match[str]) -> str:
        spec = json.loads(match.group(1))
        name = spec["name"]
        if body.count(f' id="{name}"') > 1:
            raise ExtensionError(
                f"{page}: the live figure's name {name!r} is taken by a heading or another figure"
            )
        if not spec["packed"]:
            raise ExtensionError(f"{page}: live figure {name!r} was made outside the book's build")
        spec["src"] = beside(f"live:{name}", name, spec.pop("packed"))
        if tables := spec.pop("tables", ""):
            spec["numbers"] = beside(f"live-numbers:{name}", f"{name}-numbers", tables)
        text = json.dumps(spec, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        return f'<script type="application/json" class="live-spec">{text}</script>'

    front = html.front_end(page=True)
    context["body"] = _SPEC.sub(out, body) + f'<script type="module">{front}</script>'


def delivery(event: str, packed: str) -> str:
    """A payload as a script of one call with one text: a page opened from a disk may not fetch data."""
    told = f"new CustomEvent({json.dumps(event)},{{detail:{json.dumps(packed)}}})"
    return f"document.dispatchEvent({told});"


def copy_style(app: Sphinx, error: Exception | None) -> None:
    """Put the one style sheet where the pages ask for it."""
    if error is None:
        Path(app.outdir, "_static", "live.css").write_text(html.style(page=True), encoding="utf-8")
