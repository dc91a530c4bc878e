"""Questions that mark themselves in the static page, and predictions to commit to before a figure.

    :::{question} gain-above-one
    :prediction:

    The question, with $math$.

    - [ ] A choice that is wrong.

      Why it is wrong.

    - [x] The choice that is right.

      Why it is right.
    :::

Without `:prediction:` the reader checks a choice and is told. With it the reader commits to one,
moves the figure, and compares. `questions.js` does both; without scripts the explanations fold.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

_MARK = re.compile(r"\[([ x])\]\s+")
_NAME = re.compile(r"[a-z][a-z0-9-]*")
_HERE = files("rnn_teach.sphinxext")
STYLE = "questions.css"
FEWEST, MOST = 2, 5


class markup(nodes.General, nodes.TextElement):
    """Children between two pieces of HTML, `before` and `after`; a link asks for such a parent."""


def wrapped(before: str, children: Sequence[nodes.Node], after: str) -> markup:
    return markup("", "", *children, before=before, after=after)


class Question(SphinxDirective):
    """One question with its choices, exactly one of them right, every one explained."""

    required_arguments = 1
    has_content = True
    option_spec = {"prediction": directives.flag}  # noqa: RUF012  docutils asks for it here

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        if not _NAME.fullmatch(name):
            raise self.fault("a name is made of small letters, digits and dashes")
        here = self.env.metadata[self.env.docname].setdefault("questions", {})
        if name in here:
            raise self.fault(f"the name is taken by the question in line {here[name]}")
        here[name] = self.lineno

        body = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, body)
        *asked, choices = body.children or [None]
        if not asked or not isinstance(choices, nodes.bullet_list):
            raise self.fault("expected the question, and then a list of choices as its end")
        offers = [self.offer(name, number, item) for number, item in enumerate(choices)]
        right = sum(is_right for _, is_right in offers)
        if right != 1:
            raise self.fault(f"expected one choice marked [x], got {right}")
        if not FEWEST <= len(offers) <= MOST:
            raise self.fault(f"expected {FEWEST} to {MOST} choices, got {len(offers)}")
        return [self.form(name, asked, [made for made, _ in offers])]

    def fault(self, what: str) -> ExtensionError:
        """The error that ends the build, with the place where to look."""
        return ExtensionError(
            f"{self.env.docname}:{self.lineno}: question {self.arguments[0]!r}: {what}"
        )

    def offer(self, name: str, number: int, item: nodes.list_item) -> tuple[markup, bool]:
        """One choice: its radio button, and its explanation, folded; and whether it is right."""
        said, *why = item.children
        first = said[0] if isinstance(said, nodes.paragraph) and said.children else None
        mark = _MARK.match(first) if isinstance(first, nodes.Text) else None
        if mark is None:
            raise self.fault(f"choice {number + 1} begins with neither [ ] nor [x]")
        if not why:
            raise self.fault(f"choice {number + 1} has no explanation, a paragraph below it")
        said.replace(first, nodes.Text(first[mark.end() :]))
        is_right = mark[1] == "x"
        radio = (
            f'<input type="radio" name="{name}" value="{number}" autocomplete="off" '
            "required disabled>"
        )
        words = f'<p class="question-verdict">{self.verdict(is_right)}</p>'
        label = wrapped(f"<label>{radio}<span>", said.children, "</span></label>")
        because = wrapped('<div class="question-because">', why, "</div>")
        folded = f'<details class="question-why"><summary>Why?</summary>{words}'
        return wrapped(
            f'<li class="question-choice"{" data-right" if is_right else ""}>',
            [label, wrapped(folded, [because], "</details>")],
            "</li>",
        ), is_right

    def verdict(self, is_right: bool) -> str:
        """What stands above an explanation; nobody is scolded for a prediction."""
        if "prediction" in self.options:
            return "This is what happens." if is_right else "Something else happens."
        return "Right." if is_right else "Wrong."

    def form(self, name: str, asked: list[nodes.Node], choices: list[markup]) -> markup:
        prediction = "prediction" in self.options
        kind, button = ("Prediction", "Commit") if prediction else ("Question", "Check")
        # what a reader answered is remembered for this question as it stands, not for a later one
        content = hashlib.sha256("\n".join(self.content).encode()).hexdigest()[:8]
        whole = f"question-{name}"
        text = wrapped(f'<div class="question-text" id="{whole}-text">', asked, "</div>")
        offered = wrapped('<ul class="question-choices">', choices, "</ul>")
        return wrapped(
            f'<form class="question" id="{whole}" data-key="question:{name}:{content}"'
            f"{' data-prediction' if prediction else ''}>"
            f'<fieldset aria-labelledby="{whole}-kind {whole}-text">'
            f'<legend id="{whole}-kind">{kind}</legend>',
            [text, offered],
            "</fieldset>"
            f'<button type="submit" disabled>{button}</button>'
            '<div class="question-result" role="status"></div>'
            "</form>",
        )


def open_markup(translator: Any, node: markup) -> None:
    translator.body.append(node["before"])


def close_markup(translator: Any, node: markup) -> None:
    translator.body.append(node["after"])


def compare_names(app: Sphinx, env: BuildEnvironment) -> None:
    """A name stands for one question in the whole book."""
    taken: dict[str, str] = {}
    for page in sorted(env.metadata):
        for name, line in env.metadata[page].get("questions", {}).items():
            place = f"{page}:{line}"
            if name in taken:
                raise ExtensionError(
                    f"{place}: question {name!r}: the name is taken at {taken[name]}"
                )
            taken[name] = place


def add_style(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(_HERE / STYLE))


def add_script(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """The script goes into the pages that ask; from a disk a browser loads no module."""
    if '<form class="question"' in context.get("body", ""):
        script = (_HERE / "questions.js").read_text(encoding="utf-8")
        app.add_js_file(None, body=f"{script}start();", type="module")


def setup(app: Sphinx) -> None:
    app.add_node(markup, html=(open_markup, close_markup))
    app.add_directive("question", Question)
    app.add_css_file(STYLE)
    app.connect("config-inited", add_style)
    app.connect("env-check-consistency", compare_names)
    app.connect("html-page-context", add_script)
