"""A live figure as a piece of a page: the picture, its native controls and the sentence, before any script runs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from .controls import Control, State

_HERE = files("rnn_teach.live")
_NOT_SERVED = re.compile(r"^import [^\n]*\n|/\*\*.*?\*/\s*", re.MULTILINE | re.DOTALL)


def front_end(*, page: bool) -> str:
    """The front end as one module: for a page, which it brings to life, or for the notebook's widget.

    One text, because a page opened from a disk may not import modules.
    """
    text = _texts("states.js", "picture.js", "tools.js", "live.js", *["page.js"] * page)
    return _NOT_SERVED.sub("", text) + "start();" * page


def style(*, page: bool) -> str:
    """The style sheet of the figures and, for a page of the book, of what is around them."""
    return _texts("live.css", "tools.css", *["book.css"] * page)


def _texts(*names: str) -> str:
    return "".join((_HERE / name).read_text("utf-8") for name in names)


def piece(
    name: str,
    svg: str,
    controls: Sequence[Control],
    state: State,
    sentence: str,
    alt: str,
    packed: str = "",
    *,
    group: str = "",
    numbers: str = "",
    room: str = "",
) -> str:
    """The figure as HTML in ``state``.

    ``packed`` holds all its states and ``numbers`` all its tables, where they were computed;
    figures of one ``group`` move together. ``room`` is a text as long as any of its sentences.
    """
    picture = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1)
    moves = "".join(
        _control(control, index) for control, index in zip(controls, state, strict=True)
    )
    spec = {
        "name": name,
        "controls": [
            {"name": c.name, "label": c.label, "kind": c.kind, "values": c.values, "texts": c.texts}
            for c in controls
        ],
        "packed": packed,
    } | ({"tables": numbers} if numbers else {})
    together = f' data-group="{escape(group)}"' if group else ""
    kept = f' data-room="{escape(room)}"' if room else ""
    return (
        f'<figure class="live" id="{name}"{together}>'
        f'<div class="live-picture">{picture}</div>'
        f'<div class="live-controls">{moves}</div>'
        f"{_tools(controls)}"
        f'<div class="live-words"{kept}><p class="live-sentence">{escape(sentence)}</p></div>'
        '<p class="live-note" role="status"></p>'
        '<p class="live-said" aria-live="polite"></p>'
        '<div class="live-panel" hidden></div>'
        f'<script type="application/json" class="live-spec">{_json(spec)}</script>'
        "</figure>"
    )


def _json(data: object) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _control(control: Control, index: int) -> str:
    """A native control; disabled until the script that serves it runs."""
    label, text = escape(control.label), escape(control.texts[index])
    common = f'data-control="{control.name}" aria-label="{label}" autocomplete="off" disabled'
    if control.kind == "slider":
        made = (
            '<span class="live-slide"><span class="live-track">'
            f'<input type="range" min="0" max="{len(control.values) - 1}" step="1" value="{index}" '
            f'aria-valuetext="{text}" {common}>'
            f'<output class="live-value">{text}</output></span></span>'
        )
    elif control.kind == "checkbox":
        made = f'<input type="checkbox" {common}{" checked" if index else ""}>'
    else:
        options = "".join(
            f'<option value="{i}"{" selected" if i == index else ""}>{escape(option)}</option>'
            for i, option in enumerate(control.texts)
        )
        made = f"<select {common}>{options}</select>"
    return (
        f'<label class="live-control live-{control.kind}"><span class="live-label">{label}</span>'
        f"{made}</label>"
    )


def _tools(controls: Sequence[Control]) -> str:
    """The row of buttons, disabled until the script that serves them runs."""
    sliders = [control.label for control in controls if control.kind == "slider"]
    play = ""
    if sliders:
        label = escape(sliders[0])
        play = (
            _tool("back", f"{label}: previous")
            + _tool("play", f"Play {label}")
            + _tool("next", f"{label}: next")
        )
    shown = label if len(sliders) > 1 else ""
    opens = ' aria-expanded="false"'
    return (
        '<div class="live-tools" role="group" aria-label="Play, link, save, numbers">'
        f'{play}<span class="live-playing" aria-hidden="true">{shown}</span>'
        f"{_tool('copy', 'Copy link to this state')}"
        f"{_tool('save', 'Save picture', opens)}{_tool('show', 'Show the numbers', opens)}</div>"
    )


def _tool(name: str, text: str, more: str = "") -> str:
    return (
        f'<button type="button" class="live-tool live-{name}" aria-label="{text}" title="{text}"'
        f"{more} disabled></button>"
    )
