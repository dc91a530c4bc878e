"""How a function is marked: called on fixed cases, compared with ours, and its error named."""

import copy
import inspect
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

# who computes in float32 is right, too; a misconception costs far more
RELATIVE, ABSOLUTE = 1e-5, 1e-6

Answer = dict[str, np.ndarray]


class Verdict(NamedTuple):
    """What a check found: true if the function is right, and shown as its message.

    >>> verdict = Verdict(False, "rnn_step is wrong.")
    >>> verdict
    rnn_step is wrong.
    >>> bool(verdict)
    False
    """

    right: bool
    message: str

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return self.message


class Task(NamedTuple):
    """What a learner is asked to write, and the ways it goes wrong.

    `lines` are the equations one by one, each a function of arguments and earlier lines, found by
    their names. A misconception changes some of them, or some arguments before all lines.
    Whoever computes what the changed lines compute is told the misconception, the first that fits.
    """

    name: str
    results: tuple[str, ...]  # names of lines
    right: Callable  # the tested package's answer; its parameters name the arguments
    cases: Callable[[], list[tuple]]  # arguments to try, the same ones each time
    lines: dict[str, Callable]
    wrong: dict[str, dict[str, Callable]]  # a misconception in words -> the lines it changes

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the arguments, in order."""
        return _parameters(self.right)

    def computed(self, case: tuple, **changed: Callable) -> Any:
        """What the lines give, some of them changed: the result, or a dict if there are several."""
        values = dict(zip(self.arguments, case, strict=True))
        arguments = {name: line for name, line in changed.items() if name in values}
        for name, line in (arguments | self.lines | changed).items():
            values[name] = line(*(values[k] for k in _parameters(line)))
        if len(self.results) == 1:
            return values[self.results[0]]
        return {name: values[name] for name in self.results}


@cache  # looking up the names takes longer than most lines
def _parameters(function: Callable) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


def mark(task: Task, theirs: Callable) -> Verdict:
    """Call `theirs` on copies of every case, compare, and say in words what is wrong.

    Arguments: task; theirs, the learner's function, whatever it may do.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.

    >>> task = Task(
    ...     "double",
    ...     results=("y",),
    ...     right=lambda x: 2 * x,
    ...     cases=lambda: [(3.0,)],
    ...     lines={"y": lambda x: 2 * x},
    ...     wrong={"it is squared, not doubled": {"y": lambda x: x**2}},
    ... )
    >>> mark(task, lambda x: x + x)
    double is right.
    >>> mark(task, lambda x: x * x)
    double is wrong. Most likely: it is squared, not doubled.
    y is 9, expected 6.
    Called as double(x=3.0).
    """
    if not callable(theirs):
        got = type(theirs).__name__
        raise TypeError(f"{task.name}: expected your function itself, not its result, got {got}")

    answers, trouble = [], None
    for case in task.cases():
        try:
            answers.append((case, _answer(task, theirs, case)))
        except _Trouble as found:
            trouble = _wrong(task, case, f": {found}")
            break

    for case, answer in answers:
        difference = _difference(answer, _arrays(task.results, task.right(*case)))
        if difference:
            result, where = difference
            words = _misconception(task, answers, result)
            likely = f"Most likely: {words}." if words else "No misconception known here fits."
            return _wrong(task, case, f". {likely}\n{where}")
    # a verdict that something is wrong is false itself
    return _second_time(task, theirs, *answers[0]) if trouble is None else trouble


class _Trouble(Exception):
    """Why there is nothing to compare."""


def _answer(task: Task, theirs: Callable, case: tuple) -> Answer:
    """What the learner's function returns for a case, if it leaves the arguments alone."""
    given = copy.deepcopy(case)
    answer = _call(theirs, given)
    for name, before, after in zip(task.arguments, case, given, strict=True):
        _untouched(name, before, after)
    return _arrays(task.results, answer)


def _call(theirs: Callable, given: tuple) -> Any:
    try:
        # the verdict shows a number that overflowed; a warning would say no more
        with np.errstate(all="ignore"):
            return theirs(*given)
    except Exception as error:  # noqa: BLE001  a learner's function may raise anything
        lines = [frame.line for frame in traceback.extract_tb(error.__traceback__)[1:2]]
        where = f"\nin your line: {lines[0]}" if any(lines) else ""
        raise _Trouble(f"it raised {type(error).__name__}: {error}{where}") from None


