"""The slide view: each figure of a page, and each prediction before it, alone on the screen."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

_HERE = files("rnn_teach.sphinxext")
STYLE = "slides.css"
BUTTON = {
    "type": "link",
    "url": "?slides",  # an address of its own, so that a teacher can keep it
    "icon": "fas fa-chalkboard",
    "tooltip": "Show the figures as slides",
    "label": "slides",
}


def add_style(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(_HERE / STYLE))


def add_script(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """The script and its button go into the pages that have figures."""
    if '<figure class="live"' in context.get("body", ""):
        script = (_HERE / "slides.js").read_text(encoding="utf-8")
        app.add_js_file(None, body=f"{script}start();", type="module")
        context.setdefault("header_buttons", []).insert(0, BUTTON)


def setup(app: Sphinx) -> None:
    app.add_css_file(STYLE)
    app.connect("config-inited", add_style)
    app.connect("html-page-context", add_script, priority=502)  # the theme makes its buttons at 501
