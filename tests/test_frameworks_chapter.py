"""Chapter 17's numbers and figures: other programs live or stored, gate layouts, and wrong orders."""

import inspect
import sys
from itertools import product
from pathlib import Path

import nbformat
import numpy as np
import pytest
from matplotlib.colors import to_hex

from rnn_teach import GRU, LSTM, convert, plots
from rnn_teach.bptt import predict
from rnn_teach.convert import layout
from rnn_teach.figures import frameworks, gate_layout, language, wrong_order
from rnn_teach.live.controls import states

PAGE = Path(__file__).parents[1] / "notebooks" / "17_frameworks.ipynb"
PACKAGES = {"PyTorch": "torch", "Keras": "keras", "ONNX": "onnx"}


@pytest.fixture(scope="module", autouse=True)
def settings(tmp_path_factory):
    """Keras, whoever of the tests imports it first, on PyTorch and with its settings in a folder of ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        yield


@pytest.fixture(scope="module")
def trained():
    """A network that has learned a little: 60 updates."""
    rng = np.random.default_rng(4)
    data = language.names(rng)
    return data, frameworks.train(data, rng=rng, steps=60)


# Other programs


@pytest.fixture(scope="module")
def live(trained):
    data, network = trained
    cases = frameworks.small() | {"trained LSTM": (network.cell, data.measured.x[:, :5])}
    return cases, frameworks.compare(cases)


def test_every_program_computes_our_numbers_now(live):
    cases, rows = live
    assert {(row.program, row.layer) for row in rows} == (
        set(product(PACKAGES, cases)) - {("PyTorch", "GRU, reset before")}
    )
    assert {row.source for row in rows} == {"live"}
    assert frameworks.agree(rows) == dict.fromkeys(PACKAGES, True)
    for row in rows:
        assert row.version == sys.modules[PACKAGES[row.program]].__version__
        in_float32 = row.program == "Keras" and row.layer in ("RNN", "GRU, reset before")
        assert row.difference <= (1e-6 if in_float32 else 1e-12), row


def test_what_is_not_installed_is_read_from_the_file(live, monkeypatch):
    for package in PACKAGES.values():
        monkeypatch.setitem(sys.modules, package, None)  # importing it fails from now on
    stored = frameworks.compare(live[0])
    assert [(row.program, row.layer) for row in stored] == [row[:2] for row in live[1]]
    assert {row.source for row in stored} == {"stored"}
    assert frameworks.agree(stored) == dict.fromkeys(PACKAGES, True)
    versions = {row.program: row.version for row in stored}
    assert versions["PyTorch"].startswith("2.13.0") and versions["Keras"].startswith("3.")
    for row in stored:
        assert f"{row.version:12} stored" in frameworks.table([row])


def test_the_stored_states_are_not_ours(monkeypatch):
    """A weight changed in the stored layer is a difference: the file holds what others computed."""
    layer, x = frameworks.stored_case("LSTM")
    layer.W_h[0, 0] += 1
    monkeypatch.setattr(frameworks, "stored_case", lambda name: (layer, x))
    monkeypatch.setitem(sys.modules, "torch", None)
    rows = frameworks.compare({"LSTM": (layer, x)})
    assert rows[0].source == "stored" and rows[0].difference > 1e-3
    assert frameworks.agree(rows[:1]) == {"PyTorch": False}


def test_a_program_that_computes_something_else_is_found(live, monkeypatch):
    def half_a_step_late(layer, x):
        return "0", np.roll(layer.forward(x).h, 1, axis=0)

    monkeypatch.setitem(frameworks.PROGRAMS, "PyTorch", half_a_step_late)
    agreed = frameworks.agree(frameworks.compare(live[0]))
    assert agreed == {"PyTorch": False, "Keras": True, "ONNX": True}


def test_no_parameter_of_the_small_layers_is_zero():
    for layer, x in frameworks.small().values():
        assert all(np.abs(p).min() > 0 for p in layer.parameters.values())
        assert len({*x.shape, layer.H}) == 4, "axes that cannot be confused"


def test_stored_again_it_is_the_same_file(tmp_path):
    """The script behind the file: the small layers, their inputs and all states, once more."""
    frameworks.store(frameworks.small(), tmp_path / "again.npz")
    with np.load(tmp_path / "again.npz") as again, np.load(str(frameworks.STORED)) as stored:
        assert set(again) < set(stored)
        assert {name.split("/")[0] for name in set(stored) - set(again)} == {"trained LSTM"}
        for name in again:
            if not name.endswith("version"):
                np.testing.assert_allclose(again[name], stored[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU", "GRU, reset before"])
def test_a_layer_comes_back_from_its_model_file(name, tmp_path):
    layer, _ = frameworks.small()[name]
    convert.write_onnx(layer, tmp_path / "layer.onnx")
    back = frameworks.read_onnx(tmp_path / "layer.onnx")
    assert type(back) is type(layer)
    assert getattr(back, "reset", None) == getattr(layer, "reset", None)
    for key, p in layer.parameters.items():
        np.testing.assert_array_equal(back.parameters[key], p)


def test_installed_asks_and_does_not_import():
    assert frameworks.installed("this") and "this" not in sys.modules
    assert not frameworks.installed("no_such_package")


# The layouts


@pytest.mark.parametrize("cell, program", list(product(gate_layout.CELLS, gate_layout.PROGRAMS)))
def test_the_blocks_are_where_the_picture_says(cell, program):
    ours, side = gate_layout.layer(cell), gate_layout.kept(cell, program)
    matrix = side.matrix.T if side.tall else side.matrix
    ours_by_gate = dict(zip(gate_layout.kept(cell, gate_layout.OURS).gates,
                            np.split(ours.W_h, len(side.gates), axis=1), strict=True))  # fmt: skip
    for gate, block in zip(side.gates, np.split(matrix, len(side.gates), axis=1), strict=True):
        np.testing.assert_array_equal(block, ours_by_gate[gate])
    assert np.isclose(np.nansum(side.biases), sum(p.sum() for n, p in ours.parameters.items()
                                                  if n.startswith("b")))  # fmt: skip


def test_the_letters_are_those_of_the_documentation():
    letters = {p: gate_layout.kept("LSTM", p).letters for p in gate_layout.PROGRAMS}
    assert list(letters.values()) == ["ifgo", "ifgo", "ifco", "iofc"]
    letters = {p: gate_layout.kept("GRU", p).letters for p in gate_layout.PROGRAMS}
    assert list(letters.values()) == ["rzn", "rzn", "zrh", "zrh"]
    assert gate_layout.kept("LSTM", "ONNX").shapes == {
        "W": (1, 12, 2),
        "R": (1, 12, 3),
        "B": (1, 24),
    }


@pytest.fixture(scope="module")
def layouts():
    return gate_layout.gate_layout()


def wires(figure):
    ax = figure._drawing.fig.axes[0]
    return [p for p in ax.patches if p.get_facecolor()[3] == 0 and p.get_visible()]


@pytest.mark.parametrize(
    "cell, source, target",
    [("LSTM", "this book", "ONNX"), ("GRU", "Keras", "PyTorch"), ("LSTM", "ONNX", "Keras")],
)
def test_a_wire_joins_a_gate_to_itself(layouts, cell, source, target):
    layouts.value = {"cell": cell, "source": source, "target": target}
    ax = layouts._drawing.fig.axes[0]
    sides = [gate_layout.kept(cell, program) for program in (source, target)]
    texts = [text for text in ax.texts if text.get_weight() == "bold" and text.get_text()]
    assert [text.get_text() for text in texts] == [*sides[0].letters, *sides[1].letters]
    count = len(sides[0].gates)
    drawn = wires(layouts)
    assert len(drawn) == count
    for wire in drawn:
        for end, letters, tall in (
            (wire.get_path().vertices[0], texts[:count], sides[0].tall),
            (wire.get_path().vertices[-1], texts[count:], sides[1].tall),
        ):
            along = 1 if tall else 0
            nearest = min(letters, key=lambda t: abs(t.get_position()[along] - end[along]))
            assert nearest.get_color() == to_hex(wire.get_edgecolor())
            assert nearest.get_position()[along] == pytest.approx(end[along])
    moved = sum(a != b for a, b in zip(sides[0].gates, sides[1].gates, strict=True))
    says = repr(layouts)
    assert f"{('none', 'one', 'two', 'three')[moved]} of them move" in says
    assert ("not transposed" in says) == (sides[0].tall == sides[1].tall)


def test_the_null_is_a_program_with_itself(layouts):
    for program in gate_layout.PROGRAMS:
        layouts.value = {"cell": "LSTM", "source": program, "target": program}
        assert "none of them move; the matrices are not transposed" in repr(layouts)
        along = 1 if gate_layout.kept("LSTM", program).tall else 0
        assert len(wires(layouts)) == 4
        for wire in wires(layouts):
            assert np.ptp(wire.get_path().vertices[:, along]) == pytest.approx(0)


def test_everything_lies_inside_the_picture(layouts):
    every = product(gate_layout.CELLS, *[gate_layout.PROGRAMS] * 2)
    for cell, source, target in list(every)[::3]:
        layouts.value = {"cell": cell, "source": source, "target": target}
        ax = layouts._drawing.fig.axes[0]
        for patch in ax.patches:
            corners = patch.get_path().vertices
            if len(corners) and patch.get_visible():
                assert corners[:, 0].min() > gate_layout.WIDE[0]
                assert corners[:, 0].max() < gate_layout.WIDE[1]
                assert corners[:, 1].min() > gate_layout.TALL[0]
                assert corners[:, 1].max() < gate_layout.TALL[1]


def test_the_page_gets_every_block_anew(layouts):
    grid = list(states(layouts._controls))
    for state in (grid[0], grid[len(grid) // 2], grid[-1]):
        layouts.draw(state)
    blocks = [p for p in layouts._drawing.fig.axes[0].patches if p.get_facecolor()[3] > 0]
    assert len(blocks) == 4 * gate_layout.LEVELS
    assert set(blocks) <= set(layouts._drawing.live)


# The wrong order


def test_misread_takes_each_block_for_another(trained):
    network = trained[1]
    wrong = wrong_order.misread(network, "iofg")
    blocks = np.split(network.cell.W_h, 4, axis=1)
    taken = dict(zip("iofg", blocks, strict=True))  # our second block is taken for o
    np.testing.assert_array_equal(
        wrong.cell.W_h, np.concatenate([taken[gate] for gate in "ifgo"], axis=1)
    )
    only = wrong_order.misread(network, "iofg", "the biases alone")
    np.testing.assert_array_equal(only.cell.W_h, network.cell.W_h)
    assert (only.cell.b != network.cell.b).any()


def test_it_is_what_onnx_computes_from_blocks_that_were_not_moved(trained):
    data, network = trained
    wrong = wrong_order.misread(network, "iofg").cell
    x = data.measured.x[:, :3]
    op_type, inputs, attributes = convert.to_onnx(network.cell)
    unmoved = {"W": network.cell.W_x.T[None], "R": network.cell.W_h.T[None]}
    unmoved["B"] = np.r_[network.cell.b, 0 * network.cell.b][None]
    assert {name: a.shape for name, a in unmoved.items()} == {n: a.shape for n, a in inputs.items()}
    there, _ = convert.from_onnx(op_type, unmoved, attributes)
    np.testing.assert_allclose(there.forward(x).h, wrong.forward(x).h, rtol=0, atol=1e-13)


@pytest.fixture(scope="module")
def found(trained):
    return wrong_order.measured(trained[1], trained[0])


def test_loss_and_difference_are_those_of_the_misread_network(trained, found):
    data, network = trained
    x, target, lengths, _ = data.measured
    wrong = wrong_order.misread(network, "gfoi", "W_h alone")
    y, trace = predict(wrong, x, lengths=lengths)
    logp = y - y.max(axis=2, keepdims=True)
    logp -= np.log(np.exp(logp).sum(axis=2, keepdims=True))
    runs = np.arange(len(x))[:, None] < lengths
    said = np.take_along_axis(logp, target[:, :, None], axis=2)[:, :, 0]
    row = found["W_h alone", "gfoi"]
    assert row.loss == pytest.approx(-said[runs].mean(), rel=1e-9)
    right = predict(network, x, lengths=lengths)[1].h
    assert row.apart == pytest.approx(np.abs(right - trace.h)[:, :100].max())


def test_only_the_right_order_is_no_distance_away(found):
    for (part, order), row in found.items():
        assert (row.apart == 0) == (order == "ifgo"), (part, order)
        if order != "ifgo":
            assert row.apart > 1e3 * frameworks.TOLERANCE


def test_the_figure_draws_all_orders_and_the_null(trained, found):
    figure = wrong_order.wrong_order(trained[0], found)
    figure.value = {"order": "igfo", "part": "W_h alone"}
    top, middle, below = figure._drawing.fig.axes
    order = [label.get_text() for label in middle.get_xticklabels()]
    assert sorted(order) == sorted(wrong_order.ORDERS) and len(set(order)) == 24
    many, one = ([line for line in ax.lines if line.get_marker() == "o"] for ax in (top, middle))
    for lines, value in ((many, "loss"), (one, "apart")):
        rows = [getattr(found["W_h alone", name], value) for name in order]
        shown = lines[0].get_ydata()
        np.testing.assert_allclose(shown[1:], rows[1:])
        place = order.index("igfo")
        assert lines[1].get_xydata().tolist() == [[place, shown[place]]]
        assert lines[1].get_color() == plots.RNN
    said = " ".join(text.get_text() for text in below.texts)
    taken = [text.get_text() for text in below.texts if text.get_position()[1] == 1.8]
    assert taken == ["are taken for", *"igfo", "TensorFlow 1's"]
    assert all(name in said for name in found["W_h alone", "igfo"].names)
    row = found["W_h alone", "igfo"]
    assert f"the loss is {row.loss:.2f} nats" in repr(figure)
    figure.value = {"order": "ifgo", "part": "W_h alone"}
    assert "(+0.00)" in repr(figure) and "off by up to 0.00" in repr(figure)
    assert one[1].get_ydata()[0] == wrong_order.FLOOR


def test_both_figures_carry_their_numbers(layouts, trained, found):
    wrong = wrong_order.wrong_order(trained[0], found)
    for figure, count in ((layouts, {1, 3, 4}), (wrong, {24})):
        grid = list(states(figure._controls))
        for state in (grid[0], figure.state, grid[-1]):
            figure.draw(state)
            (table,) = figure._tables
            assert len(table["columns"]) == 3 == len(set(table["columns"]))
            assert len(table["rows"]) in count
    figure.draw(grid[0])
    losses = dict(row[:2] for row in figure._tables[0]["rows"])
    assert losses["i f g o"] == pytest.approx(found["all weights", "ifgo"].loss, rel=1e-3)


# The page


@pytest.mark.parametrize("there", [True, False], ids=["installed", "not-installed"])
def test_the_page_prints_the_same_with_and_without_the_programs(
    trained, monkeypatch, capsys, there
):
    if not there:
        for package in PACKAGES.values():
            monkeypatch.setitem(sys.modules, package, None)
    cells = [cell for cell in nbformat.read(PAGE, 4).cells if cell.cell_type == "code"]
    data, network = trained
    space = {"data": data, "network": network, "cell": network.cell}
    space["torch_arrays"] = convert.to_torch(network.cell)
    exec(cells[0].source, space)  # noqa: S102  the page's own code: its imports
    ran = 0
    for cell in cells:
        if "frameworks.compare" in cell.source or "frameworks.installed" in cell.source:
            capsys.readouterr()
            exec(cell.source, space)  # noqa: S102
            (output,) = cell.outputs
            assert capsys.readouterr().out == output.text
            ran += 1
    assert ran == 2
    assert len(space["back"]) == 1 + there, "the ONNX file, too"
    tables = [cell for cell in cells if "frameworks.table" in cell.source]
    assert [cell.metadata.tags for cell in tables] == [["nbval-ignore-output"]]


def test_the_marked_lines_are_the_ones_the_prose_speaks_of():
    text = "\n".join(cell.source for cell in nbformat.read(PAGE, 4).cells)
    for function, marked in (
        (layout.reorder, ("parts = ", "return np.concatenate")),
        (frameworks.in_torch, ("weights = ", "module.load_state_dict")),
    ):
        shown = text.split(f":pyobject: {function.__name__}\n:emphasize-lines: ")[1]
        lines = inspect.getsource(function).splitlines()
        for place, start in zip(shown.splitlines()[0].split(", "), marked, strict=True):
            assert lines[int(place) - 1].strip().startswith(start)


def test_the_files_of_the_page_are_small():
    assert Path(str(frameworks.STORED)).stat().st_size < 60_000
    layer, _ = frameworks.stored_case("trained LSTM")
    assert isinstance(layer, LSTM) and layer.H == 24
    assert isinstance(frameworks.stored_case("GRU, reset before")[0], GRU)
