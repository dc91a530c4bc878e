"""What the results page says of the package's speed, from what `make bench` measured."""

from __future__ import annotations

import csv

from .jobs import ROOT

TABLE = ROOT / "benchmarks" / "cells.csv"
CELLS = ("RNN", "LSTM", "GRU")
TEXT = """\
(results-speed)=
## Speed

How many times as long PyTorch takes as `rnn_teach` for a forward pass and all gradients of one batch, on the processor; above 1, `rnn_teach` is faster.
The gradients had to agree first. Then the two took turns, each with one thread or two, whichever it is faster with; the numbers are medians of {turns}.

```{{image}} images/benchmark.svg
:class: only-light
:alt: For each size and cell, how many times as long PyTorch takes; the table below has the numbers.
```
```{{image}} images/benchmark-dark.svg
:class: only-dark
:alt: For each size and cell, how many times as long PyTorch takes; the table below has the numbers.
```

{table}

With small layers and few sequences most of the time goes into calls, not into arithmetic, and `rnn_teach` makes few of them.
PyTorch's LSTM in float32 is a single compiled kernel, and no loop in Python comes near it while the products are small.
On the long sequence, T = 1,000, N = 8 and H = 64, one pass of the LSTM takes {ours} MB of memory, PyTorch's {theirs} MB.
JAX, once it has compiled the loop, is {jax_low} to {jax_high} times as fast as `rnn_teach` at N = 1; the same loop in plain NumPy under `autograd` takes {autograd_low} to {autograd_high} times as long.
`import rnn_teach` takes {import_ratio} times as long as `import numpy`.

Command: `make bench`. On {machine}; {versions}.
"""


def rows() -> tuple[list[str], list[dict[str, str]]]:
    """Return the comments above the table and its rows."""
    lines = TABLE.read_text("utf-8").splitlines()
    about = [line.removeprefix("# ") for line in lines if line.startswith("#")]
    return about, list(csv.DictReader(line for line in lines if not line.startswith("#")))


def section() -> str:
    """Return the part of the page about speed."""
    about, found = rows()
    passes = [row for row in found if row["quantity"] == "pass"]
    alone = [row for row in passes if row["N"] == "1" and row["dtype"] == "float64"]

    def ratios(contender: str) -> list[float]:
        return [float(row["ratio"]) for row in alone if row["contender"] == contender]

    def peak(contender: str) -> str:
        kind = ("peak memory", "LSTM", contender)
        values = [r["value"] for r in found if (r["quantity"], r["cell"], r["contender"]) == kind]
        return f"{float(values[0]):.0f}"

    imports = [row for row in found if row["quantity"] == "import"]
    return TEXT.format(
        turns=about[2].partition(" of ")[0],
        table=table([row for row in passes if row["contender"] == "torch"]),
        ours=peak("rnn_teach"),
        theirs=peak("torch"),
        jax_low=f"{1 / max(ratios('jax')):.1f}",
        jax_high=f"{1 / min(ratios('jax')):.0f}",
        autograd_low=f"{min(ratios('autograd')):.0f}",
        autograd_high=f"{max(ratios('autograd')):.0f}",
        import_ratio=f"{float(imports[0]['ratio']):.1f}",
        machine=about[0].replace("(R)", ""),
        versions=about[1],
    )


def table(passes: list[dict[str, str]]) -> str:
    """Return a Markdown table: a line a size, a column for each cell in both precisions."""
    ratio = {(r["T"], r["N"], r["D"], r["H"], r["dtype"], r["cell"]): r["ratio"] for r in passes}
    kinds = [(dtype, cell) for dtype in ("float64", "float32") for cell in CELLS]
    heads = ["T", "N", "D", "H", *(f"{cell}, {dtype}" for dtype, cell in kinds)]
    lines = [heads, ["---:"] * len(heads)]
    for size in dict.fromkeys(key[:4] for key in ratio):
        lines.append([*size, *(f"{float(ratio[*size, *kind]):.1f}" for kind in kinds)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
