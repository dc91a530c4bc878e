"""SVG blitting: the figure drawn once with a slot around each artist that changes, then only those artists."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from .lighter import lighter

_GEOMETRY = re.compile(r' (d|x|y|width|height|points|transform)="([^"]*)"')
_DECIMAL = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
# names that nothing refers to, many of them counted up: there twice with two figures
_COUNTED = re.compile(
    r' id="(?:[A-Za-z0-9.]+_\d+|image[0-9a-f]+)"| transform="rotate\(-?0(?:\.0)? [^"]*"'
)
_STYLE = re.compile(r' style="([^"]*)"')
_FONT = re.compile(r"(?P<words>.*?)(?P<size>[\d.]+px) (?P<family>.*)")
_COLOR = re.compile(r'((?:fill|stroke|stop-color)=")#([0-9a-f]{6})(?=")')
_SHARED = re.compile(r"<(clipPath|pattern)\b.*?</\1>")  # what the renderer writes when it finishes
_MARK = re.compile(r'(<path id="|href="#)')  # only marks of lines and points stand under an id
# what matplotlib writes as a style sheet, and its font, once for the whole picture
_ROOT = (
    'stroke-linejoin="round" stroke-linecap="butt" '
    "font-family=\"'DejaVu Sans', Verdana, sans-serif\""
)


class Drawing:
    """A matplotlib figure as one SVG with slots, and fragments to put into them.

    Each artist of ``marks`` is drawn inside a group of the id given there, so that a page finds it.
    """

    def __init__(self, fig: Figure, name: str, marks: Mapping[Artist, str] | None = None) -> None:
        self.fig, self.name, self.marks = fig, name, dict(marks or {})
        fig.set_dpi(72)  # SVG's own unit; at any other dpi a fragment lands in the wrong place
        with self._settings():
            self._render([fig])  # lays the figure out and creates the ticks
        fig.set_layout_engine("none")
        self.artists = list(_leaves(fig))
        self.live: list[Artist] = []
        self.clips: set[str] = set()
        self._axes = self._measure_axes()
        self._children = self._list_children()
        self.clear()

    def clear(self) -> None:
        """Forget what changed so far."""
        for artist in self.artists:
            artist.stale = False
        # the one setter of matplotlib's that does not mark its artist as stale: PathPatch.set_path
        patches = (artist for artist in self.artists if isinstance(artist, PathPatch))
        self._paths = {patch: patch.get_path() for patch in patches}

    def slot(self, k: int) -> str:
        """The id of slot ``k`` in the page."""
        return f"{self.name}-slot-{k}"

    @property
    def frame(self) -> tuple[int, int]:
        """What ``base`` depends on beside the state: it is to be drawn anew when this changes."""
        return len(self.live), len(self.clips)

    def base(self) -> str:
        """The whole figure as it is now, each live artist inside ``<g id="name-slot-k">``."""
        parts = self._parts()
        draws = {
            artist: partial(self._group, gid, artist.draw) for artist, gid in self.marks.items()
        }
        # slots are drawn empty and filled with the very fragments, which need nothing from outside
        for k, artist in enumerate(self.live):
            draws[artist] = partial(self._group, self.slot(k), _nothing)
        with self._settings(), _replaced(draws):
            svg = self._render([self.fig])[0].replace("<svg ", f"<svg {_ROOT} ", 1)
        for k, part in enumerate(parts):
            empty = re.compile(rf'<g id="{self.slot(k)}"(?:/>|></g>)')
            svg = empty.sub(lambda _, k=k, part=part: f'<g id="{self.slot(k)}">{part}</g>', svg)
        svg = lighter(svg, svg, points=False)
        missing = "".join(sorted(shared for shared in self.clips if shared not in svg))
        return svg.removesuffix("</svg>") + f"<defs>{missing}</defs></svg>"

    def fragments(self) -> list[str]:
        """Every artist that ever changed, as it is now: one SVG fragment each, nothing else drawn.

        Raises ValueError where ``update`` did what a fragment cannot show: new artists, or other
        limits, scale or place of the axes.
        """
        if self._list_children() != self._children:
            raise ValueError(
                f"live figure {self.name!r}: update added or removed artists; create every artist "
                "before interact and change it in update: set_data, set_text, set_visible, …"
            )
        if self._measure_axes() != self._axes:
            raise ValueError(
                f"live figure {self.name!r}: update changed an axes' limits, scale or place; "
                "set them before interact, wide enough for every state"
            )
        moved = {patch for patch, path in self._paths.items() if patch.get_path() is not path}
        known = moved.union(self.live)
        self.live = [artist for artist in self.artists if artist.stale or artist in known]
        return self._parts()

    def _parts(self) -> list[str]:
        with self._settings():
            *parts, rest = self._render(self.live)
        self.clips.update(match.group() for match in _SHARED.finditer(rest))
        parts = [_MARK.sub(rf"\g<1>{self.slot(k)}-", part) for k, part in enumerate(parts)]
        clips = "".join(self.clips)
        return [
            lighter(part, clips, points=artist not in self.marks)
            for artist, part in zip(self.live, parts, strict=True)
        ]

    def _render(self, artists: Sequence[Artist]) -> list[str]:
        width, height = (size * 72 for size in self.fig.get_size_inches())
        out = io.StringIO()
        renderer = RendererSVG(width, height, out, metadata={"Date": None})
        if artists == [self.fig]:
            self.fig.draw(renderer)
            renderer.finalize()
            return [tidy(out.getvalue())]
        for artist in artists:
            renderer._markers.clear()  # each fragment defines its own marks, whatever came before
            draw = artist.draw
            if artist in self.marks:
                draw = partial(self._group, self.marks[artist], draw)
            self._group("live-slot", draw, renderer)
        self._group("live-slot", _nothing, renderer)
        renderer.finalize()
        svg = tidy(out.getvalue()).replace('<g id="live-slot"/>', '<g id="live-slot"></g>')
        _, *parts, rest = svg.split('<g id="live-slot">')
        return [*(part.removesuffix("</g>") for part in parts), rest]

    @staticmethod
    def _group(
        gid: str, draw: Callable[..., None], renderer: RendererSVG, *args: object, **kwargs: object
    ) -> None:
        renderer.open_group("slot", gid=gid)
        draw(renderer, *args, **kwargs)
        renderer.close_group("slot")

    @contextmanager
    def _settings(self) -> Iterator[None]:
        # the salt makes ids equal from run to run and different from figure to figure
        settings = {
            "svg.hashsalt": self.name,
            "svg.fonttype": "none",
            "image.composite_image": False,
        }
        with mpl.rc_context(settings):
            yield

    def _measure_axes(self) -> list[tuple[object, ...]]:
        return [
            (*ax.viewLim.extents, ax.get_xscale(), ax.get_yscale(), *ax.get_position().extents)
            for ax in self.fig.axes
        ]

    def _list_children(self) -> list[list[Artist]]:
        # the artists themselves: after ax.clear() and ax.plot() their number is the same
        return [parent.get_children() for parent in (self.fig, *self.fig.axes)]


def _leaves(parent: Artist) -> Iterator[Artist]:
    """Every artist that draws itself, in drawing order; an axis is one piece with its ticks."""
    for child in parent.get_children():
        if isinstance(child, Axis):
            continue
        child.set_animated(False)  # matplotlib leaves animated artists out of a whole drawing
        below = list(_leaves(child))
        yield from below
        if not below and not isinstance(child, Axes):
            yield child


def _nothing(renderer: RendererSVG, *args: object, **kwargs: object) -> None:
    """In place of a ``draw``."""


@contextmanager
def _replaced(draws: Mapping[Artist, Callable[..., None]]) -> Iterator[None]:
    """Each artist draws as told: an attribute of the artist hides its class's method."""
    for artist, draw in draws.items():
        artist.draw = draw
    try:
        yield
    finally:
        for artist in draws:
            del artist.draw


