"""The studies: what their files say is what theory allows, and what they count is counted right."""

from math import comb

import numpy as np
import pytest

from experiments import forget_gate, identity, peepholes, spectral_radius
from rnn_teach import LSTM, RNN, Network, Readout
from rnn_teach.results import read
from rnn_teach.tasks import Adding
from rnn_teach.training import Adam

ROUNDED = 1 + 1e-3  # the files hold four significant digits


# The spectral radius ----------------------------------------------------------------------------


def test_no_step_multiplies_a_gradient_by_more_than_the_largest_singular_value():
    rows = read("spectral_radius")
    assert (rows["growth"] <= rows["singular"] * ROUNDED).all()
    assert (rows["singular"] * ROUNDED >= rows["radius"]).all()
    assert (0 < rows["slope"]).all() and (rows["slope"] <= 1).all()


def test_without_inputs_the_network_is_linear_and_the_radius_a_lower_bound():
    rows = read("spectral_radius")
    quiet = rows["inputs"] == "none"
    assert (rows["slope"][quiet] == 1).all()
    assert (rows["growth"][quiet] * ROUNDED >= rows["radius"][quiet]).all()
    turning = quiet & (rows["matrix"] == "orthogonal")
    np.testing.assert_allclose(rows["growth"][turning], rows["radius"][turning], rtol=1e-3)


def test_the_louder_the_inputs_the_more_vanishes_in_every_network():
    rows = read("spectral_radius")
    growth = {name: rows["growth"][rows["inputs"] == name] for name in spectral_radius.INPUTS}
    assert (growth["strong"] < growth["weak"]).all()
    assert (growth["weak"] < growth["none"]).all()


@pytest.mark.parametrize("matrix", ["Gaussian", "orthogonal"])
@pytest.mark.parametrize("inputs", ["none", "weak", "strong"])
def test_the_growth_is_that_of_the_product_of_all_jacobians(matrix, inputs, monkeypatch):
    seen = []

    class Watched(RNN):
        def forward(self, *arguments):
            seen.append((self, super().forward(*arguments)))
            return seen[-1][1]

    monkeypatch.setattr(spectral_radius, "RNN", Watched)
    row = spectral_radius.run(matrix, 0.9, inputs, 0)["row"]
    [(cell, trace)] = seen
    assert np.abs(np.linalg.eigvals(cell.W_h)).max() == pytest.approx(0.9)
    product = np.eye(cell.H)
    for h in trace.h[1:, 0]:
        product = (1 - h**2)[:, None] * cell.W_h.T @ product
    growth = np.linalg.svd(product)[1][0] ** (1 / (len(trace.h) - 1))
    assert row["growth"] == pytest.approx(growth, rel=1e-9)
    assert row["singular"] == pytest.approx(np.linalg.svd(cell.W_h)[1][0])


# Gates held open --------------------------------------------------------------------------------


@pytest.mark.parametrize("gate", "ifo")
def test_an_open_gate_is_one_and_stays_so_while_the_others_learn(gate):
    rng = np.random.default_rng(0)
    job = forget_gate.adding(rng)
    cell = forget_gate.lstm(**{gate: forget_gate.OPEN})(job.D, 4, rng=rng)
    before = {name: p.copy() for name, p in cell.parameters.items()}
    network = Network(cell, Readout(4, job.K, rng=rng))
    forget_gate.fit(
        network, job.batches, steps=3, optimizer=Adam(1e-2), progress=False, **job.options
    )
    trace = cell.forward(job.held_out.x)
    held = slice(*(4 * ("ifgo".index(gate) + end) for end in (0, 1)))
    assert (getattr(trace, gate) == 1).all()
    for name, p in cell.parameters.items():
        moved = p != before[name]
        assert not moved[..., held].any()
        assert np.delete(moved, np.r_[held], axis=-1).all()


def test_all_cells_of_a_seed_are_shown_the_same():
    for task in forget_gate.TASKS.values():
        one, other = (task(np.random.default_rng(5)) for _ in range(2))
        assert np.array_equal(next(one.batches).x, next(other.batches).x)
        assert np.array_equal(one.held_out.target, other.held_out.target)


def losses(task):
    """The held-out losses of all seeds, over the baseline, by cell."""
    rows = read("forget_gate")
    return {
        cell: (rows["loss"] / rows["baseline"])[(rows["task"] == task) & (rows["cell"] == cell)]
        for cell in forget_gate.CELLS
    }


