"""Mends the list of references for those who listen: docutils writes a list without items, in a role that is no more."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this where the extension is used alone."""
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mend(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Make each reference of a page an item of its list."""
    if "body" in context:
        context["body"] = context["body"].replace(' role="doc-biblioentry">', ' role="listitem">')
