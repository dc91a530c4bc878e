"""Lays live figures into pages: their states beside the page, the front end once on each."""

from __future__ import annotations

import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

_LIVE = files("rnn_teach.live")
_SPEC = re.compile(r'<script type="application/json" class="live-spec">(.*?)</script>', re.DOTALL)


def lay(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Move the states out of the page, so that it paints first, and add the front end."""
    body = context.get("body", "")
    if 'class="live-spec"' not in body:
        return

    def out(match: re.Match[str]) -> str:
        spec = json.loads(match.group(1))
        name = spec["name"]
        if body.count(f' id="{name}"') > 1:
            raise ExtensionError(
                f"{page}: the live figure's name {name!r} is taken by a heading or another figure"
            )
        if not spec["packed"]:
            raise ExtensionError(f"{page}: live figure {name!r} was made outside the book's build")
        script = delivery(name, spec.pop("packed"))
        # the hash makes a changed figure a new file, which no browser has in its cache
        file = f"live/{name}.{hashlib.sha256(script.encode()).hexdigest()[:12]}.js"
        target = Path(app.outdir, "_static", file)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(script, encoding="utf-8")
        spec["src"] = context["pathto"](f"_static/{file}", 1)
        text = json.dumps(spec, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        return f'<script type="application/json" class="live-spec">{text}</script>'

    front = (_LIVE / "live.js").read_text(encoding="utf-8")
    context["body"] = _SPEC.sub(out, body) + f'<script type="module">{front}\nstart();</script>'


def delivery(name: str, packed: str) -> str:
    """A payload as a script of one call with one text: a page opened from a disk may not fetch data."""
    event = f"new CustomEvent({json.dumps('live:' + name)},{{detail:{json.dumps(packed)}}})"
    return f"document.dispatchEvent({event});"


def copy_style(app: Sphinx, error: Exception | None) -> None:
    """Put the one style sheet where the pages ask for it."""
    if error is None:
        style = (_LIVE / "live.css").read_text(encoding="utf-8")
        Path(app.outdir, "_static", "live.css").write_text(style, encoding="utf-8")
