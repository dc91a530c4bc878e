"""An SVG that looks the same and moves with less work for a browser: fewer elements, and no layers of their own.

What has a clip path, an opacity or a place of its own (as the marks of a line have) is a layer for
Chromium, and a layer that changes has it sort the layers of the whole page anew, which takes longer
than all else that a new state costs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

_FRAME = re.compile(
    r'<clipPath id="(\w+)"><rect x="([^"]*)" y="([^"]*)" width="([^"]*)" height="([^"]*)"/>'
)
_FRAMED = re.compile(r'<path d="([^"]*)" clip-path="url\(#(\w+)\)"( fill="none")?')
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
_ROUND = re.compile(  # points of a line, each a circle of one face and one edge
    r'<defs><path id="([^"]*)" d="M 0 ([\d.]+)(?: C(?: [-\d.]+){6}){8} z" stroke="([^"]*)"/></defs>'
    r'<g( clip-path="[^"]*")?>(<use href="#\1" x="[^"]*" y="[^"]*" fill="(#[^"]*)" stroke="\3"/>'
    r'(?:<use href="#\1" x="[^"]*" y="[^"]*" fill="\6" stroke="\3"/>)*)</g>'
)
_FAINT = re.compile(r'<(?:path|text) [^>]*?(?<= )opacity="[^>]*>')
_PLACE = re.compile(r' x="([^"]*)" y="([^"]*)"')
_STRAIGHT = re.compile(r'<defs><path id="([^"]*)" d="([-\d.MLz ]*)"([^>]*)/></defs>')
_MARK = re.compile(r'<use href="#([^"]*)" x="([^"]*)" y="([^"]*)"([^>]*)/>')
_ATTRIBUTE = re.compile(r' ([\w-]+)="[^"]*"')


def dots(svg: str) -> str:
    """Round points as one path for all of them, each a line of no length with round ends.

    Where edges have a color of their own and could lie over another point's face they stay marks.
    """
    return _ROUND.sub(_as_path, svg)


def _as_path(match: re.Match[str]) -> str:
    _, radius, edge, clip, uses, face = match.groups()
    places = _PLACE.findall(uses)
    if edge != face and len(places) > 1:
        return match.group()
    d = " ".join(f"M {x} {y} h0" for x, y in places)
    across = 2 * float(radius) + 1  # matplotlib's edge is 1 wide, half of it outside
    discs = {edge: across} if edge == face else {edge: across, face: across - 2}
    return "".join(
        f'<path d="{d}"{clip or ""} fill="none" stroke="{color}" '
        f'stroke-width="{width:g}" stroke-linecap="round"/>'
        for color, width in discs.items()
    )


def faint(svg: str) -> str:
    """The opacity of what has a fill and no stroke, as the opacity of its fill."""

    def fill(match: re.Match[str]) -> str:
        tag = match.group()
        if "stroke=" in tag or "fill-opacity=" in tag:
            return tag
        return tag.replace(' opacity="', ' fill-opacity="')

    return _FAINT.sub(fill, svg)


def drawn_there(svg: str) -> str:
    """Marks of straight lines, such as an axis' ticks, as paths where they stand."""
    shapes = {name: (d, style) for name, d, style in _STRAIGHT.findall(svg)}

    def path(match: re.Match[str]) -> str:
        name, x, y, given = match.groups()
        if name not in shapes:
            return match.group()
        d, style = shapes[name]
        place = [float(x), float(y)] * d.count(" ")  # of x and y by turns: enough of them
        moved = _NUMBER.sub(lambda number: _tenths(float(number.group()) + place.pop(0)), d)
        own = {attribute.group(1) for attribute in _ATTRIBUTE.finditer(style)}
        rest = [a.group() for a in _ATTRIBUTE.finditer(given) if a.group(1) not in own]
        return f'<path d="{moved}"{style}{"".join(rest)}/>'

    return _STRAIGHT.sub("", _MARK.sub(path, svg))


def unframed(svg: str, clips: str) -> str:
    """Paths without a clip path wherever they end within it, or are lines and can be cut there.

    ``clips`` are the clip paths' definitions. A line may then stand out by half of its width.
    """
    frames = {
        name: tuple(float(number) for number in numbers) for name, *numbers in _FRAME.findall(clips)
    }

    def free(match: re.Match[str]) -> str:
        d, name, no_fill = match.groups()
        if name not in frames:
            return match.group()
        left, top, width, height = frames[name]
        frame = (left, top, left + width, top + height)
        numbers = [float(number) for number in _NUMBER.findall(d)]
        points = zip(numbers[::2], numbers[1::2], strict=True)
        if not all(frame[0] <= x <= frame[2] and frame[1] <= y <= frame[3] for x, y in points):
            if not no_fill or set(re.findall("[A-Za-z]", d)) != {"M", "L"}:
                return match.group()
            d = " ".join(_cut(d, frame))
        return f'<path d="{d}"{no_fill or ""}'

    return _FRAMED.sub(free, svg)


def _cut(d: str, frame: tuple[float, float, float, float]) -> Iterator[str]:
    """What lies within the frame of the lines M x y L x y …; Liang & Barsky 1984."""
    left, top, right, bottom = frame
    for line in d.split("M ")[1:]:
        numbers = [float(number) for number in _NUMBER.findall(line)]
        pen = None
        for (x, y), (to_x, to_y) in pairwise(zip(numbers[::2], numbers[1::2], strict=True)):
            dx, dy = to_x - x, to_y - y
            enters, leaves = 0.0, 1.0  # how far along the piece
            for toward, room in (
                (-dx, x - left),
                (dx, right - x),
                (-dy, y - top),
                (dy, bottom - y),
            ):
                if toward > 0:
                    leaves = min(leaves, room / toward)
                elif toward < 0:
                    enters = max(enters, room / toward)
                elif room < 0:
                    leaves = -1.0
            if enters > leaves:
                continue
            start, end = (f"{_tenths(x + dx * k)} {_tenths(y + dy * k)}" for k in (enters, leaves))
            if start != pen:
                yield f"M {start}"
            yield f"L {end}"
            pen = end


def _tenths(number: float) -> str:
    """As `svg.tenths` writes it: 12.34 -> 12.3, 12.04 -> 12, -0.04 -> 0."""
    return f"{round(number, 1) + 0.0:g}"
