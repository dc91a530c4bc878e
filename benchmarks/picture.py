"""Draws benchmarks/cells.csv for the book: how many times as long as rnn_teach PyTorch takes."""

import csv
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from rnn_teach import plots

TABLE = Path(__file__).with_name("cells.csv")
PICTURE = Path(__file__).parents[1].joinpath("book", "images", "benchmark.svg")
DARK = {  # the house colors on a dark page, as in live.css
    plots.INK: "#e8ebf0",
    plots.MUTED: "#a7b0bc",
    plots.GRID: "#3a424d",
    plots.RNN: "#ff9a5c",
    plots.GRU: "#4fcfa6",
    plots.LSTM: "#7fb6f5",
}
TICKS = [0.5, 1, 2, 4, 8, 16, 32]


def measured() -> list[dict[str, str]]:
    """The rows that compare one pass of PyTorch's with ours."""
    with TABLE.open(newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    return [row for row in rows if (row["quantity"], row["contender"]) == ("pass", "torch")]


def draw_ratios(ax: Axes, rows: list[dict[str, str]]) -> None:
    """A dot a cell and a line a size: the median of the paired ratios and, thin, their range."""
    sizes = list(dict.fromkeys(tuple(row[name] for name in "TNDH") for row in rows))
    for row in rows:
        k = list(plots.CELL_COLORS).index(row["cell"])
        y = sizes.index(tuple(row[name] for name in "TNDH")) + 0.22 * (k - 1)
        color = plots.CELL_COLORS[row["cell"]]
        ax.plot([float(row["lowest"]), float(row["highest"])], [y, y], color=color, linewidth=1)
        ax.plot(float(row["ratio"]), y, "o^s"[k], color=color, markersize=5.5, label=row["cell"])
    ax.axvline(1, color=plots.INK, linewidth=1)
    ax.set_xscale("log")
    ax.set_xlim(TICKS[0] / 1.6, TICKS[-1])
    ax.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    ax.minorticks_off()
    ax.set_yticks(range(len(sizes)), [", ".join(size) for size in sizes])
    ax.set_ylim(len(sizes) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)


def main() -> None:
    rows = measured()
    with plots.style():
        fig, axes = plt.subplots(2, 1, figsize=(5.2, 6.4), sharex=True)
        for ax, dtype in zip(axes, ("float64", "float32"), strict=True):
            draw_ratios(ax, [row for row in rows if row["dtype"] == dtype])
            ax.set_title(f"{dtype}: T, N, D, H")
        axes[1].set_xlabel("PyTorch's time over ours (right of 1 we are faster)")
        marks, names = axes[0].get_legend_handles_labels()
        by_name = dict(zip(names, marks, strict=True))
        axes[0].legend(by_name.values(), by_name, loc="lower right")
        fig.savefig(PICTURE, metadata={"Date": None})
        plt.close(fig)
    svg = PICTURE.read_text("utf-8")
    for light, dark in DARK.items():
        svg = svg.replace(light, dark)
    PICTURE.with_stem("benchmark-dark").write_text(svg, "utf-8")


if __name__ == "__main__":
    main()
