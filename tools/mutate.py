"""Plants one mistake at a time in the numeric core and counts how many of them the tests find.

A mistake that no test finds survives: either the program still does the same, so it was none, or
a test is missing. `tests/mutants.md` lists the survivors and says why each is no mistake; one
that is not listed there fails. Docstrings, annotations and error texts are left alone.

The tests of a file are collected once. Then each mistake gets a process of its own, a fork of that
one: it gives the functions in memory their wrong code and runs the tests until one fails.
"""

from __future__ import annotations

import argparse
import ast
import copy
import gc
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import NamedTuple

import pytest

from book import ONE_THREAD, ROOT

PACKAGE = Path("src", "rnn_teach")
LISTED = Path("tests", "mutants.md")
CELL = ("test_cells", "test_lstm_variants", "test_checking")
CONTAINERS = ("test_five_shapes", "test_bidirectional", "test_deep")
# The files that get mistakes and the tests that must find them, besides the file's own doctests.
MATCHING = {
    **dict.fromkeys((f"cells/{name}.py" for name in ("rnn", "lstm", "gru", "memory")), CELL),
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
# No plugins and no conftest.py: these tests need none.
PYTEST = "-x --assert=plain -p no:cacheprovider -p no:terminal --noconftest -o addopts="
PYTEST += " --import-mode=importlib --doctest-modules"
ENOUGH = 95  # percent

# Operators (as `ast` calls them) and functions that are taken for each other.
PAIRS = """Add Sub, Mult Div, BitAnd BitOr, And Or, Lt LtE, Gt GtE, Eq NotEq, In NotIn, Is IsNot,
    add subtract, multiply divide, sigmoid tanh, dsigmoid dtanh, max min, any all, zeros ones"""
OTHER = {a: b for pair in PAIRS.split(",") for a, b in (pair.split(), pair.split()[::-1])}
OTHER |= {"MatMult": "Mult", "FloorDiv": "Mult", "Pow": "Mult"}


class Mutant(NamedTuple):
    """One mistake: what stood there, what stands there now, and the whole file with it."""

    file: str
    where: str  # the function or class
    line: int
    old: str
    new: str
    source: str

    def __str__(self) -> str:
        return f"{self.file} {self.where}: {self.old}  ->  {self.new}"


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


class Place(NamedTuple):
    """Where a piece of code hangs in the tree, and what it is a part of."""

    container: list | dict
    key: int | str
    statement: ast.stmt
    where: str  # the function or class


def places(tree: ast.AST, statement: ast.stmt | None = None, where: str = "") -> Iterator[Place]:
    """Each piece of code in the tree, but annotations, error texts and whether to copy."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns") or isinstance(tree, ast.Raise):
            continue
        if isinstance(tree, ast.keyword) and tree.arg == "copy":  # a copy holds the same numbers
            continue
        several = isinstance(value, list)
        for key, child in enumerate(value) if several else [(name, value)]:
            if not isinstance(child, ast.AST):
                continue
            part_of = child if isinstance(child, ast.stmt) else statement
            yield Place(value if several else vars(tree), key, part_of, where or "module")
            named = isinstance(child, ast.FunctionDef | ast.ClassDef)
            inside = f"{where}.{child.name}".lstrip(".") if named else where
            yield from places(child, part_of, inside)


def first_line(node: ast.AST) -> str:
    """The code of a statement; of one with a block its head, of a function that sets a default."""
    if isinstance(node, ast.FunctionDef):
        arguments = copy.deepcopy(node.args)
        for argument in ast.walk(arguments):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        return f"def {node.name}({ast.unparse(arguments)})"
    return ast.unparse(node).splitlines()[0]


def mutants(file: str) -> list[Mutant]:
    """Every mistake for one file, in the order of its lines."""
    tree = ast.parse((ROOT / PACKAGE / file).read_text(encoding="utf-8"))
    found = []
    for container, key, statement, where in places(tree):
        node, old = container[key], first_line(statement)
        for wrong in variants(node):
            container[key] = wrong
            source = ast.unparse(ast.fix_missing_locations(tree))
            new = first_line(wrong if node is statement else statement)
            container[key] = node
            found.append(Mutant(file, where, node.lineno, old, new, source))
    return sorted(found, key=lambda mutant: mutant.line)


def functions(path: str) -> list[FunctionType]:
    """All functions in memory whose code stands in this file, in whatever copy of its module."""
    found = (thing for thing in gc.get_objects() if type(thing) is FunctionType)
    return [function for function in found if function.__code__.co_filename == path]


def plant(mutant: Mutant, right: list[FunctionType]) -> None:
    """Give the functions of a file, in memory, the code of the file with the mistake."""
    module = ".".join(("rnn_teach", *Path(mutant.file).with_suffix("").parts))
    space = {"__name__": module, "__package__": module.rpartition(".")[0]}
    exec(compile(mutant.source, "<mistake>", "exec"), space)  # noqa: S102
    wrong = {function.__qualname__: function for function in functions("<mistake>")}
    constants = {name: value for name, value in space.items() if name.isupper()}
    for function in right:
        for part in ("__code__", "__defaults__", "__kwdefaults__"):
            setattr(function, part, getattr(wrong[function.__qualname__], part))
        function.__globals__.update(constants)


class Planter:
    """A plugin for pytest that runs the collected tests once for every mistake, `workers` at a time.

    The first run has no mistake in it and must pass; it also says how long a run may take.
    """

    def __init__(self, planted: list[Mutant], workers: int):
        self.planted, self.workers = planted, workers
        self.seconds = 600
        self.right: list[FunctionType] = []
        self.running: dict[int, Mutant] = {}
        self.alive: list[Mutant] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: not isinstance(item, pytest.DoctestItem))  # the quickest first

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        file = self.planted[0].file
        self.right = functions(str(ROOT / PACKAGE / file))
        gc.freeze()  # so that a child looks for its wrong functions among what is new alone
        code = (ROOT / PACKAGE / file).read_text(encoding="utf-8")
        start = time.monotonic()
        if self.fork(Mutant(file, "", 0, "", "", code)):
            return None
        if self.wait(silent=True) is None:
            sys.exit(f"mutate: the tests of {file} fail without any mistake")
        self.seconds = 60 + round(10 * (time.monotonic() - start))
        for mutant in self.planted:
            if self.fork(mutant):
                return None  # pytest goes on to run the tests, in the child
            if len(self.running) == self.workers:
                self.wait()
        while self.running:
            self.wait()
        gc.unfreeze()
        return True

    def fork(self, mutant: Mutant) -> bool:
        """Whether this is the child, in which the mistake is now planted."""
        child = os.fork()
        if child:
            self.running[child] = mutant
            return False
        signal.alarm(self.seconds)  # a mistake that hangs is found: the alarm ends the process
        plant(mutant, self.right)
        return True

    def wait(self, silent: bool = False) -> Mutant | None:
        """Wait for a child; returns its mistake if no test has found it."""
        child, status = os.wait()
        mutant = self.running.pop(child)
        if silent:
            return mutant if status == 0 else None
        word = "too long" if os.WIFSIGNALED(status) else "killed  " if status else "SURVIVED"
        print(word, mutant, flush=True)
        if status == 0:
            self.alive.append(mutant)
        return mutant if status == 0 else None


def survivors(planted: list[Mutant], workers: int) -> list[Mutant]:
    """Try every mistake of one file; returns those that no test finds."""
    file, parent = planted[0].file, os.getpid()
    planter = Planter(planted, workers)
    # the file itself last: pytest puts a module `bptt` where the tests expect the function
    tests = [*(str(Path("tests", f"{name}.py")) for name in MATCHING[file]), str(PACKAGE / file)]
    code = pytest.main([*PYTEST.split(), "-k", WITHOUT.get(file, ""), *tests], [planter])
    if os.getpid() != parent:
        os._exit(code)
    if code:
        sys.exit(f"mutate: pytest ended with {code} before it ran the tests of {file}")
    return planter.alive


def main() -> int:
    """0 if the tests find enough of the mistakes and the others are listed, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", choices=MATCHING, action="append", help="only this file")
    parser.add_argument("--sample", type=int, help="only so many mistakes, drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="which ones are drawn")
    parser.add_argument("--workers", type=int, default=2, help="how many are tried at a time")
    options = parser.parse_args()
    os.chdir(ROOT)
    os.environ |= ONE_THREAD | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    planted = [mutant for file in options.file or MATCHING for mutant in mutants(file)]
    if options.sample is not None:
        planted = random.Random(options.seed).sample(planted, min(options.sample, len(planted)))
    alive = []
    for file in MATCHING:
        if of_file := [mutant for mutant in planted if mutant.file == file]:
            alive += survivors(of_file, options.workers)
    found = len(planted) - len(alive)
    percent = 100 * found / len(planted)
    listed = {line.strip() for line in LISTED.read_text(encoding="utf-8").splitlines()}
    new = [mutant for mutant in alive if str(mutant) not in listed]
    print(f"\n{found} of {len(planted)} mistakes found, {percent:.1f} %")
    print(f"not found: {len(alive)}, of these {len(new)} not in {LISTED}:")
    for mutant in new:
        print(f"    {mutant}")
    return 0 if percent >= ENOUGH and not new else 1


if __name__ == "__main__":
    sys.exit(main())
