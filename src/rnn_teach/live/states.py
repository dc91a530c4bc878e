"""All states of a figure: drawn on all cores, and kept from build to build."""

from __future__ import annotations

import base64
import io
import os
import pickle
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np

from . import kept, numbers, payload
from .controls import Control, State, states
from .svg import Drawing

FEW = 32  # states that are drawn before another process has begun
EVERY = 20  # each twentieth state is drawn once more, out of order: a state has no history


class Drawn(NamedTuple):
    """One state: a fragment for each slot, the sentence, and the numbers behind the picture."""

    fragments: list[str]
    sentence: str
    tables: list[numbers.Table]


class Packed(NamedTuple):
    """All states as a page carries them: the pictures, and the numbers (empty if there are none)."""

    pictures: bytes = b""
    numbers: bytes = b""


def compute(
    drawing: Drawing, controls: Sequence[Control], draw: Callable[[State], Drawn]
) -> Packed:
    """Every state of the figure. ``draw`` draws one; ``drawing`` learns which artists are live.

    Raises ValueError, naming the figure and what to do, above 2,000 states or 150 KB, for a
    control that changes nothing, and for a state that is another one when it is drawn again.
    """
    payload.check_count(drawing.name, controls)
    grid = list(states(controls))
    file, key = _place(drawing)
    found = kept.load(file, key) if file else None
    packed = _read(drawing, found, grid, draw)
    if packed is not None:
        kept.note(list(found["reads"]))
        return packed
    drawing.live, drawing.clips = [], set()
    drawn = on_all_cores(drawing, draw, grid)
    _check(drawing.name, controls, drawn)
    again = sorted({*_few(grid), *range(0, len(grid), EVERY)})
    again = np.random.default_rng(0).permutation(again)
    if not _same(again, grid, draw, [one[:2] for one in drawn]):
        raise ValueError(
            f"live figure {drawing.name!r}: update with the same values drew two different "
            "pictures; it must depend on its arguments alone: make random numbers inside it, "
            "from rng = np.random.default_rng(0), and do not change what it draws from"
        )
    pictures, says, tables = zip(*drawn, strict=True)
    packed = Packed(payload.encode(drawing.name, controls, pictures, says), numbers.encode(tables))
    read = kept.reads(kept.own_list()) if file else None
    if read is not None:
        kept.save(file, key, read, **_written(drawing, packed))
    return packed


# ---- drawn ---------------------------------------------------------------------------------------


def cores() -> int:
    """The processors this process may use; 1 where a process cannot be forked safely."""
    # macOS and Windows have no affinity, and system libraries that do not survive a fork
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def on_all_cores(
    drawing: Drawing, draw: Callable[[State], Drawn], grid: Sequence[State]
) -> list[Drawn]:
    """Each state of ``grid``, drawn by as many processes as there are cores: the same as one by one.

    The processes are forks of this one, so ``update`` may refer to anything; nothing is pickled
    but what they draw.
    """
    count = cores() if len(grid) > FEW else 1
    while count > 1:
        shares = [grid[k::count] for k in range(count)]
        parts = _forked([lambda s=share: _in_turn(drawing, draw, s) for share in shares])
        if parts is None:
            break  # something failed: draw here, where the error can be seen
        live = {k for _, places, _ in parts for k in places}
        drawing.live = [artist for k, artist in enumerate(drawing.artists) if k in live]
        drawing.clips = set().union(*(clips for _, _, clips in parts))
        if all(len(places) == len(live) for _, places, _ in parts):
            drawn: list[Any] = [None] * len(grid)
            for k, (share, _, _) in enumerate(parts):
                drawn[k::count] = share
            return drawn
    return _in_turn(drawing, draw, grid)[0]


def _in_turn(
    drawing: Drawing, draw: Callable[[State], Drawn], grid: Sequence[State]
) -> tuple[list[Drawn], list[int], set[str]]:
    """Each state in turn, the places of the live artists among all, and what their slots refer to."""
    while True:
        slots, drawn = len(drawing.live), []
        for state in grid:
            one = draw(state)
            if len(one.fragments) > slots:
                break  # this state changes an artist that had no slot so far: start again
            drawn.append(one)
        else:
            return drawn, _places(drawing), drawing.clips


