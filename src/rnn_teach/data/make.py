"""Where the shipped data came from: rebuilds these files from their sources, for review, never at run time."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from pydoc_data.topics import topics

HERE = Path(__file__).parent
SYMBOLS = set("abcdefghijklmnopqrstuvwxyz '(),-.:;_")
MARKUP = str.maketrans({"’": "'", "‘": "'", "“": "", "”": "", '"': "", "*": "", "–": "-", "`": ""})


def prose() -> str:
    """Return the paragraphs of Python's own help that are English: one a line, lower case."""
    paragraphs: dict[str, str] = {}
    for topic in sorted(topics):
        for block in re.split(r"\n *\n", topics[topic]):
            line = " ".join(block.split()).translate(MARKUP).lower()
            line = re.sub(r" ?\[\d+\]", "", line).removeprefix("- ").strip()
            if len(line) >= 60 and "---" not in line and set(line) <= SYMBOLS:
                # Topics repeat each other; a repeated paragraph would leak into the held-out text.
                paragraphs.setdefault(line[:40], line)
    return "\n".join(paragraphs.values()) + "\n"


def given_names(census_table: Path) -> str:
    """Return the first column of a Census table (name, percent, cumulative percent, rank)."""
    rows = census_table.read_text(encoding="ascii").splitlines()
    return "\n".join(row.split()[0].lower() for row in rows) + "\n"


def sunspots(table: Path) -> str:
    """Return the lines of statsmodels' table (year, number) under names of our own."""
    _, *rows = table.read_text(encoding="ascii").splitlines()
    return "\n".join(["year,number", *rows]) + "\n"


if __name__ == "__main__":
    # python make.py NAMES SUNSPOTS: the folder `names` of the unpacked names 0.3.0, and the file
    # statsmodels/datasets/sunspots/sunspots.csv of the unpacked statsmodels 0.15.0
    (HERE / "english.txt").write_text(prose(), encoding="ascii", newline="\n")
    for kind in ("female", "male"):
        text = given_names(Path(sys.argv[1]) / f"dist.{kind}.first")
        (HERE / f"names_{kind}.txt").write_text(text, encoding="ascii", newline="\n")
    (HERE / "sunspots.csv").write_text(sunspots(Path(sys.argv[2])), encoding="ascii", newline="\n")
