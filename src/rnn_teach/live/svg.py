"""SVG blitting: the figure drawn once with a slot around each artist that changes, then only those artists."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure

_GEOMETRY = re.compile(r' (d|x|y|width|height|points|transform)="([^"]*)"')
_DECIMAL = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
# names that matplotlib counts up: no use on the page, and there twice with two figures
_COUNTED = re.compile(r' id="[A-Za-z0-9.]+_\d+"| transform="rotate\(-?0(?:\.0)? [^"]*"')
_COLOR = re.compile(r"(?<=: )#([0-9a-f]{6})")


class Drawing:
    """A matplotlib figure as one SVG with slots, and fragments to put into them."""

    def __init__(self, fig: Figure, name: str) -> None:
        self.fig, self.name = fig, name
        fig.set_dpi(72)  # SVG's own unit; at any other dpi a fragment lands in the wrong place
        with self._settings():
            self._render([fig])  # lays the figure out and creates the ticks
        fig.set_layout_engine("none")
        self.artists = list(_leaves(fig))
        self.live: list[Artist] = []
        self.clips: set[str] = set()
        self._axes = self._measure_axes()
        self._count = self._count_artists()
        self.clear()

    def clear(self) -> None:
        """Forget what changed so far."""
        for artist in self.artists:
            artist.stale = False

    def slot(self, k: int) -> str:
        """The id of slot ``k`` in the page."""
        return f"{self.name}-slot-{k}"

    @property
    def frame(self) -> tuple[int, int]:
        """What ``base`` depends on beside the state: it is to be drawn anew when this changes."""
        return len(self.live), len(self.clips)

    def base(self) -> str:
        """The whole figure as it is now, each live artist inside ``<g id="name-slot-k">``."""
        with self._settings(), _wrapped(self.live, self.slot):
            svg = self._render([self.fig])[0]
        missing = "".join(sorted(clip for clip in self.clips if clip not in svg))
        return svg.removesuffix("</svg>") + f"<defs>{missing}</defs></svg>"

    def fragments(self) -> list[str]:
        """Every artist that ever changed, as it is now: one SVG fragment each, nothing else drawn.

        Raises ValueError where ``update`` did what a fragment cannot show: new artists, or other
        limits, scale or place of the axes.
        """
        if self._count_artists() != self._count:
            raise ValueError(
                f"live figure {self.name!r}: update added or removed artists; create every artist "
                "before interact and change it in update: set_data, set_text, set_visible, …"
            )
        if self._measure_axes() != self._axes:
            raise ValueError(
                f"live figure {self.name!r}: update changed an axes' limits, scale or place; "
                "set them before interact, wide enough for every state"
            )
        known = {*self.live}
        self.live = [artist for artist in self.artists if artist.stale or artist in known]
        with self._settings():
            *parts, rest = self._render(self.live)
        self.clips.update(re.findall(r"<clipPath.*?</clipPath>", rest))
        return parts

    def _render(self, artists: Sequence[Artist]) -> list[str]:
        width, height = (size * 72 for size in self.fig.get_size_inches())
        out = io.StringIO()
        renderer = RendererSVG(width, height, out, metadata={"Date": None})
        if artists == [self.fig]:
            self.fig.draw(renderer)
            renderer.finalize()
            return [tidy(out.getvalue())]
        for artist in artists:
            renderer.open_group("slot", gid="live-slot")
            artist.draw(renderer)
            renderer.close_group("slot")
        renderer.open_group("slot", gid="live-slot")
        renderer.close_group("slot")
        renderer.finalize()
        svg = tidy(out.getvalue()).replace('<g id="live-slot"/>', '<g id="live-slot"></g>')
        _, *parts, rest = svg.split('<g id="live-slot">')
        return [*(part.removesuffix("</g>") for part in parts), rest]

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

    def _count_artists(self) -> list[int]:
        return [len(parent.get_children()) for parent in (self.fig, *self.fig.axes)]


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


@contextmanager
def _wrapped(artists: Sequence[Artist], slot: Callable[[int], str]) -> Iterator[None]:
    """Every ``artist.draw`` writes its slot's group around what it draws, also when it draws nothing."""

    def wrap(artist: Artist, gid: str) -> None:
        draw = artist.draw

        def draw_in_slot(renderer: RendererSVG, *args: object, **kwargs: object) -> None:
            renderer.open_group("slot", gid=gid)
            draw(renderer, *args, **kwargs)
            renderer.close_group("slot")

        artist.draw = draw_in_slot

    for k, artist in enumerate(artists):
        wrap(artist, slot(k))
    try:
        yield
    finally:
        for artist in artists:
            del artist.draw


def tidy(svg: str) -> str:
    """The SVG alone, numbers rounded to 0.1 px, without comments, metadata and white space."""
    svg = svg[svg.index("<svg") :] if "<svg" in svg else svg
    svg = re.sub(
        r"<!--.*?-->|<metadata>.*?</metadata>|<defs>\s*<style.*?</defs>", "", svg, flags=re.DOTALL
    )
    svg = _COUNTED.sub("", re.sub(r">\s+<", "><", svg.strip()))
    return _GEOMETRY.sub(_rounded, svg)


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
    return _COLOR.sub(r"var(--c\1,#\1)", svg)
