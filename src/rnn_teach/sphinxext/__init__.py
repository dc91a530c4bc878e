"""The book's glue: what Sphinx must know to make pages of the notebooks."""

from __future__ import annotations

import os

from sphinx.application import Sphinx

from ..live import BUILD
from . import figures


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this: kernels started from now on compute every state of their figures."""
    os.environ[BUILD] = "static"
    app.add_css_file("live.css")
    app.connect("html-page-context", figures.lay)
    app.connect("build-finished", figures.copy_style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
