"""The live figure: an ipywidget in a kernel, a self-contained piece of a page in the book's build."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

import anywidget
import ipywidgets
import matplotlib.pyplot as plt
import traitlets
from matplotlib.figure import Figure

from . import html, numbers, payload
from .controls import Control, State, Value, values_at
from .declared import Foreign, marks
from .shorthand import parse
from .states import Drawn, Packed, compute
from .svg import Drawing, themed

BUILD = "RNN_TEACH_LIVE"  # set to "static" by the book's build: compute every state, carry them all

_together: WeakValueDictionary[tuple[str, str], LiveFigure] = WeakValueDictionary()


class LiveFigure(anywidget.AnyWidget):
    """What ``interact`` makes of ``update``; showing it shows the figure with its controls.

    It has a trait for each control, holding the control's value: ``figure.gain = 1.2`` moves the
    slider, ``figure.observe(f, "gain")`` follows it, ``ipywidgets.link`` ties it to another widget.
    ``figure.value`` is a dict of all of them; ``figure.value = {"gain": 1.2, "cell": "GRU"}`` moves
    several and draws once.
    """

    if os.environ.get(BUILD) != "static":  # pages bring their own, and no state depends on them
        _esm = html.front_end(page=False)
        _css = html.style(page=False)
    _html = traitlets.Unicode().tag(sync=True)
    _picture = traitlets.Dict().tag(sync=True)
    value = traitlets.Dict()

    def __init__(
        self,
        drawing: Drawing,
        update: Callable[..., Any],
        controls: tuple[Control, ...],
        *,
        alt: str,
        group: str = "",
        fixed: dict[str, Any] | None = None,
    ) -> None:
        self._drawing, self._update, self._controls = drawing, update, controls
        self._alt, self._group, self._fixed = alt, group, fixed or {}
        self._foreign = Foreign(drawing, update)
        self._tables: list[numbers.Table] = []
        static = os.environ.get(BUILD) == "static"
        self._packed, self._numbers = compute(drawing, controls, self._draw) if static else Packed()
        super().__init__(value={c.name: c.values[c.start] for c in controls})
        self._refresh()
        self.observe(self._follow, names=[control.name for control in controls])
        self.observe(self._move, names="value")
        self.on_msg(self._answer)
        if group:
            _together[group, drawing.name] = self

    @property
    def state(self) -> State:
        """The place of each control's value in its list."""
        return tuple(control.index(getattr(self, control.name)) for control in self._controls)

    def draw(self, state: State) -> tuple[list[str], str]:
        """The fragments and the sentence of one state, drawn now.

        Raises RuntimeError, naming the figure and the values, where ``update`` fails, TypeError or
        ValueError where it returns or does what a live figure cannot show.
        """
        return self._draw(state)[:2]

    def _draw(self, state: State) -> Drawn:
        values = values_at(self._controls, state)
        call = f"update({', '.join(f'{name}={value!r}' for name, value in values.items())})"
        where = f"live figure {self._drawing.name!r}: {call}"
        self._drawing.clear()
        self._foreign.clear()
        try:
            answer = self._update(**values, **self._fixed)
        except Exception as error:
            raise RuntimeError(f"{where} raised {type(error).__name__}: {error}") from error
        sentence, columns = (
            answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, None)
        )
        if not isinstance(sentence, str) or not sentence:
            raise TypeError(
                f"{where} returned {answer!r}, expected the sentence that says what the picture "
                "shows, or (sentence, {column name: column}) with the numbers behind it"
            )
        self._foreign.check(where)
        fragments = [themed(fragment) for fragment in self._drawing.fragments()]
        try:
            own = numbers.read(self._drawing.fig) if columns is None else [numbers.table(columns)]
        except (TypeError, ValueError) as error:
            raise type(error)(f"{where} returned a table that cannot be shown: {error}") from None
        self._tables = own
        return Drawn(fragments, sentence, own)

    def svg(self) -> str:
        """The whole picture as it is now, a file of its own."""
        return self._drawing.base()

    @traitlets.validate("value")
    def _complete(self, proposal: Any) -> dict[str, Value]:
        """The proposed values, in the controls' own terms, and the present ones of the others."""
        names = [control.name for control in self._controls]
        if unknown := sorted(proposal["value"].keys() - set(names)):
            raise ValueError(
                f"live figure {self._drawing.name!r}: value has no control {unknown[0]!r}, "
                f"the controls are {names}"
            )
        held = {name: getattr(self, name) for name in names} | proposal["value"]
        return {name: self.traits()[name].validate(self, held[name]) for name in names}

    def _follow(self, change: Any) -> None:
        self.value = {control.name: getattr(self, control.name) for control in self._controls}

    def _move(self, change: Any) -> None:
        with self.hold_sync():
            with self.hold_trait_notifications():
                for name, value in self.value.items():
                    setattr(self, name, value)
            try:
                self._refresh()
            except (RuntimeError, TypeError, ValueError) as error:
                # a kernel hides what a callback raises: show it to the reader
                self._picture = {"error": str(error)}
        for (group, _), other in list(_together.items()):
            if group == self._group and other is not self:
                other.value = {
                    control.name: self.value[control.name]
                    for control in other._controls
                    if self.value.get(control.name) in control.values
                }

    def _refresh(self) -> None:
        """Draw the present state; the whole figure anew only where its frame changed."""
        frame = self._drawing.frame
        fragments, sentence, _ = self._draw(self.state)
        if self._drawing.frame != frame or not self._html:
            self._html = html.piece(
                self._drawing.name,
                themed(self._drawing.base()),
                self._controls,
                self.state,
                sentence,
                self._alt,
                payload.text(self._packed),
                group=self._group,
                numbers=payload.text(self._numbers),
                room=payload.room(self._packed) if self._packed else "",
            )
        self._picture = {"fragments": fragments, "sentence": sentence}

    def _answer(self, widget: Any, content: Any, buffers: Any) -> None:
        """The front end asks for the numbers only when its reader does."""
        if content == {"ask": "numbers"}:
            self.send({"numbers": self._tables})

    def __repr__(self) -> str:
        return f"<live figure {self._drawing.name}: {self._picture.get('sentence', '')}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if self._packed:
            return {"text/html": self._html, "text/plain": repr(self)}
        # the picture stands beside the widget, for a saved notebook opened without a kernel
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return {**data, "image/svg+xml": self.svg()}, metadata


