"""Every public name says what it computes, with which shapes and errors, from where, and shows it.

Public is what a module lists in `__all__`; of a module without one that stands directly in
rnn_teach, every function and class without a leading underscore. Each has a docstring, and so
has every method and property of a class. What must stand in it, or beside it:

- a type for each argument and for what is returned;
- an example, if it takes arguments or is a `forward` or a `backward`;
- "Raises", if its own code has a `raise` or asks `checking`;
- the shape of every argument that is an array, in parentheses after its name, or "any shape";
- an equation, if it is a `forward` or a `backward`;
- "Source:", if it is a `backward`, shows an equation on a line of its own, or is a class with
  `forward`, `batch` or `update`. What only handles data has none;
- of a NamedTuple instead the shape of each of its arrays.

A Protocol and a base class say what others must do: those others are asked. That the examples
are right is another test: pytest runs them (--doctest-modules).
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import rnn_teach
from rnn_teach.optimizers import Optimizer

ROOT = Path(__file__).resolve().parents[1]
# what draws and what belongs to the book has its own tests
ELSEWHERE = {"live", "sphinxext", "figures", "plots", "data"}
ARRAY = re.compile(r"(<class ')?(np|numpy)\.ndarray\b")


def modules() -> Iterator[object]:
    for info in pkgutil.walk_packages(rnn_teach.__path__, "rnn_teach."):
        if info.name.split(".")[1] not in ELSEWHERE:
            yield importlib.import_module(info.name)


def public() -> dict[str, object]:
    """The public functions and classes and the methods of these, by name."""
    found = {}
    for module in (rnn_teach, *modules()):
        here = module.__name__.removeprefix("rnn_teach").lstrip(".")
        names = getattr(module, "__all__", vars(module) if "." not in here else ())
        for name in names:
            thing = getattr(module, name)
            if name.startswith("_") or not (inspect.isclass(thing) or inspect.isfunction(thing)):
                continue
            if not hasattr(module, "__all__") and thing.__module__ != module.__name__:
                continue
            where = f"{thing.__module__.removeprefix('rnn_teach.')}.{name}"
            found[where] = thing
            for method, value in vars(thing).items() if inspect.isclass(thing) else ():
                value = getattr(value, "fget", value)
                if inspect.isfunction(value) and not method.startswith("_"):
                    found[f"{where}.{method}"] = value
    return found


PUBLIC = public()


def is_abstract(thing: object) -> bool:
    owner = importlib.import_module(thing.__module__)
    owner = getattr(owner, thing.__qualname__.split(".")[0])
    return getattr(owner, "_is_protocol", False) or owner is Optimizer


def missing(thing: object) -> Iterator[str]:
    """What the docstring of a function or a class does not say."""
    text = inspect.getdoc(thing) or ""
    prose, is_class = text.split(">>> ")[0], inspect.isclass(thing)
    name, is_method = thing.__name__, not is_class and "." in thing.__qualname__
    arguments = [p for p in inspect.signature(thing).parameters.values() if p.name != "self"]

    empty = inspect.Parameter.empty
    untyped = [p.name for p in arguments if p.annotation is empty]
    if untyped or (not is_class and inspect.signature(thing).return_annotation is empty):
        yield f"types {untyped}"
    passes = name in ("forward", "backward")
    if ">>> " not in text and (passes or (arguments and not is_method)):
        yield "an example"
    if "Raises" not in prose and re.search(r"\braise\b|\bchecking\.", code(thing)):
        yield "Raises"
    for argument in arguments:
        shape = rf"\b{argument.name}\b[^;]*?(\([^)]*(,|\.\.\.)[^)]*\)|any shape)"
        if ARRAY.match(str(argument.annotation)) and not re.search(shape, prose):
            yield f"the shape of {argument.name}"
    if passes and not re.search(" = |dL", prose):
        yield "an equation"
    shown = not is_method and re.search(r"^ {4}\S.* = ", prose, re.MULTILINE)
    works = is_class and any(hasattr(thing, work) for work in ("forward", "batch", "update"))
    if "Source: " not in prose and (shown or works or name == "backward"):
        yield "Source"


def code(thing: object) -> str:
    """The code of a function, or that with which a class takes its arguments."""
    if inspect.isclass(thing):
        thing = vars(thing).get("__post_init__", vars(thing).get("__init__"))
    generated = thing is None or thing.__code__.co_filename == "<string>"
    return "" if generated else inspect.getsource(thing)


def missing_in_result(thing: type) -> Iterator[str]:
    """The arrays of a NamedTuple that have no shape."""
    for field, kind in inspect.get_annotations(thing).items():
        said = re.search(rf"^    {field}: .*#.*\(", inspect.getsource(thing), re.MULTILINE)
        if ARRAY.match(str(kind)) and not (said or "each (" in thing.__doc__):
            yield f"the shape of {field}"


@pytest.mark.parametrize("name", PUBLIC)
def test_the_docstring_says_all(name):
    thing = PUBLIC[name]
    assert thing.__doc__
    if hasattr(thing, "_fields"):
        assert not thing.__doc__.startswith(f"{thing.__name__}("), "that is NamedTuple's own"
        assert not list(missing_in_result(thing)), name
    elif not is_abstract(thing):
        assert not list(missing(thing)), name


def test_public_are_the_names_that_a_reader_meets():
    """The rule finds them: a few of each kind, and none of the internal ones."""
    assert len(PUBLIC) > 200
    assert {"cells.lstm.LSTM.backward", "bptt.bptt", "checks.gru.gru_step"} <= PUBLIC.keys()
    assert not [name for name in PUBLIC if name.startswith(("cells.checking", "checks.cases"))]


NAME = r"(?:Mc)?[A-Z][a-z]+(?:-[A-Z][a-z]+)?"
CITED = re.compile(rf"({NAME})(?:(?:, {NAME})* & {NAME}| et al\.)? ((?:19|20)\d\d)\b")


def test_every_paper_named_is_among_the_references():
    """By the first author's surname and the year."""
    known = set()
    for entry in (ROOT / "book/references.bib").read_text(encoding="utf-8").split("\n@"):
        authors, year = (
            re.search(r"author = \{(.*?)[, ]", entry),
            re.search(r"year = \{(\d+)", entry),
        )
        known.add((re.sub(r"\\.|[{}]", "", authors[1]), year[1]))
    cited = {
        (surname, year, module.__name__)
        for module in modules()
        for surname, year in CITED.findall(" ".join(inspect.getsource(module).split()))
    }
    assert len(cited) > 50
    assert not [paper for paper in cited if paper[:2] not in known]
