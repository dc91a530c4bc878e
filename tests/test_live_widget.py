"""The live figure as an ipywidget: its value, links and groups, and what it says to an author who errs."""

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.lines import Line2D
from test_live import figure

from rnn_teach.live import Control, interact


def test_value_holds_every_control_and_moves_several_with_one_drawing(monkeypatch):
    live = figure()
    assert live.value == {"gain": 1.0, "cell": "RNN"}
    drawn, heard = [], []
    draw = live._draw
    monkeypatch.setattr(live, "_draw", lambda state: (drawn.append(state), draw(state))[1])
    live.observe(lambda change: heard.append(change.new), "value")
    live.value = {"gain": 1.9, "cell": "LSTM"}
    assert (live.gain, live.cell) == (2.0, "LSTM")
    assert heard == [{"gain": 2.0, "cell": "LSTM"}]
    assert drawn == [(3, 1)]
    live.value = {"gain": 0.5}  # what is not named stays
    assert live.value == {"gain": 0.5, "cell": "LSTM"}
    live.cell = "RNN"
    assert live.value == {"gain": 0.5, "cell": "RNN"}
    assert live._picture["sentence"] == "RNN rises by 0.5."
    assert drawn == [(3, 1), (0, 1), (0, 0)]


def test_a_state_from_the_front_end_draws_once(monkeypatch):
    live, drawn = figure(), []
    draw = live._draw
    monkeypatch.setattr(live, "_draw", lambda state: (drawn.append(state), draw(state))[1])
    live.set_state({"gain": 2.0, "cell": "LSTM"})
    assert drawn == [(3, 1)]


def test_a_linked_slider_and_the_figure_move_each_other():
    live, slider = figure(), ipywidgets.FloatSlider(1.0, min=0.5, max=2.0, step=0.5)
    ipywidgets.link((slider, "value"), (live, "gain"))
    slider.value = 2.0
    assert live._picture["sentence"] == "RNN rises by 2.0."
    live.gain = 0.5
    assert slider.value == 0.5


def test_a_widget_given_as_a_control_stays_alive():
    slider = ipywidgets.FloatSlider(1.0, min=0.5, max=2.0, step=0.5, description="how much")
    live = figure(gain=slider, cell=ipywidgets.Dropdown(options=["RNN", "LSTM"]))
    slider.value = 2.0
    assert live._picture["sentence"] == "RNN rises by 2.0."
    live.value = {"gain": 0.5}
    assert slider.value == 0.5


def test_two_linked_figures():
    one, other = figure("one"), figure("other")
    ipywidgets.link((one, "value"), (other, "value"))
    one.gain = 2.0
    assert other._picture["sentence"] == "RNN rises by 2.0."


def test_a_group_moves_together_where_it_can():
    def grouped(name, **controls):
        fig, ax = plt.subplots()
        text = ax.text(0, 0, "")

        def update(gain, cell="RNN"):
            text.set_text(f"{gain} {cell}")
            return f"{gain} {cell}"

        if "cell" not in controls:
            controls["cell"] = ipywidgets.fixed("GRU")
        return interact(fig, name=name, group="cells", **controls)(update)

    first = grouped("first", gain=[1, 2, 3], cell=["RNN", "LSTM"])
    second = grouped("second", gain=[9, 3, 2])
    alone = figure("alone")
    first.value = {"gain": 2, "cell": "LSTM"}
    assert second._picture["sentence"] == "2 GRU"  # by value, whatever its place
    second.gain = 3
    assert first._picture["sentence"] == "3 LSTM"
    second.gain = 9  # which the first has not
    assert first.gain == 3
    assert alone.gain == 1.0


def test_what_is_fixed_reaches_update():
    fig, ax = plt.subplots()
    line, x = ax.plot([], [])[0], np.arange(3)

    @interact(fig, name="x", a=[1, 2], x=ipywidgets.fixed(x))
    def update(a, x):
        line.set_data(x, a * x)
        return f"{a} times {x.sum()}"

    assert update._picture["sentence"] == "1 times 3"
    assert update.value == {"a": 1}


def test_the_kernel_answers_with_the_numbers_of_the_present_state(monkeypatch):
    fig, ax = plt.subplots()
    ax.set(xlim=(0, 2), ylim=(0, 4), xlabel="step")
    (line,) = ax.plot([], [], label="height")

    @interact(fig, name="x", a=[1, 2])
    def update(a):
        line.set_data([0, 1], [a, 2 * a])
        return "x"

    sent = []
    monkeypatch.setattr(update, "send", sent.append)
    update.a = 2
    update._handle_custom_msg({"ask": "numbers"}, [])
    update._handle_custom_msg({"something": "else"}, [])
    table = {"caption": "", "columns": ["step", "height"], "rows": [[0, 2], [1, 4]]}
    assert sent == [{"numbers": [table]}]


