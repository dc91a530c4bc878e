r"""Names the symbols in formulas: what the notation page says of each is shown where it is used.

The page is the only list there is. A row of its tables gives a symbol such as `$W_h$` or
`$\sigma_{\max}(W)$`, its name in code, its shape and its meaning; `symbols.js` finds the symbol in
formulas as they were typeset, so that their source stays what an author wrote.
"""

from __future__ import annotations

import json
import re
import unicodedata
from importlib.resources import files
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

PAGE = "book/notation"
STYLE = "symbols.css"
_HERE = files("rnn_teach.sphinxext")
_SYMBOL = re.compile(r"(\\[a-z]+|[A-Za-z])(?:_(?:\{([^{}]+)\}|(\w)))?('*)(?:\(.*\))?")


def key(tex: str) -> str | None:
    r"""A symbol as it reads in a typeset formula, without arguments; None if it is not one symbol.

    >>> key("x_t"), key("h_{t-1}"), key(r"\sigma_{\max}(W)"), key(r"\varphi'(a)")
    ('x_t', 'h_t-1', 'σ_max', "φ'")
    >>> key(r"\partial L / \partial x") is None
    True
    """
    match = _SYMBOL.fullmatch(tex.strip())
    if match is None:
        return None
    base, group, single, primes = match.groups()
    below = (group or single or "").replace(" ", "")
    return _letters(base) + (f"_{_letters(below)}" if below else "") + primes


def _letters(tex: str) -> str:
    """What MathJax draws for a letter or a command: the letter, or the command's name."""
    name = tex.removeprefix("\\")
    if name == tex:
        return tex
    try:
        return unicodedata.lookup(f"GREEK SMALL LETTER {name.removeprefix('var')}")
    except KeyError:
        return name


def table(env: BuildEnvironment) -> dict[str, list[str]]:
    """For every symbol of the notation page: its meaning, its shape, its name in code.

    Raises ExtensionError if two rows explain the same symbol.
    """
    found: dict[str, list[str]] = {}
    for grid in env.get_doctree(PAGE).findall(nodes.table):
        head, *rows = grid.findall(nodes.row)
        titles = [cell.astext() for cell in head]
        if "shape" not in titles and titles[0] != "letter":
            continue
        for row in rows:
            said = dict(zip(titles, (cell.astext() for cell in row), strict=True))
            entry = [said["meaning"], said.get("shape", ""), said.get("in code", "")]
            for sign in row[0].findall(lambda node: isinstance(node, nodes.math | nodes.literal)):
                name = key(sign.astext())
                if name in found:
                    raise ExtensionError(f"{PAGE}: {sign.astext()!r} stands in two rows")
                if name:
                    found[name] = entry
    return found


def add_style(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(_HERE / STYLE))


def add_script(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """The script and what it may say, for pages with formulas; a book may have no such page."""
    if doctree is None or PAGE not in app.env.found_docs:
        return
    if any(doctree.findall(lambda node: isinstance(node, nodes.math | nodes.math_block))):
        script = (_HERE / "symbols.js").read_text(encoding="utf-8")
        said = json.dumps(table(app.env), ensure_ascii=False, separators=(",", ":"))
        app.add_js_file(None, body=f"{script}start({said});".replace("</", "<\\/"), type="module")


def setup(app: Sphinx) -> None:
    app.add_css_file(STYLE)
    app.connect("config-inited", add_style)
    app.connect("html-page-context", add_script)
