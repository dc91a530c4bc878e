"""An SVG that looks the same and moves with less work for a browser: fewer elements, and no layers of their own.

What has a clip path, an opacity or a place of its own (as the marks of a line have) is a layer for
Chromium, and a layer that changes has it sort the layers of the whole page anew, which takes longer
than all else that a new state costs. What remains is paid by the element.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from itertools import combinations, groupby, pairwise

from matplotlib.path import Path
from matplotlib.transforms import Bbox

Frame = tuple[float, float, float, float]  # left, top, right, bottom
_EVERYWHERE = (-math.inf, -math.inf, math.inf, math.inf)

_FRAME = re.compile(
    r'<clipPath id="(\w+)"><rect x="([^"]*)" y="([^"]*)" width="([^"]*)" height="([^"]*)"/>'
)
_FRAMED = re.compile(r'<path(?: d="([^"]*)")?([^>]*?) clip-path="url\(#(\w+)\)"([^>]*)/>')
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
_POINT = re.compile(r"(-?[\d.]+) (-?[\d.]+)")
_NEIGHBORS = re.compile(
    r'(<g clip-path="[^"]*">)(?:<(?:use|path) [^>]*/>)+</g>(?:\1(?:<(?:use|path) [^>]*/>)+</g>)+'
)
_CLIPPED = re.compile(r'<g( clip-path="[^"]*")>((?:<path (?:(?!clip-path)[^>])*/>)*)</g>')
_ROUND = re.compile(  # circles of one size
    r'<defs><path id="([^"]*)" d="M 0 ([\d.]+)(?: C(?: [-\d.]+){6}){8} z"[^>]*/></defs>'
    r'<g(?: clip-path="url\(#(\w+)\)")?(?:/>|>((?:<use href="#\1"[^>]*/>)*)</g>)'
)
_FAINT = re.compile(r'<(?:path|text) [^>]*?(?<= )opacity="[^>]*>')
_MOVED_TEXT = re.compile(r'(<text[^>]*?) transform="translate\(([-\d.]+) ([-\d.]+)\)">(?=[^<]*</)')
_STRAIGHT = re.compile(r'<defs><path id="([^"]*)" d="([-\d.MLz ]*)"([^>]*)/></defs>')
_MARK = re.compile(r'<use href="#([^"]*)" x="([^"]*)" y="([^"]*)"([^>]*)/>')
_ATTRIBUTE = re.compile(r' ([\w-]+)="([^"]*)"')
_ALIKE = re.compile(r'<path d="[^"]*"((?: (?!id=)[\w-]+="[^"]*")*)/>(?:<path d="[^"]*"\1/>)+')
_D = re.compile(r' d="([^"]*)"')


def lighter(svg: str, clips: str, *, points: bool = True) -> str:
    """The SVG with all that this module can do for it; ``clips`` holds the clip paths' definitions.

    Without ``points`` round marks stay as they are: a dot has no extent, which one that can be
    pointed at must have.
    """
    frames = {
        name: (left, top, left + width, top + height)
        for name, left, top, width, height in (
            (name, *map(float, numbers)) for name, *numbers in _FRAME.findall(clips)
        )
    }
    if points:
        svg = dots(_NEIGHBORS.sub(_one_group, svg), frames)
    svg = _CLIPPED.sub(_each_clipped, drawn_there(svg))
    return joined(faint(placed(unframed(svg, frames))))


def _one_group(match: re.Match[str]) -> str:
    return match.group().replace(f"</g>{match.group(1)}", "")


def _each_clipped(match: re.Match[str]) -> str:
    clip, paths = match.groups()
    return paths.replace("/>", f"{clip}/>")


def dots(svg: str, frames: Mapping[str, Frame]) -> str:
    """Round points of one look as one path for all of them, those with their center in the frame.

    A point of one color is a line of no length with round ends, another is two half circles. Where
    edges have a color of their own and would lie over another point's face all stay marks.
    """

    def paths(match: re.Match[str]) -> str:
        _, radius, clip, uses = match.groups()
        if clip and clip not in frames:
            return match.group()
        left, top, right, bottom = frames.get(clip, _EVERYWHERE)
        made = []
        for look, marks in groupby(_MARK.findall(uses or ""), lambda mark: mark[3]):
            places = [(float(x), float(y)) for _, x, y, _ in marks]
            places = [(x, y) for x, y in places if left <= x <= right and top <= y <= bottom]
            made.append(_points(places, float(radius), look) if places else "")
        return match.group() if None in made else "".join(part for part in made if part)

    return _ROUND.sub(paths, svg)


def _points(places: list[tuple[float, float]], radius: float, look: str) -> str | None:
    """Points of one look as a path; None where they cannot be one."""
    style = dict(_ATTRIBUTE.findall(look))
    edge, face = style.get("stroke"), style.get("fill")
    width = float(style.get("stroke-width", 1)) if edge else 0.0
    special = style.keys() - {"fill", "stroke", "stroke-width", "stroke-linejoin"}
    if face and edge in (face, None) and not special:
        d = " ".join(f"M {x:g} {y:g} h0" for x, y in places)
        return (
            f'<path d="{d}" fill="none" stroke="{face}" '
            f'stroke-width="{2 * radius + width:g}" stroke-linecap="round"/>'
        )
    hollow = special == {"fill-opacity"} and float(style["fill-opacity"]) == 0
    if not hollow and any(math.dist(*two) < 2 * radius + width for two in combinations(places, 2)):
        return None
    r, across = f"{radius:g}", f"{2 * radius:g}"
    halves = f"a{r} {r} 0 1 0 {across} 0a{r} {r} 0 1 0-{across} 0z"
    d = " ".join(f"M {_tenths(x - radius)} {y:g}{halves}" for x, y in places)
    return f'<path d="{d}"{look}/>'


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
        rest = dict(_ATTRIBUTE.findall(given)) | dict(_ATTRIBUTE.findall(style))
        if d.count("L") < 2:  # one line: nothing to fill
            rest["fill"] = "none"
        return f'<path d="{moved}"' + "".join(f' {k}="{v}"' for k, v in rest.items()) + "/>"

    return _STRAIGHT.sub("", _MARK.sub(path, svg))


def unframed(svg: str, frames: Mapping[str, Frame]) -> str:
    """Paths without a clip path wherever they end within it, or are straight and can be cut there.

    What has an edge may then stand out by half of its width.
    """

    def free(match: re.Match[str]) -> str:
        d, before, name, after = match.groups()
        style = before + after
        if d is None:
            return f"<path{style}/>"
        if name not in frames:
            return match.group()
        left, top, right, bottom = frame = frames[name]
        points = [(float(x), float(y)) for x, y in _POINT.findall(d)]
        if not all(left <= x <= right and top <= y <= bottom for x, y in points):
            letters = set(re.findall("[A-Za-z]", d))
            if ' fill="none"' in style and letters <= {"M", "L"}:
                d = " ".join(_cut(d, frame))
            elif " stroke=" not in style and letters <= {"M", "L", "z"}:
                d = " ".join(_cut_area(d, frame))
            else:
                return match.group()
        return f'<path d="{d}"{style}/>'

    return _FRAMED.sub(free, svg)


def _cut(d: str, frame: Frame) -> Iterator[str]:
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


def _cut_area(d: str, frame: Frame) -> Iterator[str]:
    """What lies within the frame of the areas M x y L x y … z."""
    left, top, right, bottom = frame
    box = Bbox.from_extents(left, top, right, bottom)
    for area in d.split("M ")[1:]:
        corners = [(float(x), float(y)) for x, y in _POINT.findall(area)]
        within = Path(corners).clip_to_bbox(box).vertices[:-1]  # the first corner ends it, too
        if len(within):
            yield "M " + " L ".join(f"{_tenths(x)} {_tenths(y)}" for x, y in within) + " z"


def placed(svg: str) -> str:
    """Text that is only moved, not turned, at a place instead."""
    return _MOVED_TEXT.sub(r'\1 x="\2" y="\3">', svg)


def faint(svg: str) -> str:
    """The opacity of what has a fill and no stroke, as the opacity of its fill."""

    def fill(match: re.Match[str]) -> str:
        tag = match.group()
        if "stroke=" in tag or "fill-opacity=" in tag:
            return tag
        return tag.replace(' opacity="', ' fill-opacity="')

    return _FAINT.sub(fill, svg)


def joined(svg: str) -> str:
    """Paths of one look that follow each other as one, where none would lie over another.

    Lines of one color may: where one of them is over another, nothing shows which.
    """

    def join(match: re.Match[str]) -> str:
        style = match.group(1)
        lines = ' fill="none"' in style and "opacity=" not in style
        edge = dict(_ATTRIBUTE.findall(style)) if " stroke=" in style else {}
        width = float(edge.get("stroke-width", 1)) if edge else 0.0
        groups: list[list[tuple[str, Frame]]] = [[]]
        for d in filter(None, _D.findall(match.group())):
            extent = _extent(d, width / 2)
            if not lines and any(_overlap(extent, other) for _, other in groups[-1]):
                groups.append([])
            groups[-1].append((d, extent))
        return "".join(f'<path d="{" ".join(d for d, _ in group)}"{style}/>' for group in groups)

    return _ALIKE.sub(join, svg)


def _extent(d: str, margin: float) -> Frame:
    """A frame around the path; everywhere, where it is not of points alone."""
    points = [(float(x), float(y)) for x, y in _POINT.findall(d)]
    if not points or re.search("[^MLCQz. 0-9-]", d):
        return _EVERYWHERE
    x, y = zip(*points, strict=True)
    return min(x) - margin, min(y) - margin, max(x) + margin, max(y) + margin


def _overlap(one: Frame, other: Frame) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _tenths(number: float) -> str:
    """As `svg.tenths` writes it: 12.34 -> 12.3, 12.04 -> 12, -0.04 -> 0."""
    return f"{round(number, 1) + 0.0:g}"