def _places(drawing: Drawing) -> list[int]:
    live = {id(artist) for artist in drawing.live}
    return [k for k, artist in enumerate(drawing.artists) if id(artist) in live]


def _forked(tasks: Sequence[Callable[[], Any]]) -> list[Any] | None:
    """What the tasks return, each run by a fork of this process; None if one of them failed."""
    readers, children = [], []
    for task in tasks:
        reader, writer = os.pipe()
        with warnings.catch_warnings():
            # Python warns of forks beside threads; the kernel's threads hold no lock of ours
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            _answer(writer, task)
        os.close(writer)
        readers.append(reader)
        children.append(child)
    results = []
    for reader, child in zip(readers, children, strict=True):
        with os.fdopen(reader, "rb") as answer:
            data = answer.read()
        os.waitpid(child, 0)
        results.append(pickle.loads(data) if data else None)
    if None in results:
        return None
    for _, printed, complained in results:
        sys.stdout.write(printed)
        sys.stderr.write(complained)
    return [result for result, _, _ in results]


def _answer(writer: int, task: Callable[[], Any]) -> None:
    """In the fork: write down the task's result and end without a trace; nothing, if it fails."""
    try:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            result = task()
        with os.fdopen(writer, "wb") as answer:
            pickle.dump((result, out.getvalue(), err.getvalue()), answer)
    finally:
        os._exit(0)


# ---- checked -------------------------------------------------------------------------------------


def _check(name: str, controls: Sequence[Control], drawn: Sequence[Drawn]) -> None:
    """ValueError for a control along which no two states differ."""
    numbered: dict[Any, int] = {}
    looks = [numbered.setdefault((*one.fragments, one.sentence), len(numbered)) for one in drawn]
    look = np.reshape(looks, [len(control.values) for control in controls])
    for k, control in enumerate(controls):
        if (look == look.take([0], axis=k)).all():
            raise ValueError(
                f"live figure {name!r}: the control {control.name!r} changes nothing; change an "
                f"artist of this figure by it in update, or leave it out with fixed(...)"
            )


def _same(
    places: Sequence[int],
    grid: Sequence[State],
    draw: Callable[[State], Drawn],
    drawn: Sequence[tuple[list[str], str]],
) -> bool:
    """Whether the states at these places, drawn once more, are what they were."""
    return all(draw(grid[k])[:2] == drawn[k] for k in places)


def _few(grid: Sequence[State]) -> list[int]:
    """The places of the first state, the one in the middle and the last."""
    return sorted({0, len(grid) // 2, len(grid) - 1})


# ---- kept ----------------------------------------------------------------------------------------


def _place(drawing: Drawing) -> tuple[Path | None, str]:
    """The file for this figure's states and the key of the code that makes them."""
    cells = _cells()
    if not cells or not all(os.environ.get(n) for n in (kept.KEEP, kept.READS, kept.ROOTS)):
        return None, ""
    settings = sorted((name, repr(value)) for name, value in mpl.rcParams.items())
    key = kept.key(drawing.name, os.getcwd(), cells, settings)
    return Path(os.environ[kept.KEEP], f"{drawing.name}.json"), key


def _cells() -> list[str]:
    """The code of the notebook so far; empty outside one."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return list(shell.user_ns.get("In", [])) if shell else []


def _written(drawing: Drawing, packed: Packed) -> dict[str, Any]:
    return {
        "live": _places(drawing),
        "clips": sorted(drawing.clips),
        "pictures": base64.b64encode(packed.pictures).decode(),
        "numbers": base64.b64encode(packed.numbers).decode(),
    }


def _read(
    drawing: Drawing, found: Any, grid: Sequence[State], draw: Callable[[State], Drawn]
) -> Packed | None:
    """What ``_written`` kept, if a few of its states are what is drawn now."""
    try:
        packed = Packed(*(base64.b64decode(found[name]) for name in Packed._fields))
        pictures, says = payload.decode(packed.pictures)
        drawing.live = [drawing.artists[k] for k in found["live"]]
        drawing.clips = set(found["clips"])
        same = _same(_few(grid), grid, draw, list(zip(pictures, says, strict=True)))
        return packed if same else None
    except (TypeError, ValueError, KeyError, LookupError, OSError, EOFError):
        return None
