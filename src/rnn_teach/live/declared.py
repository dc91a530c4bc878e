"""Which artists a live figure may change, and which of them are controls themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.figure import Figure

from .controls import Control
from .svg import Drawing


def marks(fig: Figure, name: str, controls: Sequence[Control]) -> dict[Artist, str]:
    """The id in the page of each artist that sets a value of a control.

    Raises ValueError, naming the control, unless there is one artist of ``fig`` for each value.
    """
    found: dict[Artist, str] = {}
    for control in controls:
        if control.artists and len(control.artists) != len(control.values):
            raise ValueError(
                f"control {control.name!r}: {len(control.artists)} artists for "
                f"{len(control.values)} values; give one for each value, in the same order"
            )
        for k, artist in enumerate(control.artists):
            if _home(artist) is not fig:
                raise ValueError(
                    f"control {control.name!r}: artist {k}, {artist!r}, is not in this figure"
                )
            if artist in found:
                raise ValueError(
                    f"control {control.name!r}: artist {k} already sets {found[artist]}"
                )
            found[artist] = f"{name}-at-{control.name}-{k}"
    return found


class Foreign:
    """The artists that ``update`` refers to and that the figure does not show."""

    def __init__(self, drawing: Drawing, update: Callable[..., Any]) -> None:
        self.drawing, self.update = drawing, update
        self.artists: list[Artist] = []

    def clear(self) -> None:
        """Find them, for a name may have got another value, and forget what changed so far."""
        self.artists = [a for a in _referred(self.update) if _home(a) is not self.drawing.fig]
        for artist in self.artists:
            artist.stale = False

    def check(self, where: str) -> None:
        """Raises ValueError if one of them has changed: nobody would see it."""
        for artist in self.artists:
            if artist.stale:
                home = "in another figure" if _home(artist) else "in no figure"
                raise ValueError(
                    f"{where} changed {artist!r}, which is {home}; create every artist in the "
                    "axes of the figure that interact gets, under a name of its own"
                )


def _home(artist: Artist) -> Figure | None:
    """The whole figure that an artist belongs to."""
    figure = artist.figure
    return figure and figure.figure  # of a subfigure this is the figure, of a figure itself


def _referred(update: Callable[..., Any]) -> Iterator[Artist]:
    """The artists among what a function refers to by name, also in lists, tuples and dicts."""
    code, outer = getattr(update, "__code__", None), getattr(update, "__globals__", {})
    values = [outer[name] for name in (code.co_names if code else ()) if name in outer]
    for cell in getattr(update, "__closure__", None) or ():
        try:
            values.append(cell.cell_contents)
        except ValueError:
            pass  # a name that gets its value later
    for value in values:
        inside = value.values() if isinstance(value, Mapping) else value
        several = isinstance(value, Mapping | list | tuple)
        yield from (v for v in (inside if several else [value]) if isinstance(v, Artist))
