"""Plants one mistake at a time in the numeric core and counts how many of them the tests find.

A mistake that no test finds survives: either the program still does the same, so it was none, or
a test is missing. Docstrings, annotations and error texts are left alone.
"""

from __future__ import annotations

import argparse
import ast
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from book import ONE_THREAD, ROOT

PACKAGE = Path("src", "rnn_teach")
CELL = ("test_checking", "test_cells", "test_lstm_variants")
CONTAINERS = ("test_five_shapes", "test_bidirectional", "test_deep")
# The files that get mistakes and the tests that must find them, besides the file's own doctests.
MATCHING = {
    **dict.fromkeys(("cells/rnn.py", "cells/lstm.py", "cells/gru.py"), CELL),
    "cells/checking.py": (*CELL, *CONTAINERS),
    "bptt.py": ("test_bptt", *CONTAINERS),
    "gradcheck.py": ("test_gradcheck",),
}
# Tests of the other cells can find nothing: they are named as in tests/cases.py.
WITHOUT = {
    "cells/rnn.py": "not LSTM and not GRU-",
    "cells/lstm.py": "not RNN- and not GRU-",
    "cells/gru.py": "not RNN- and not LSTM",
}
# No plugins and no conftest.py: these tests need none, and a start is most of a short run.
PYTEST = "-m pytest -x -q --tb=no -p no:cacheprovider --noconftest -o addopts="
PYTEST += " --import-mode=importlib --doctest-modules"
ENVIRONMENT = ONE_THREAD | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
ENOUGH = 95  # percent

# Operators (as `ast` calls them) and functions that are taken for each other.
PAIRS = """Add Sub, Mult Div, BitAnd BitOr, And Or, Lt LtE, Gt GtE, Eq NotEq, In NotIn, Is IsNot,
    add subtract, multiply divide, sigmoid tanh, dsigmoid dtanh, max min, any all, zeros ones"""
OTHER = {a: b for pair in PAIRS.split(",") for a, b in (pair.split(), pair.split()[::-1])}
OTHER |= {"MatMult": "Mult", "FloorDiv": "Mult", "Pow": "Mult"}


class Mutant(NamedTuple):
    """One mistake: what stood there, what stands there now, and the whole file with it."""

    file: str
    line: int
    old: str
    new: str
    source: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.old}  ->  {self.new}"


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """Every wrong version of this node; what is inside it has its own turn."""

    def but(**fields: object) -> ast.AST:
        return type(node)(**vars(node) | fields)

    def other(op: ast.AST) -> ast.AST:
        return getattr(ast, OTHER[type(op).__name__])()

    match node:
        case ast.BinOp() | ast.AugAssign() | ast.BoolOp() if type(node.op).__name__ in OTHER:
            yield but(op=other(node.op))
        case ast.Compare(ops=[op]):
            yield but(ops=[other(op)])
        case ast.UnaryOp():
            yield node.operand
        case ast.Constant(value=bool()):
            yield but(value=not node.value)
        case ast.Constant(value=int() | float() | complex()):
            yield but(value=node.value + 1)
        case ast.Attribute(attr="T"):
            yield node.value
        case ast.Attribute() if node.attr in OTHER:
            yield but(attr=OTHER[node.attr])
        case ast.Name() if node.id in OTHER:
            yield but(id=OTHER[node.id])
        case ast.Slice():
            yield from (but(**{end: None}) for end in ("lower", "upper") if getattr(node, end))
        case ast.Subscript(slice=ast.Name(id=name)) if len(name) == 1:  # h[t], not params[name]
            yield but(slice=ast.BinOp(node.slice, ast.Sub(), ast.Constant(1)))
        case ast.If() | ast.IfExp() if not isinstance(node.test, ast.Compare | ast.UnaryOp):
            yield but(test=ast.UnaryOp(ast.Not(), node.test))
    match node:
        case ast.AugAssign() | ast.Raise() | ast.Expr(value=ast.Call() | ast.Yield()):
            yield ast.Pass()
        case ast.Assign():  # any test at all would miss a new name
            names = [name for name in ast.walk(node) if isinstance(name, ast.Name)]
            new = {name.id for name in names if isinstance(name.ctx, ast.Store)}
            if not new or new & {name.id for name in names if isinstance(name.ctx, ast.Load)}:
                yield ast.Pass()


