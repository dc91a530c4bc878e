"""One figure with the same 48 states, published by others: pages for `live_publishers.py` to open.

It runs in an environment of its own: python publishers.py FOLDER
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

GAINS = [round(0.5 + 0.1 * k, 1) for k in range(16)]
SHIFTS = [0, 2, 4]
T = np.linspace(0, 10, 200)
LINES = 3


def wave(gain: float, shift: int, k: int) -> np.ndarray:
    """The height of line ``k``, the same for everybody."""
    return gain * np.exp(-T / 8) * np.sin(T - 0.5 * shift - k)


def panel_embed(page: Path) -> None:
    """Panel: matplotlib's SVG of every state, embedded by ``save(embed=True)``."""
    import panel as pn
    from matplotlib.figure import Figure

    gain = pn.widgets.DiscreteSlider(name="gain", options=GAINS, value=1.0)
    shift = pn.widgets.DiscreteSlider(name="shift", options=SHIFTS, value=0)

    def draw(gain: float, shift: int) -> pn.pane.Matplotlib:
        fig = Figure(figsize=(5, 2.4))
        ax = fig.subplots()
        ax.set(xlim=(0, 10), ylim=(-2, 2))
        for k in range(LINES):
            ax.plot(T, wave(gain, shift, k))
        return pn.pane.Matplotlib(fig, format="svg")

    shown = pn.Column(gain, shift, pn.bind(draw, gain, shift))
    shown.save(page, embed=True, max_states=200, max_opts=20, resources="inline")


def holomap(page: Path) -> None:
    """HoloViews: a HoloMap drawn by Bokeh, with its own scrubbing widgets."""
    import holoviews as hv

    hv.extension("bokeh", logo=False)
    curves = {
        (gain, shift): hv.Overlay(
            [hv.Curve((T, wave(gain, shift, k)), "time", "height") for k in range(LINES)]
        )
        for gain in GAINS
        for shift in SHIFTS
    }
    hv.save(hv.HoloMap(curves, kdims=["gain", "shift"]), page, fmt="html", resources="inline")


def plotly_frames(page: Path) -> None:
    """Plotly: one slider over traces that a step shows; its sliders know one control only."""
    import plotly.graph_objects as go

    grid = [(gain, shift) for gain in GAINS for shift in SHIFTS]
    fig = go.Figure([go.Scatter(x=T, y=wave(*grid[0], k)) for k in range(LINES)])
    fig.frames = [
        go.Frame(name=f"{g} {s}", data=[go.Scatter(x=T, y=wave(g, s, k)) for k in range(LINES)])
        for g, s in grid
    ]
    still = {"mode": "immediate", "frame": {"duration": 0}, "transition": {"duration": 0}}
    steps = [
        {"method": "animate", "args": [[frame.name], still], "label": frame.name}
        for frame in fig.frames
    ]
    fig.update_layout(sliders=[{"steps": steps}], yaxis_range=(-2, 2))
    fig.write_html(page, include_plotlyjs=True)


def bokeh_callback(page: Path) -> None:
    """Bokeh: the arrays of all states in the page and a JavaScript callback written by hand."""
    from bokeh.layouts import column
    from bokeh.models import ColumnDataSource, CustomJS, Slider
    from bokeh.plotting import figure, output_file, save

    every = [[wave(g, s, k) for k in range(LINES)] for g in GAINS for s in SHIFTS]
    names = [f"y{k}" for k in range(LINES)]
    source = ColumnDataSource({"t": T, **dict(zip(names, every[0], strict=True))})
    shown = figure(width=600, height=300, y_range=(-2, 2))
    for name in names:
        shown.line("t", name, source=source)
    gain = Slider(start=0, end=len(GAINS) - 1, value=0, title="gain")
    shift = Slider(start=0, end=len(SHIFTS) - 1, value=0, title="shift")
    code = f"""const now = every[gain.value * {len(SHIFTS)} + shift.value];
    source.data = {{t: source.data.t, {", ".join(f"y{k}: now[{k}]" for k in range(LINES))}}};"""
    follow = CustomJS(
        args={"source": source, "every": every, "gain": gain, "shift": shift}, code=code
    )
    for slider in (gain, shift):
        slider.js_on_change("value", follow)
    output_file(page, mode="inline", title="waves")
    save(column(gain, shift, shown))


WAYS: dict[str, Callable[[Path], None]] = {
    "panel": panel_embed,
    "holoviews": holomap,
    "plotly": plotly_frames,
    "bokeh": bokeh_callback,
}


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in WAYS.items():
        start = time.perf_counter()
        make(folder / f"{name}.html")
        (folder / f"{name}.txt").write_text(f"{time.perf_counter() - start:.2f}")
        print(name, "done", flush=True)


if __name__ == "__main__":
    main()