def test_on_text_every_run_without_a_forget_gate_is_worse_than_all_others():
    text = losses("text")
    without = text.pop("no forget gate")
    assert without.min() > max(loss.max() for loss in text.values())
    assert text["GRU"].max() < min(text[cell].min() for cell in text if cell != "GRU")
    assert text["forget bias 0"].max() < text["LSTM"].min()


def test_on_adding_it_learns_who_begins_with_an_open_forget_gate():
    adding = losses("adding")
    for cell in ("LSTM", "no forget gate"):
        assert adding[cell].max() < 0.05
    for cell in ("forget bias 0", "GRU"):
        assert adding[cell].min() > 0.9


# The identity to begin with ---------------------------------------------------------------------


def test_the_identity_network_starts_by_adding_up_what_it_reads():
    cell = identity.identity_rnn(2, 8, rng=np.random.default_rng(0))
    x = np.abs(np.random.default_rng(1).normal(size=(30, 3, 2)))
    keeps = (cell.W_x > 0).all(axis=0)
    assert keeps.any() and abs(cell.W_x).max() < 0.1
    h = cell.forward(x).h[-1]
    np.testing.assert_allclose(h[:, keeps], (x.sum(axis=0) @ cell.W_x)[:, keeps], rtol=1e-12)


def test_saying_one_is_right_as_often_as_in_the_first_paper():
    *_, target, _, _ = Adding(30).batch(100_000, rng=np.random.default_rng(0))
    assert identity.near(np.ones_like(target), target).mean() == pytest.approx(0.154, abs=0.004)


def test_over_150_steps_the_identity_always_gets_below_the_mean_and_tanh_never():
    rows = read("identity")
    loss = {
        (cell, T): (rows["loss"] / rows["baseline"])[(rows["cell"] == cell) & (rows["T"] == T)]
        for cell in identity.CELLS
        for T in (20, 150, 200)
    }
    assert loss["identity ReLU RNN", 150].max() < 0.6
    assert loss["identity ReLU RNN", 200].max() < 0.8
    for T in (150, 200):
        assert loss["tanh RNN", T].min() > 0.95
    assert loss["LSTM", 20].max() < 0.01
    assert ((loss["LSTM", 150] < 0.02) | (loss["LSTM", 150] > 0.95)).all()


# Peepholes --------------------------------------------------------------------------------------


def counter(keep: float) -> Network:
    """An LSTM set by hand: unit 0 counts a up and b down, unit 1 tells which of them was last.

    keep: the sum that opens the forget gate of the counter.
    """
    rng = np.random.default_rng(0)
    cell, readout = LSTM(3, 2, rng=rng), Readout(2, 3, rng=rng)
    cell.W_h[:], cell.W_x[:] = 0, 0
    cell.W_x[1, 4:6], cell.W_x[2, 4:6] = 50, -50  # the candidate: 1 for a, -1 for b, 0 for $
    cell.b[:] = [50, 50, keep, -50, 0, 0, 50, 50]
    readout.W_y[:] = [[0, 0, 8], [-4, 0, 0]]
    readout.b_y[:] = [0, 1, 0]
    return Network(cell, readout)


def test_a_counter_set_by_hand_is_accepted_as_far_as_anybody_looks():
    assert peepholes.reached(counter(keep=50)) == peepholes.FARTHEST


def test_a_counter_that_leaks_is_accepted_to_the_first_n_it_gets_wrong():
    leaky = counter(keep=5)  # it keeps 0.993 a step
    accepted = [peepholes.accepts(leaky, n) for n in range(1, 60)]
    assert not all(accepted) and peepholes.reached(leaky) == accepted.index(False) > 3


def test_it_does_not_matter_what_comes_after_an_a():
    network = counter(keep=50)
    network.readout.W_y[1, 1] = 12  # one more a, it says after every a; before, it was a b
    assert peepholes.reached(network) == peepholes.FARTHEST


@pytest.mark.parametrize("unsaid", "$ab")
def test_a_network_that_never_says_one_of_the_symbols_is_not_accepted(unsaid):
    network = counter(keep=50)
    network.readout.b_y["$ab".index(unsaid)] = -100
    assert not peepholes.accepts(network, 2) and peepholes.reached(network) <= 1


def test_the_farthest_counters_have_peepholes():
    rows = read("peepholes")
    n, peephole = rows["n_reached"], rows["cell"] == "LSTM with peepholes"
    assert (n >= rows["n_train"]).all()
    assert (n[peephole] > n[~peephole].max()).sum() == 5
    assert np.median(n[peephole]) > np.median(n[~peephole])
    # the share of all ways to choose the 10 runs with peepholes that hold the best five
    assert round(100 * comb(15, 5) / comb(20, 10), 1) == 1.6
