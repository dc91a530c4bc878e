"""The role that lets a sentence set a live figure: {set}`push the gain to 1.2 <gradient-flow?gain=1.2>`."""

from __future__ import annotations

import json
from html import escape
from typing import Any
from urllib.parse import quote, unquote

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import ReferenceRole

from .figures import specs


class setting(nodes.Inline, nodes.TextElement):
    """Words that set a figure on their page, until the page knows its figures."""


class SettingRole(ReferenceRole):
    """``text <figure?control=value&control=value>``."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        source, line = self.get_source_info()
        return [setting(self.rawtext, self.title, target=self.target, at=f"{source}:{line}")], []


def resolve(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Make each setting a link of its page; plain words where there is nothing to move.

    Raises ExtensionError, naming file and line, for an unknown figure, control or value.
    """
    found = list(doctree.findall(setting))
    if not found:
        return
    figures = {s["name"]: s for raw in doctree.findall(nodes.raw) for s in specs(raw.astext())}
    for node in found:
        try:
            link = _link(node["target"], figures)
        except ValueError as error:
            raise ExtensionError(f"{node['at']}: {{set}}`{node.astext()}`: {error}") from None
        words = [nodes.raw("", link, format="html"), *node.children]
        words.append(nodes.raw("", "</a>", format="html"))
        node.replace_self(words if app.builder.format == "html" else node.children)


def _link(target: str, figures: dict[str, Any]) -> str:
    name, asks, query = target.partition("?")
    if name not in figures:
        raise ValueError(f"no live figure {name!r} on this page, there are {sorted(figures)}")
    if not asks or not query:
        raise ValueError(f"got {target!r}, expected figure?control=value")
    controls = {control["name"]: control for control in figures[name]["controls"]}
    places, address = {}, []
    for part in query.split("&"):
        control, _, value = (unquote(text) for text in part.partition("="))
        if control not in controls:
            raise ValueError(f"figure {name!r} has no control {control!r}, it has {[*controls]}")
        places[control] = _index(controls[control], value)
        address.append(f"{quote(control)}={quote(value)}")
    href = escape(f"#{name}?{'&'.join(address)}")
    return (
        f'<a class="live-set" href="{href}" '
        f'data-live="{name}" data-set="{escape(json.dumps(places))}">'
    )


def _index(control: dict[str, Any], wanted: str) -> int:
    """The place of a value, given as its text or as Python writes it."""
    values, texts = control["values"], control["texts"]
    for k, (value, text) in enumerate(zip(values, texts, strict=True)):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if wanted in (text, str(value)) or number and _is(wanted, value):
            return k
    raise ValueError(
        f"control {control['name']!r} has no value {wanted!r}, it has {', '.join(texts[:12])}"
        f"{', …' if len(texts) > 12 else ''}"
    )


def _is(text: str, value: float) -> bool:
    try:
        return float(text) == value
    except ValueError:
        return False
