r"""Sets formulas when the book is built: MathJax's outlines to look at, MathML to hear, TeX to copy, no script to wait for.

MathJax itself runs here, in the JavaScript engine that mini-racer brings. Its letters are outlines,
which need no font; those of a page stand at its start, once. CONTRIBUTING.md says why this way.
"""

from __future__ import annotations

import atexit
import json
import re
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from docutils import nodes
from py_mini_racer import MiniRacer
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.locale import _
from sphinx.util.logging import get_node_location
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

HERE = Path(__file__).parent
STYLE, SCRIPT = "math.css", "math.js"
PARTS = (
    "core",
    "loader",
    "adaptors/liteDOM",
    "input/tex-full",
    "output/svg",
    "output/svg/fonts/tex",
    "a11y/assistive-mml",
)
STEPS, DEEPEST = 8, 96  # in an ex; how far below its line a formula may reach, in steps
_TAG = re.compile(r"\s*\\tag\{([^{}]*)\}")
_OUTLINE = re.compile(r'href="#(MJX-[^"]+)"')


@cache
def engine(macros: str) -> MiniRacer:
    """MathJax, ready to set formulas with these macros; one for a process, as it takes a moment."""
    # the dashes of the package's name keep it from `import`
    package = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    racer = MiniRacer()
    atexit.register(racer.close)  # later its thread no longer runs, and would be waited for forever
    for part in PARTS:
        racer.eval((package / f"{part}.js").read_text("utf-8"))
    racer.eval(f"{(HERE / 'mathjax.js').read_text('utf-8')}\nstart({macros}); 0")
    return racer


def macros(config: Config) -> str:
    """Sphinx's setting for MathJax in a browser holds here, too."""
    return json.dumps((config.mathjax3_config or {}).get("tex", {}).get("macros", {}))


@cache
def typeset(macros: str, tex: str, source: str, display: bool, alone: bool) -> str:
    """A formula as HTML, carrying its source; ValueError if it is no TeX that MathJax knows.

    One that stands alone brings its letters along.
    """
    said = engine(macros).call("set", tex, source, display, alone, STEPS)
    if "error" in said:
        raise ValueError(said["error"])
    depth = re.search(r'class="mjx-d(\d+)"', said["html"])
    if depth and int(depth[1]) > DEEPEST:
        raise ValueError("it is too deep for a line of text, set it apart")
    return said["html"]


def formula(translator: HTML5Translator, node: nodes.math | nodes.math_block, tex: str) -> str:
    """A formula of a page; ExtensionError, naming place and formula, if it cannot be set."""
    source, display = node.astext().strip(), isinstance(node, nodes.math_block)
    # the sidebar shows titles of other pages, whose letters this page need not have
    alone = translator.document["source"] == "<partial node>"
    try:
        return typeset(macros(translator.config), tex, source, display, alone)
    except ValueError as error:
        place = get_node_location(node) or translator.builder.current_docname
        raise ExtensionError(f"{place}: cannot set the formula {source!r}: {error}") from None


def lines(tex: str) -> str:
    r"""TeX with the environments that Sphinx lets an author leave out around `\\` and empty lines."""
    parts = [part for part in re.split(r"\n\s*\n", tex) if part.strip()]
    parts = [rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part else part for part in parts]
    whole = r"\\".join(parts)
    return rf"\begin{{aligned}}{whole}\end{{aligned}}" if len(parts) > 1 else whole


def visit_math(translator: HTML5Translator, node: nodes.math) -> None:
    start = translator.starttag(node, "span", "", CLASS="math notranslate nohighlight")
    translator.body.append(f"{start}{formula(translator, node, node.astext())}</span>")
    raise nodes.SkipNode


def visit_displaymath(translator: HTML5Translator, node: nodes.math_block) -> None:
    out = translator.body
    out.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        out.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, _("Link to this equation"))
        out.append("</span>")
    tex = node.astext()
    if len(tags := _TAG.findall(tex)) == 1:
        # as text beside the formula, it is heard and stays in sight when the formula scrolls
        out.append(f'<span class="eqno">({escape(tags[0])})</span>')
        tex = _TAG.sub("", tex)
    out.append(f"{formula(translator, node, tex if node['nowrap'] else lines(tex))}</div>\n")
    raise nodes.SkipNode


def lay(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Put the letters of a page's formulas before its text, and the script beside it."""
    wanted = sorted(set(_OUTLINE.findall(context.get("body", ""))))
    if wanted:
        known = engine(macros(app.config)).call("outlines")
        drawn = "".join(known[name] for name in wanted)
        hidden = '<svg class="mjx-outlines" width="0" height="0" aria-hidden="true">'
        context["body"] = f"{hidden}<defs>{drawn}</defs></svg>{context['body']}"
        app.add_js_file(SCRIPT, loading_method="defer")


def write_style(app: Sphinx, error: Exception | None) -> None:
    """Put the one style sheet where the pages ask for it: what is written, and a rule for each depth."""
    if error is None and app.builder.format == "html":
        depths = (f".mjx-d{k}{{vertical-align:{-k / STEPS}ex}}\n" for k in range(1, DEEPEST + 1))
        style = (HERE / STYLE).read_text("utf-8") + "".join(depths)
        Path(app.outdir, "_static", STYLE).write_text(style, "utf-8")


def use_own_script(app: Sphinx, config: Config) -> None:
    config.html_math_renderer = "outlines"
    config.html_static_path.append(str(HERE / SCRIPT))


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this: formulas are set by us from now on."""
    app.add_html_math_renderer("outlines", (visit_math, None), (visit_displaymath, None))
    app.add_css_file(STYLE)
    app.connect("config-inited", use_own_script)
    app.connect("html-page-context", lay)
    app.connect("build-finished", write_style)
    # a process that is a copy of this one would have no engine
    return {"parallel_read_safe": True, "parallel_write_safe": False}
