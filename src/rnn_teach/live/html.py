"""A live figure as a piece of a page: the picture, its native controls and the sentence, before any script runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from .controls import Control, State


def piece(
    name: str,
    svg: str,
    controls: Sequence[Control],
    state: State,
    sentence: str,
    alt: str,
    packed: str = "",
) -> str:
    """The figure as HTML in ``state``; ``packed`` holds all its states where they were computed."""
    picture = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1)
    moves = "".join(
        _control(control, index) for control, index in zip(controls, state, strict=True)
    )
    spec = {
        "name": name,
        "controls": [{"name": c.name, "values": c.values, "texts": c.texts} for c in controls],
        "packed": packed,
    }
    return (
        f'<figure class="live" id="{name}">'
        f'<div class="live-picture">{picture}</div>'
        f'<div class="live-controls">{moves}</div>'
        f'<figcaption class="live-sentence">{escape(sentence)}</figcaption>'
        '<p class="live-said" aria-live="polite"></p>'
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
            f'<input type="range" min="0" max="{len(control.values) - 1}" step="1" value="{index}" '
            f'aria-valuetext="{text}" {common}>'
        )
    elif control.kind == "checkbox":
        made = f'<input type="checkbox" {common}{" checked" if index else ""}>'
    else:
        options = "".join(
            f'<option value="{i}"{" selected" if i == index else ""}>{escape(option)}</option>'
            for i, option in enumerate(control.texts)
        )
        made = f"<select {common}>{options}</select>"
    shown = f'<output class="live-value">{text}</output>' if control.kind == "slider" else ""
    return (
        f'<label class="live-control live-{control.kind}"><span class="live-label">{label}</span>'
        f"{made}{shown}</label>"
    )
