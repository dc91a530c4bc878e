"""All states of a figure as one small text: each fragment once, as a template and its numbers, the numbers as differences."""

from __future__ import annotations

import base64
import gzip
import json
import math
import re
from collections.abc import Sequence
from typing import Any

from .controls import Control, states
from .svg import tenths

MAX_STATES = 2_000
MAX_BYTES = 150_000

# only the numbers of geometry, as svg.tenths writes them: not those in ids, colors or words
_GEOMETRY = re.compile(r' (?:d|x|y|points|transform)="[^"]*"')
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d)?(?![\w.])")
_HOLE = "\x00"


def check_count(name: str, controls: Sequence[Control]) -> int:
    """The number of states; ValueError, naming the control to thin, above 2,000."""
    count = math.prod(len(c.values) for c in controls)
    if count > MAX_STATES:
        raise ValueError(
            f"live figure {name!r}: {count:,} states, at most {MAX_STATES:,}; {_thin(controls)}"
        )
    return count


def _thin(controls: Sequence[Control]) -> str:
    widest = max(controls, key=lambda c: len(c.values))
    return f"thin the control {widest.name!r}, which has {len(widest.values)} values"


def encode(
    name: str, controls: Sequence[Control], pictures: Sequence[Sequence[str]], says: Sequence[str]
) -> bytes:
    """Pack the fragments ``pictures[state][slot]`` and the sentences ``says[state]``.

    The states are in the order of ``controls.states``. Raises ValueError, naming the control to
    thin, above 150 KB compressed.
    """
    grid = list(states(controls))
    longest = max(range(len(controls)), key=lambda c: len(controls[c].values))
    # neighbors along the longest control differ least, so differences are taken along it
    order = sorted(
        range(len(grid)),
        key=lambda s: (*grid[s][:longest], *grid[s][longest + 1 :], grid[s][longest]),
    )
    words = list(dict.fromkeys(says))
    data = {
        "slots": [
            _slot([picture[k] for picture in pictures], order) for k in range(len(pictures[0]))
        ],
        "words": words,
        "says": _places(words, says),
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    packed = gzip.compress(text.encode(), 9, mtime=0)
    if len(packed) > MAX_BYTES:
        raise ValueError(
            f"live figure {name!r}: {len(packed):,} bytes compressed, at most {MAX_BYTES:,}; "
            f"{_thin(controls)}"
        )
    return packed


def _slot(fragments: Sequence[str], order: Sequence[int]) -> dict[str, Any]:
    distinct = list(dict.fromkeys(fragments[s] for s in order))
    split = [_split(fragment) for fragment in distinct]
    templates = list(dict.fromkeys(template for template, _ in split))
    return {
        "templates": templates,
        "kinds": _places(templates, [template for template, _ in split]),
        "columns": [_differences([n for t, n in split if t == template]) for template in templates],
        "at": _places(distinct, fragments),
    }


def _split(fragment: str) -> tuple[str, list[int]]:
    """A fragment as its template, with a hole for each number, and the numbers in tenths."""
    numbers: list[int] = []

    def hole(match: re.Match[str]) -> str:
        number = round(float(match.group()) * 10)
        if tenths(number) != match.group():
            return match.group()
        numbers.append(number)
        return _HOLE

    template = _GEOMETRY.sub(lambda attribute: _NUMBER.sub(hole, attribute.group()), fragment)
    return template, numbers


def _differences(rows: Sequence[Sequence[int]]) -> list[int]:
    """Column after column, each number as its difference to the one in the row before."""
    out = []
    for column in zip(*rows, strict=True):
        out += [now - before for before, now in zip((0, *column[:-1]), column, strict=True)]
    return out


def _places(distinct: Sequence[str], items: Sequence[str]) -> list[int]:
    place = {item: i for i, item in enumerate(distinct)}
    return [place[item] for item in items]


def decode(packed: bytes) -> tuple[list[list[str]], list[str]]:
    """The ``pictures`` and ``says`` that ``encode`` packed: what the page does, in Python."""
    data = json.loads(gzip.decompress(packed))
    slots = []
    for slot in data["slots"]:
        rows = [_rows(column, slot["kinds"].count(k)) for k, column in enumerate(slot["columns"])]
        distinct = [_fill(slot["templates"][kind], next(rows[kind])) for kind in slot["kinds"]]
        slots.append([distinct[i] for i in slot["at"]])
    return [list(picture) for picture in zip(*slots, strict=True)], [
        data["words"][i] for i in data["says"]
    ]


def room(packed: bytes) -> str:
    """A text that takes as many lines as any sentence that ``encode`` packed.

    The longest and, as lines break between words, the longest word once more.
    """
    says = json.loads(gzip.decompress(packed))["words"]
    return f"{max(says, key=len)} {max(' '.join(says).split(), key=len)}"


def _rows(differences: Sequence[int], count: int) -> Any:
    totals = []
    for start in range(0, len(differences), count):
        column = list(differences[start : start + count])
        for i in range(1, count):
            column[i] += column[i - 1]
        totals.append(column)
    return iter(zip(*totals, strict=True) if totals else [()] * count)


def _fill(template: str, numbers: Sequence[int]) -> str:
    head, *rest = template.split(_HOLE)
    return head + "".join(tenths(n) + part for n, part in zip(numbers, rest, strict=True))


def text(packed: bytes) -> str:
    """The payload as a page carries it."""
    return base64.b64encode(packed).decode()
