"""Results kept from build to build: each stands as long as its code and every file read for it are the same."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

KEEP = "RNN_TEACH_KEEP"  # the folder of kept results; unset, nothing is kept
READS = "RNN_TEACH_READS"  # the folder where each kernel's `reads.py` lists what it has read
ROOTS = "RNN_TEACH_ROOTS"  # the folders whose files are listed there
STARTUP = "PYTHONSTARTUP"  # IPython runs the file that this names before the first cell


def own_list() -> Path:
    """Where this kernel lists what it has read."""
    return Path(os.environ[READS], f"{os.getpid()}.txt")


def reads(list_: Path) -> list[str] | None:
    """The files that a kernel has listed; None if that is not the whole story.

    It is not if the kernel kept no list, has run another program or asked another machine.
    """
    if not list_.is_file():
        return None
    lines = sorted(set(list_.read_text("utf-8").splitlines()))
    return None if any(line.startswith("!") for line in lines) else lines


def note(paths: list[str]) -> None:
    """Add to this kernel's list: a kept result was used, and these were read for it."""
    with own_list().open("a", encoding="utf-8") as file:
        file.writelines(f"{path}\n" for path in paths)


def digest(path: str) -> str | None:
    """What stands for a file's content; None for a file that is not there."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return None


def key(*parts: object) -> str:
    """What stands for a piece of code: its text and the installed packages that run it."""
    return hashlib.sha256(repr((_packages(), *parts)).encode()).hexdigest()


@cache
def _packages() -> list[str]:
    return sorted({sys.version, *(f"{d.name} {d.version}" for d in distributions())})


def load(file: Path, key: str) -> Any:
    """The result kept in ``file`` under ``key``, or None if it no longer stands or is unreadable."""
    try:
        kept = json.loads(file.read_text("utf-8"))
        stands = kept["key"] == key and all(digest(p) == d for p, d in kept["reads"].items())
        return kept if stands else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def save(file: Path, key: str, reads: list[str], **result: Any) -> None:
    """Keep a result in ``file``; it takes the place of the one before."""
    kept = {"key": key, "reads": {path: digest(path) for path in reads}, **result}
    file.parent.mkdir(parents=True, exist_ok=True)
    # several kernels may finish at once, and a build may be interrupted
    part = file.with_name(f"{file.name}.{os.getpid()}")
    part.write_text(json.dumps(kept), "utf-8")
    os.replace(part, file)
