"""The first figure: its arrows are the gradient, checked by a complex step through each cell."""

import numpy as np
import pytest

from rnn_teach.figures import unrolled


@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_arrows_are_the_gradient_of_a_run_restarted_at_that_step(cell, monkeypatch):
    seen = {}

    def spy(make):
        def cell_of(D, H, *, rng):
            layer = make(D, H, rng=rng)
            forward, backward = layer.forward, layer.backward
            layer.forward = lambda x: seen.setdefault("trace", forward(x))
            layer.backward = lambda trace, dh, dstate: (
                seen.update(dstate=dstate, forward=forward),
                backward(trace, dh, dstate),
            )[1]
            return layer

        return cell_of

    monkeypatch.setattr(unrolled, cell, spy(getattr(unrolled, cell)))
    steps = 5
    norms = unrolled.backward_norms.__wrapped__(cell, 0.9, steps)
    trace, forward = seen["trace"], seen["forward"]
    direction = np.atleast_3d(np.stack(seen["dstate"])) if cell == "LSTM" else seen["dstate"][None]

    def gradient_norm(t):
        """||dL/d(state after step t)||, unit by unit, by a complex step of 1e-20."""
        names = ["h", "c"][: len(direction)]
        state = np.stack([getattr(trace, name)[t - 1] for name in names]).astype(complex)
        squares = 0
        for part in range(len(names)):
            for unit in range(unrolled.H):
                moved = state.copy()
                moved[part, :, unit] += 1e-20j
                final = moved
                if t < steps:
                    start = tuple(moved) if cell == "LSTM" else moved[0]
                    end = forward(trace.x[t:].astype(complex), start).final
                    final = np.stack(end) if cell == "LSTM" else end[None]
                squares = squares + ((direction * final).sum(axis=(0, 2)).imag / 1e-20) ** 2
        return np.sqrt(squares).mean()

    expected = np.array([gradient_norm(t) for t in range(1, steps + 1)])
    np.testing.assert_allclose(norms, expected / expected[-1], rtol=1e-10)


def test_the_plain_cell_stays_under_its_bound():
    for gain in (0.5, 0.8, 1.0):
        lag = np.arange(19, -1, -1)
        assert (unrolled.backward_norms("RNN", gain, 20) <= gain**lag + 1e-12).all()


def test_gates_hold_what_the_plain_cell_loses():
    left = {cell: unrolled.backward_norms(cell, 0.8, 20)[0] for cell in ("RNN", "GRU", "LSTM")}
    assert left["RNN"] < 0.02
    assert left["GRU"] > 0.3
    assert left["LSTM"] > 0.3


def test_a_share_is_said_in_words():
    assert unrolled._share(2.34) == "2.3 times"
    assert unrolled._share(0.084) == "8% of"
    assert unrolled._share(0.0004) == "one part in 2,500 of"


def test_the_sentence_says_the_number_under_the_slider():
    hero = unrolled.hero()
    hero.gain, hero.steps, hero.cell = 1.2, 12, "RNN"
    times = unrolled.backward_norms("RNN", 1.2, 12)[0]
    assert f"{times:.1f} times the gradient at step 12" in hero._picture["sentence"]