def places(tree: ast.AST) -> Iterator[tuple[list | dict, int | str]]:
    """Where each piece of code hangs in the tree: a container and the key it has there."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns") or isinstance(tree, ast.Raise):
            continue
        several = isinstance(value, list)
        for key, child in enumerate(value) if several else [(name, value)]:
            if isinstance(child, ast.AST):
                yield value if several else vars(tree), key
                yield from places(child)


def mutants(file: str) -> list[Mutant]:
    """Every mistake for one file, in the order of its lines."""
    tree = ast.parse((ROOT / PACKAGE / file).read_text(encoding="utf-8"))
    found = []
    for container, key in places(tree):
        node = container[key]
        for wrong in variants(node):
            container[key] = wrong
            source = ast.unparse(ast.fix_missing_locations(tree))
            container[key] = node
            old, new = (ast.unparse(part).splitlines()[0] for part in (node, wrong))
            found.append(Mutant(file, node.lineno, old, new, source))
    return sorted(found, key=lambda mutant: mutant.line)


def passes(folder: Path, file: str, seconds: float | None = None) -> bool:
    """Whether the tests of `file` pass in this copy of the tree; a mistake that hangs does not."""
    tests = (*(f"tests/{name}.py" for name in MATCHING[file]), PACKAGE / file)
    command = [sys.executable, *PYTEST.split(), "-k", WITHOUT.get(file, ""), *tests]
    env = os.environ | ENVIRONMENT | {"PYTHONPATH": str(folder / "src")}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        return subprocess.call(command, cwd=folder, env=env, timeout=seconds, **silent) == 0
    except subprocess.TimeoutExpired:
        return False


def survivors(planted: list[Mutant], workers: int) -> list[Mutant]:
    """Try every mistake, each in a copy of the tree, and say what became of it."""
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(workers) as pool:
        copies: queue.Queue[Path] = queue.Queue()
        for k in range(workers):
            copies.put(folder := Path(place, str(k)))
            for name in ("src", "tests"):
                shutil.copytree(ROOT / name, folder / name)
            shutil.copy(ROOT / "pyproject.toml", folder)

        seconds = {}
        for file in dict.fromkeys(mutant.file for mutant in planted):
            start = time.monotonic()
            if not passes(folder, file):
                sys.exit(f"mutate: the tests of {file} fail without any mistake")
            seconds[file] = 20 + 5 * (time.monotonic() - start)

        def survives(mutant: Mutant) -> bool:
            folder = copies.get()
            path = folder / PACKAGE / mutant.file
            right = path.read_text(encoding="utf-8")
            path.write_text(mutant.source, encoding="utf-8")
            alive = passes(folder, mutant.file, seconds[mutant.file])
            path.write_text(right, encoding="utf-8")
            copies.put(folder)
            print("SURVIVED" if alive else "killed  ", mutant, flush=True)
            return alive

        return [m for m, alive in zip(planted, pool.map(survives, planted), strict=True) if alive]


def main() -> int:
    """0 if the tests find enough of the mistakes, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", choices=MATCHING, action="append", help="only this file")
    parser.add_argument("--sample", type=int, help="only so many mistakes, drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="which ones are drawn")
    parser.add_argument("--workers", type=int, default=2, help="how many are tried at a time")
    options = parser.parse_args()
    planted = [mutant for file in options.file or MATCHING for mutant in mutants(file)]
    if options.sample is not None:
        planted = random.Random(options.seed).sample(planted, min(options.sample, len(planted)))
    alive = survivors(planted, options.workers)
    found = len(planted) - len(alive)
    percent = 100 * found / len(planted)
    print(f"\n{found} of {len(planted)} mistakes found, {percent:.1f} %; not found:")
    print(*sorted(alive), sep="\n")
    return 0 if percent >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main())