def _arrays(results: tuple[str, ...], answer: Any) -> Answer:
    """Every array of an answer under its name, such as "h" or "grads['b']"."""
    if answer is None:
        raise _Trouble("it returned None: is the return missing?")
    if len(results) == 1:
        answer = {results[0]: answer}
    elif isinstance(answer, tuple | list) and len(answer) == len(results):
        answer = dict(zip(results, answer, strict=True))
    elif not isinstance(answer, dict):
        got = f"{len(answer)} of them" if isinstance(answer, tuple | list) else _kind(answer)
        raise _Trouble(f"it returned {got}, expected {len(results)} things: {', '.join(results)}")
    return {
        label: _numbers(label, v) for name in answer for label, v in _leaves(name, answer[name])
    }


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(f"{name}[{key!r}]", part)
    else:
        yield name, value


def _numbers(label: str, value: Any) -> np.ndarray:
    try:
        # a copy, for a learner may write into the same array in the next call
        array = np.array(sorted(value) if isinstance(value, set) else value)
    except Exception as error:  # noqa: BLE001  nor do we know what the function returned
        raise _Trouble(f"{label} is no array of numbers ({error})") from None
    if array.dtype.kind not in "biuf":
        raise _Trouble(f"{label} is {_kind(value)}, expected real numbers")
    return array


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    return "None" if value is None else f"a {type(value).__name__}"


def _untouched(name: str, before: Any, after: Any) -> None:
    """A `_Trouble` if an array of the caller is not what it was, but for rounding."""
    before, after = dict(_leaves(name, before)), dict(_leaves(name, after))
    for label in before | after:
        old, new = before.get(label), after.get(label)
        if label in before and not isinstance(old, np.ndarray):
            continue  # a number, a name or a function cannot be changed in place
        arrays = isinstance(old, np.ndarray) and isinstance(new, np.ndarray)
        if not arrays or old.shape != new.shape or not np.allclose(new, old, 1e-12, 1e-12):
            raise _Trouble(
                f"it changes {label} in place, and {name} belongs to the caller: "
                f"look for *=, += or [...] =, and make a new array"
            )


def _difference(got: Answer, wanted: Answer) -> tuple[str, str] | None:
    """The name of the first thing that differs, and the sentence that shows it; None if nothing."""
    for label, right in wanted.items():
        if label not in got:
            return label, f"{label} is missing."
        answer = got[label]
        if answer.shape != right.shape:
            return label, f"{label} has shape {answer.shape}, expected {right.shape}."
        close = np.isclose(answer, right, RELATIVE, ABSOLUTE, equal_nan=True)
        if not close.all():
            place = tuple(int(k) for k in np.argwhere(~close)[0])
            at = f"{list(place)}" if place else ""
            return label, f"{label}{at} is {_show(answer[place])}, expected {_show(right[place])}."
    extra = next((label for label in got if label not in wanted), None)
    return extra and (extra, f"{extra} is not asked for.")


def _show(number: np.generic) -> str:
    if np.isnan(number):
        return "nan (something overflowed, or 0 was divided by 0)"
    return f"{number:.8g}" if number.dtype.kind == "f" else str(number)


def _misconception(task: Task, answers: list, result: str) -> str | None:
    """The first that explains every answer, or else every `result`; None if there is none."""
    for part in (None, result):
        for words, changed in task.wrong.items():
            if all(_explains(task, changed, case, answer, part) for case, answer in answers):
                return words
    return None


def _explains(task: Task, changed: dict, case: tuple, answer: Answer, part: str | None) -> bool:
    try:
        with np.errstate(all="ignore"):
            theirs = _arrays(task.results, task.computed(case, **changed))
    except ValueError:  # such as a transposed weight, which fits only where it is square
        return False
    if part is not None:
        answer, theirs = ({k: v for k, v in a.items() if k == part} for a in (answer, theirs))
    return _difference(answer, theirs) is None


def _wrong(task: Task, case: tuple, why: str) -> Verdict:
    call = ", ".join(_brief(*pair) for pair in zip(task.arguments, case, strict=True))
    return Verdict(False, f"{task.name} is wrong{why}\nCalled as {task.name}({call}).")


def _brief(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"{name} {{{', '.join(_brief(key, part) for key, part in value.items())}}}"
    if isinstance(value, np.ndarray):
        return f"{name} {value.shape}"
    return name if callable(value) else f"{name}={value!r}"


def _second_time(task: Task, theirs: Callable, case: tuple, first: Answer) -> Verdict:
    """Right, unless the same arguments now give another answer."""
    try:
        difference = _difference(_answer(task, theirs, case), first)
    except _Trouble as trouble:
        difference = None, str(trouble)
    if difference:
        why = "it keeps something between calls, or draws random numbers"
        return _wrong(
            task, case, f". Called twice alike, it answers differently: {why}.\n{difference[1]}"
        )
    return Verdict(True, f"{task.name} is right.")
