"""The numbers behind a picture: tables that ``update`` returns, or what the figure's labeled artists show."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

Table = dict[str, Any]  # {"caption": str, "columns": [str, …], "rows": [[number or str, …], …]}

MAX_BYTES = 1_000_000


def table(columns: Any) -> Table:
    """The table an author returned: a dict of column names and equally long 1-D columns.

    Raises TypeError or ValueError that says what is wrong with it.

    >>> table({"step": [1, 2], "norm": [0.5, 0.123456]})
    {'caption': '', 'columns': ['step', 'norm'], 'rows': [[1, 0.5], [2, 0.1235]]}
    """
    if not isinstance(columns, Mapping) or not columns:
        raise TypeError(f"got {columns!r}, expected a dict of column names and columns")
    arrays = {str(name): np.asarray(column) for name, column in columns.items()}
    for name, array in arrays.items():
        if array.ndim != 1 or array.dtype.kind not in "biufU":
            raise ValueError(
                f"column {name!r} has the shape {array.shape} and the dtype {array.dtype}, "
                "expected one row of numbers or texts"
            )
    if len({len(array) for array in arrays.values()}) > 1:
        lengths = ", ".join(f"{name!r} has {len(array)}" for name, array in arrays.items())
        raise ValueError(f"columns must be equally long: {lengths}")
    return _table("", arrays)


def read(fig: Figure) -> list[Table]:
    """What the figure's visible, labeled artists show: lines, points, bars and images.

    An artist takes part that has a label of its own: ``ax.plot(x, y, label="measured")``.
    """
    return [found for ax in fig.axes if ax.get_visible() for found in _read(ax)]


def _read(ax: Axes) -> Iterator[Table]:
    across, up = ax.get_xlabel() or "x", ax.get_ylabel() or "y"
    caption = ax.get_title() or ax.get_title("left") or ax.get_ylabel()
    for bars in filter(_shown, ax.containers):
        if isinstance(bars, BarContainer):
            lying = bars.orientation == "horizontal"
            place = [b.get_y() + b.get_height() / 2 if lying else b.get_x() + b.get_width() / 2
                     for b in bars]  # fmt: skip
            size = [b.get_width() if lying else b.get_height() for b in bars]
            yield _table(caption, {up if lying else across: place, bars.get_label(): size})
    curves: dict[bytes, dict[str, np.ndarray]] = {}  # lines over the same x make one table
    for artist in filter(_shown, [*ax.lines, *ax.collections]):
        if isinstance(artist, PathCollection):
            x, y = np.ma.filled(np.ma.asarray(artist.get_offsets(), float), np.nan).T
        elif artist in ax.lines:
            x, y = (np.ma.filled(np.ma.asarray(v, float), np.nan) for v in artist.get_data())
        else:
            continue
        curves.setdefault(x.tobytes(), {across: x})[artist.get_label()] = y
    yield from (_table(caption, columns) for columns in curves.values())
    for image in filter(_shown, ax.images):
        values = np.ma.filled(np.ma.asarray(image.get_array(), float), np.nan)
        if values.ndim == 2:
            columns = {f"{across} {k}": column for k, column in enumerate(values.T)}
            yield _table(image.get_label(), {up: np.arange(len(values)), **columns})


def _shown(artist: Artist) -> bool:
    visible = artist.get_visible() if hasattr(artist, "get_visible") else True
    return visible and not str(artist.get_label()).startswith("_")


def _table(caption: str, columns: Mapping[str, Any]) -> Table:
    rows = zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True)
    return {
        "caption": caption,
        "columns": list(columns),
        "rows": [[_rounded(value) for value in row] for row in rows],
    }


def _rounded(value: Any) -> Any:
    """Four significant digits; None, an empty cell, for what is not a number."""
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    short = float(f"{value:.4g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def encode(tables: Sequence[Sequence[Table]]) -> bytes:
    """Pack the tables of every state, each different one once; at most 1 MB compressed.

    Above that every second, fourth, … row is kept, and the caption says so. Empty if there are
    no tables.
    """
    if not any(tables):
        return b""
    step = 1
    while True:
        texts = [[json.dumps(_every(t, step), ensure_ascii=False) for t in ts] for ts in tables]
        place = {text: k for k, text in enumerate(dict.fromkeys(t for ts in texts for t in ts))}
        at = json.dumps([[place[text] for text in ts] for ts in texts], separators=(",", ":"))
        data = f'{{"tables":[{",".join(place)}],"at":{at}}}'
        packed = gzip.compress(data.encode(), 9, mtime=0)
        if len(packed) <= MAX_BYTES or all(len(t["rows"]) <= step for ts in tables for t in ts):
            return packed
        step *= 2


def _every(full: Table, step: int) -> Table:
    if step == 1 or len(full["rows"]) <= step:
        return full
    note = f"one row in {step}"
    caption = f"{full['caption']} ({note})" if full["caption"] else note
    return {**full, "caption": caption, "rows": full["rows"][::step]}
