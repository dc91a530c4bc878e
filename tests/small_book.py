"""A book of a few pages with one of our extensions, built as strictly as the real one."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace


def made(folder: Path, extension: str, **pages: str) -> Path:
    """The folder of its built pages; `__` in a name is a slash in its path."""
    for name, text in ({"index": ""} | pages).items():
        source = folder / f"{name.replace('__', '/')}.md"
        source.parent.mkdir(exist_ok=True)
        source.write_text(f"---\norphan: true\n---\n# {name}\n\n{text}\n", encoding="utf-8")
    settings = {
        "extensions": ["myst_parser", "mathjax", extension],
        "myst_enable_extensions": ["colon_fence", "dollarmath"],
        "html_theme": "sphinx_book_theme",
        "html_theme_options": {"search_bar_text": "Search"},
        "html_context": {"default_mode": "auto"},
    }
    out, trees = folder / "out", folder / "trees"
    with docutils_namespace():  # or the next book would find what this one registered
        Sphinx(folder, None, out, trees, "html", settings, status=None, warningiserror=True).build()
    return out
