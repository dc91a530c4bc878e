"""The order of the rooms: nothing imports back up, and importing the package stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import rnn_teach

ROOT = Path(rnn_teach.__file__).parent
MODULES = sorted(path for path in ROOT.rglob("*.py"))

ARCHITECTURES = {"deep", "bidirectional", "tree", "seq2seq"}
LEARNING = {"truncated", "initializers", "optimizers", "clipping", "checkpoint", "stopping"}
# what each room may import of this package, besides its own modules
LADDER = {
    "functional": set(),
    "cells": {"functional"},
    "bptt": {"cells", "functional"},
    "gradcheck": set(),
    "diagnostics": {"bptt", "cells", "functional"},
    "truncated": {"bptt", "cells"},
    "initializers": set(),
    "optimizers": set(),
    "clipping": {"optimizers"},
    "checkpoint": set(),
    "stopping": {"bptt", "checkpoint", "optimizers"},
    "training": {"bptt", "cells", "functional"} | LEARNING,
    **dict.fromkeys(ARCHITECTURES, {"bptt", "cells", "functional"} | ARCHITECTURES),
    "convert": {"bptt", "cells", "functional"} | ARCHITECTURES,
    "checks": {"cells", "functional", "training"},
    "data": set(),
    "problems": set(),
    "results": set(),
    "tasks": {"problems"},
    "sampling": {"bptt", "cells", "functional", "tasks"},
    "plots": set(),
    "live": set(),
    "sphinxext": {"live"},
    "figures": None,  # the top: everything
    "__init__": {"bptt", "cells"},
}
# what it may import besides this package and Python's own library
OUTSIDE = {
    "convert": {"numpy", "onnx"},
    "training": {"numpy", "tqdm"},
    "plots": {"numpy", "matplotlib"},
    "live": {"numpy", "matplotlib", "ipywidgets", "anywidget", "traitlets", "IPython"},
    "sphinxext": {
        *("sphinx", "docutils", "myst_nb"),
        *("nbclient", "nbformat", "jupyter_cache", "jupyter_client"),
    },
    # chapter 17 runs the three programs where they are installed
    "figures": {"numpy", "matplotlib", "torch", "keras", "onnx"},
}


def imports(path: Path) -> tuple[str, set[str], set[str]]:
    """The room a file belongs to, the rooms it imports, and the other packages it imports."""
    module = ("rnn_teach", *path.relative_to(ROOT).with_suffix("").parts)
    package = module[:-1]
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join((*above, *([node.module] if node.module else [])))
            # `from . import checking` names modules; `from .cells import RNN` does not
            names |= {f"{origin}.{alias.name}" for alias in node.names}
    ours = {name.split(".")[1] for name in names if name.startswith("rnn_teach.")}
    others = {name.split(".")[0] for name in names} - {"rnn_teach"} - sys.stdlib_module_names
    room = module[1]
    return room, ours - {room}, others


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_imports_back_up(path):
    room, ours, others = imports(path)
    assert room in LADDER, f"{room} has no place on the ladder"
    allowed = LADDER[room]
    assert allowed is None or ours <= allowed, f"{room} imports {ours - allowed}"
    outside = OUTSIDE.get(room, {"numpy"})
    assert others <= outside, f"{room} imports {others - outside}"


def test_import_brings_numpy_and_nothing_heavier():
    heavy = ["matplotlib", "ipywidgets", "anywidget", "tqdm", "torch", "onnx", "IPython"]
    code = f"""
import sys, rnn_teach, rnn_teach.diagnostics, rnn_teach.gradcheck, rnn_teach.training
assert "numpy" in sys.modules
print([name for name in {heavy} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_what_the_package_offers_at_its_door():
    assert set(rnn_teach.__all__) == {"RNN", "LSTM", "GRU", "Network", "Readout", "bptt"}
    assert all(callable(getattr(rnn_teach, name)) for name in rnn_teach.__all__)
