"""Gives the book its own MathJax: the one script that needs no font and no further file."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config


def setup(app: Sphinx) -> dict[str, bool]:
    """Put MathJax's SVG build among the static files and point Sphinx to it."""
    app.connect("config-inited", use_own_copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def use_own_copy(app: Sphinx, config: Config) -> None:
    # Browsers refuse fonts to a page opened from disk, so the letters must be drawn as outlines.
    # The package's own extension would copy all 24 MB of MathJax; its dashes keep it from `import`.
    package = find_spec("sphinx-mathjax-offline")
    script = Path(package.origin).parent / "static" / "mathjax" / "tex-svg-full.js"
    config.html_static_path.append(str(script))
    config.mathjax_path = script.name