# ---- errors that teach -------------------------------------------------------------------------


def test_a_value_that_is_not_in_the_list_names_figure_control_and_list():
    live = figure()
    with pytest.raises(
        ValueError,
        match="figure 'demo': control 'cell': got 'GRU', expected one of 'RNN', 'LSTM'",
    ):
        live.value = {"cell": "GRU"}
    with pytest.raises(
        ValueError, match=r"'demo': value has no control 'cel', .*\['gain', 'cell'\]"
    ):
        live.value = {"cel": "RNN"}
    assert live.value == {"gain": 1.0, "cell": "RNN"}


def test_a_change_in_another_figure_is_an_error():
    _, elsewhere = plt.subplots()
    (theirs,) = elsewhere.plot([], [])
    fig, ax = plt.subplots()
    ax.plot([], [])
    with pytest.raises(
        ValueError, match=r"'bad': update\(a=1\) changed <.*>, which is in another figure; create"
    ):

        @interact(fig, name="bad", a=[1, 2])
        def update(a):
            theirs.set_data([0], [a])
            return "x"


def test_a_change_of_an_artist_in_no_figure_is_an_error():
    fig = plt.figure()
    lines = [Line2D([], [])]
    with pytest.raises(ValueError, match="which is in no figure; create every artist in the axes"):

        @interact(fig, name="bad", a=[1, 2])
        def update(a):
            lines[0].set_data([0], [a])
            return "x"


def test_a_name_that_a_later_cell_took_is_found_out():
    fig, ax = plt.subplots()
    (line,) = ax.plot([], [])

    @interact(fig, name="first", a=[1, 2])
    def first(a):
        line.set_data([0], [a])
        return "x"

    _, ax = plt.subplots()
    (line,) = ax.plot([], [])
    first.a = 2
    assert "which is in another figure" in first._picture["error"]


@pytest.mark.parametrize(
    "anew",
    [
        lambda ax: (ax.clear(), ax.plot([0, 1], [0, 1])),
        lambda ax: (ax.lines[0].remove(), ax.plot([0, 1], [0, 1])),
    ],
)
def test_an_update_that_draws_anew_each_time_is_an_error(anew):
    fig, ax = plt.subplots()
    ax.plot([0, 1], [0, 1])
    with pytest.raises(ValueError, match="'bad': .*create every artist before interact"):

        @interact(fig, name="bad", a=[1, 2])
        def update(a):
            anew(ax)
            return "x"


@pytest.mark.parametrize(
    ("artists", "message"),
    [
        (lambda ax, dots: dots[:2], "control 'step': 2 artists for 3 values; give one for each"),
        (lambda ax, dots: [*dots[:2], dots[0]], "artist 2 already sets hover-at-step-0"),
        (lambda ax, dots: [*dots[:2], Line2D([], [])], "artist 2, .*, is not in this figure"),
    ],
)
def test_each_value_has_an_artist_of_this_figure(artists, message):
    fig, ax = plt.subplots()
    dots = [ax.plot([k], [0], "o")[0] for k in range(3)]
    with pytest.raises(ValueError, match=f"live figure 'hover': .*{message}"):
        interact(fig, name="hover", step=Control([0, 1, 2], artists=artists(ax, dots)))(
            lambda step: "x"
        )


def test_each_value_can_be_pointed_at():
    fig, ax = plt.subplots()
    dots = [ax.plot([k], [0], "o")[0] for k in range(3)]
    ring = ax.plot([], [], "o", fillstyle="none")[0]

    @interact(fig, name="hover", step=Control([0, 1, 2], artists=dots))
    def update(step):
        ring.set_data([step], [0])
        return f"At {step}."

    assert all(f'id="hover-at-step-{k}"' in update._html for k in range(3))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([1, 2], r"got \[1, 2\], expected a dict of column names and columns"),
        ({"a": [1, 2], "b": [1]}, "equally long: 'a' has 2, 'b' has 1"),
        ({"a": [[1, 2]]}, r"column 'a' has the shape \(1, 2\)"),
        ({"a": [object()]}, "dtype object, expected one row of numbers or texts"),
    ],
)
def test_a_table_that_cannot_be_shown_is_an_error(table, message):
    with pytest.raises((TypeError, ValueError), match=rf"'x': update\(a=1\) .*{message}"):
        interact(plt.figure(), name="x", a=[1, 2])(lambda a: ("x", table))