class _Value(traitlets.Any):
    """A control's value; a number between two takes the nearer, anything else is an error."""

    def __init__(self, figure: str, control: Control) -> None:
        super().__init__(default_value=control.values[control.start])
        self.figure, self.control = figure, control
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> Any:
        try:
            return self.control.values[self.control.index(value)]
        except ValueError as error:
            raise ValueError(
                f"live figure {self.figure!r}: control {self.control.name!r}: {error}"
            ) from None


def interact(
    fig: Figure,
    *,
    name: str | None = None,
    alt: str | None = None,
    group: str | None = None,
    **controls: Any,
) -> Callable[[Callable[..., Any]], LiveFigure]:
    """Make ``fig`` live: the decorated ``update`` changes its artists and returns a sentence.

    Parameters
    ----------
    fig : a matplotlib figure with every artist in it and its axes limits set.
    name : the figure's name in the page's address; by default ``update``'s own name.
    alt : what the picture is, in a few words, for those who do not see it.
    group : figures with the same group move together on the controls that they share.
    controls : for each argument of ``update``: ``(low, high, step)`` a slider, a list a select,
        ``{text: value}`` a select with texts, ``True`` or ``False`` a checkbox, a ``Control``, or a
        widget of ipywidgets, which then moves with the figure; ``fixed(value)`` for none.

    ``update`` may return ``(sentence, table)``, the table a dict of column names and columns: the
    numbers behind the picture. Without one they are read off the artists that have a label.

    Returns the figure in place of ``update``. Raises TypeError or ValueError, naming the figure,
    for what is not a finite list of values; in the book's build also above 2,000 states or 150 KB
    compressed, for a control that changes nothing, and RuntimeError, naming the values, for a
    state that fails.

    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> (line,) = ax.plot([0, 1], [0, 1])
    >>> @interact(fig, name="slope", gain=(0.5, 1.5, 0.5))
    ... def update(gain=1.0):
    ...     line.set_ydata([0, gain])
    ...     return f"The line rises to {gain:.1f}."
    >>> update
    <live figure slope: The line rises to 1.0.>
    >>> update.gain = 1.5
    >>> update
    <live figure slope: The line rises to 1.5.>
    """

    def decorate(update: Callable[..., Any]) -> LiveFigure:
        chosen = name or update.__name__.replace("_", "-")
        if not re.fullmatch(r"[a-z][a-z0-9-]*", chosen):
            raise ValueError(
                f"interact: name must be lower-case letters, digits and hyphens, got {chosen!r}"
            )
        try:
            parsed, fixed = parse(update, controls)
            marked = marks(fig, chosen, parsed)
        except (TypeError, ValueError) as error:
            raise type(error)(f"live figure {chosen!r}: {error}") from None
        taken = [c.name for c in parsed if c.name.startswith("_") or hasattr(LiveFigure, c.name)]
        if taken:
            raise ValueError(
                f"live figure {chosen!r}: the control names {taken} are the widget's own"
            )
        plt.close(fig)  # so that a notebook does not show it a second time
        traits = {control.name: _Value(chosen, control) for control in parsed}
        figure = type("LiveFigure", (LiveFigure,), traits)(
            Drawing(fig, chosen, marks=marked),
            update,
            parsed,
            alt=alt or chosen.replace("-", " "),
            group=group or "",
            fixed=fixed,
        )
        for control in parsed:
            if isinstance(widget := controls[control.name], ipywidgets.Widget):
                traitlets.link((widget, "value"), (figure, control.name))
        return figure

    return decorate