def tidy(svg: str) -> str:
    """The SVG alone, numbers rounded to 0.1 px, without styles, comments, metadata and white space."""
    svg = svg[svg.index("<svg") :] if "<svg" in svg else svg
    svg = re.sub(
        r"<!--.*?-->|<metadata>.*?</metadata>|<defs>\s*<style.*?</defs>", "", svg, flags=re.DOTALL
    )
    svg = _COUNTED.sub("", re.sub(r">\s+<", "><", svg.strip())).replace(" xlink:href=", " href=")
    svg = svg.replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    return _GEOMETRY.sub(_rounded, _STYLE.sub(_attributes, svg))


def _attributes(match: re.Match[str]) -> str:
    """A style as attributes: a page with a strict security policy takes no inline style."""
    pairs = (part.split(":", 1) for part in match.group(1).split(";") if ":" in part)
    style = {name.strip(): value.strip() for name, value in pairs}
    if "font" in style:
        style |= _font(style.pop("font"))
    if style.get("font-family", "monospace").split()[-1] != "monospace":
        del style["font-family"]  # the page's own; without a page, that of the whole picture
    return "".join(f' {name}="{value}"' for name, value in style.items())


def _font(said: str) -> dict[str, str]:
    """A font that matplotlib 3.8 says in one: there is no attribute for all of it together."""
    found = _FONT.fullmatch(said)
    kinds = {"italic": "font-style", "oblique": "font-style", "small-caps": "font-variant"}
    words = {kinds.get(word, "font-weight"): word for word in found["words"].split()}
    return words | {"font-size": found["size"], "font-family": found["family"]}


def _rounded(match: re.Match[str]) -> str:
    name, text = match.groups()
    if name == "transform" and ("matrix" in text or "scale" in text and "(1 -1)" not in text):
        return match.group()  # a factor is not a length
    text = _DECIMAL.sub(lambda number: tenths(round(float(number.group()) * 10)), text)
    return f' {name}="{" ".join(text.split())}"'


def tenths(number: int) -> str:
    """A whole number of tenths as JavaScript writes it: 123 -> 12.3, 120 -> 12, 0 -> 0."""
    return f"{number / 10:.1f}".removesuffix(".0") if number else "0"


def themed(svg: str) -> str:
    """Each color as a CSS variable that a theme may set, with the color itself where none does."""
    return _COLOR.sub(r"\1var(--c\2,#\2)", svg)
