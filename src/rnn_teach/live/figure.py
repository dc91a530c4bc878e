"""The live figure: an ipywidget in a kernel, a self-contained piece of a page in the book's build."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import anywidget
import matplotlib.pyplot as plt
import traitlets
from matplotlib.figure import Figure

from . import html, payload
from .controls import Control, State, parse, states, values_at
from .svg import Drawing, themed

BUILD = "RNN_TEACH_LIVE"  # set to "static" by the book's build: compute every state, carry them all

_HERE = files("rnn_teach.live")


class LiveFigure(anywidget.AnyWidget):
    """What ``interact`` makes of ``update``; showing it shows the figure with its controls.

    It has a trait for each control, holding the control's value: ``figure.gain = 1.2`` moves the
    slider, ``figure.observe(f, "gain")`` follows it, ``ipywidgets.link`` ties it to another widget.
    """

    _esm = (_HERE / "live.js").read_text(encoding="utf-8")
    _css = (_HERE / "live.css").read_text(encoding="utf-8")
    _html = traitlets.Unicode().tag(sync=True)
    _picture = traitlets.Dict().tag(sync=True)

    def __init__(
        self, drawing: Drawing, update: Callable[..., str], controls: tuple[Control, ...], alt: str
    ) -> None:
        self._drawing, self._update, self._controls, self._alt = drawing, update, controls, alt
        self._packed = self.precompute() if os.environ.get(BUILD) == "static" else b""
        super().__init__()
        self._refresh()
        self.observe(self._follow, names=[control.name for control in controls])

    @property
    def state(self) -> State:
        """The place of each control's value in its list."""
        return tuple(control.index(getattr(self, control.name)) for control in self._controls)

    def draw(self, state: State) -> tuple[list[str], str]:
        """The fragments and the sentence of one state, drawn now.

        Raises RuntimeError, naming the figure and the values, where ``update`` fails.
        """
        values = values_at(self._controls, state)
        call = f"update({', '.join(f'{name}={value!r}' for name, value in values.items())})"
        self._drawing.clear()
        try:
            sentence = self._update(**values)
        except Exception as error:
            raise RuntimeError(
                f"live figure {self._drawing.name!r}: {call} raised {type(error).__name__}: {error}"
            ) from error
        if not isinstance(sentence, str) or not sentence:
            raise TypeError(
                f"live figure {self._drawing.name!r}: {call} returned {sentence!r}, expected the "
                "sentence that says what the picture shows"
            )
        return [themed(fragment) for fragment in self._drawing.fragments()], sentence

    def precompute(self) -> bytes:
        """Every state, packed for the page. Raises ValueError above 2,000 states or 150 KB."""
        payload.check_count(self._drawing.name, self._controls)
        while True:
            slots, pictures, says = len(self._drawing.live), [], []
            for state in states(self._controls):
                fragments, sentence = self.draw(state)
                if len(fragments) > slots:
                    break  # this state changes an artist that had no slot so far: start again
                pictures.append(fragments)
                says.append(sentence)
            else:
                return payload.encode(self._drawing.name, self._controls, pictures, says)

    def svg(self) -> str:
        """The whole picture as it is now, a file of its own."""
        return self._drawing.base()

    def _follow(self, change: dict[str, Any]) -> None:
        try:
            self._refresh()
        except (RuntimeError, TypeError, ValueError) as error:
            # a kernel hides what a callback raises: show it to the reader
            self._picture = {"error": str(error)}

    def _refresh(self) -> None:
        """Draw the present state; the whole figure anew only where its frame changed."""
        frame = self._drawing.frame
        fragments, sentence = self.draw(self.state)
        if self._drawing.frame != frame or not self._html:
            self._html = html.piece(
                self._drawing.name,
                themed(self._drawing.base()),
                self._controls,
                self.state,
                sentence,
                self._alt,
                payload.text(self._packed),
            )
        self._picture = {"fragments": fragments, "sentence": sentence}

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

    def __init__(self, control: Control) -> None:
        super().__init__(default_value=control.values[control.start])
        self.control = control
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> Any:
        return self.control.values[self.control.index(value)]


def interact(
    fig: Figure, *, name: str | None = None, alt: str | None = None, **controls: Any
) -> Callable[[Callable[..., str]], LiveFigure]:
    """Make ``fig`` live: the decorated ``update`` changes its artists and returns a sentence.

    Parameters
    ----------
    fig : a matplotlib figure with every artist in it and its axes limits set.
    name : the figure's name in the page's address; by default ``update``'s own name.
    alt : what the picture is, in a few words, for those who do not see it.
    controls : for each argument of ``update``: ``(low, high, step)`` a slider, a list a select,
        ``{text: value}`` a select with texts, ``True`` or ``False`` a checkbox, or a ``Control``.

    Returns the figure in place of ``update``. Raises TypeError or ValueError, naming the control,
    for what is not a finite list of values; in the book's build also above 2,000 states or 150 KB
    compressed, and RuntimeError, naming the values, for a state that fails.

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

    def decorate(update: Callable[..., str]) -> LiveFigure:
        chosen = name or update.__name__.replace("_", "-")
        if not re.fullmatch(r"[a-z][a-z0-9-]*", chosen):
            raise ValueError(
                f"interact: name must be lower-case letters, digits and hyphens, got {chosen!r}"
            )
        parsed = parse(update, controls)
        taken = [c.name for c in parsed if c.name.startswith("_") or hasattr(LiveFigure, c.name)]
        if taken:
            raise ValueError(
                f"live figure {chosen!r}: the control names {taken} are the widget's own"
            )
        plt.close(fig)  # so that a notebook does not show it a second time
        traits = {control.name: _Value(control) for control in parsed}
        return type("LiveFigure", (LiveFigure,), traits)(
            Drawing(fig, chosen), update, parsed, alt or chosen.replace("-", " ")
        )

    return decorate
