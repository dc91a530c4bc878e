"""The page of licenses names every data file, and what the pages really carry."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
DATA = ROOT / "src" / "rnn_teach" / "data"
PAGE = (ROOT / "book" / "licenses.md").read_text("utf-8")


def test_every_data_file_has_its_source_and_terms() -> None:
    listed = (DATA / "README.md").read_text("utf-8")
    section = PAGE[PAGE.index("## The data") : PAGE.index("## What a page brings")]
    files = {path.name for path in DATA.iterdir() if path.suffix in (".txt", ".csv", ".npz")}
    assert len(files) >= 4
    for name in files:
        row = next(line for line in section.splitlines() if f"`{name}`" in line)
        license = row.strip("| ").split(" | ")[-1]
        assert license in ("public domain", "as the code") or "`LICENSE-PSF`" in license
        assert f"`{name}`" in listed, "the README beside the data knows it, too"
    for shared in ("3.11.7", "pydoc_data.topics", "`names` 0.3.0", "`statsmodels` 0.15.0", "2015"):
        assert shared in section and shared in listed


def test_the_project_says_the_same_everywhere() -> None:
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert 'license = "BSD-3-Clause"' in project and "BSD-3-Clause" in citation
    assert "CC-BY-4.0" in citation and "Attribution 4.0" in PAGE
    assert (ROOT / "LICENSE").read_text("utf-8").startswith("BSD 3-Clause")
    assert (ROOT / "LICENSE-text").read_text("utf-8").startswith("Attribution 4.0 International")


def test_what_the_pages_carry_is_named(book: Path) -> None:
    static = book / "_static"
    [style] = static.glob("book.*.css")
    for file, name in (
        (static / "scripts/bootstrap.js.LICENSE.txt", "Bootstrap"),
        (style, "Font Awesome Free"),
        (static / "clipboard.min.js", "clipboard.js"),
    ):
        version = re.search(rf"{name} v?([\d.]+)", file.read_text("utf-8"))[1]
        assert f"{name} {version}" in PAGE
    # a new folder in here is a new thing that somebody else may own
    folders = {path.name for path in static.iterdir() if path.is_dir()}
    assert folders == {"live", "scripts"}
