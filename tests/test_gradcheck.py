"""The oracles: right gradients pass, each planted mistake is found and named."""

import numpy as np
import pytest
from cases import case

from rnn_teach.gradcheck import central_difference, check, complex_step, with_parameters

A = np.array([[2.0, -1.0], [0.5, 3.0]])
PARAMS = {"v": np.array([1.0, -2.0]), "s": np.array(0.7)}
each_oracle = pytest.mark.parametrize("oracle", [central_difference, complex_step])


def rng():
    return np.random.default_rng(0)


def f(p):
    """sin(s) v A v"""
    return np.sin(p["s"]) * (p["v"] @ A @ p["v"])


def gradient():
    v, s = PARAMS["v"], PARAMS["s"]
    return {"v": np.sin(s) * (A + A.T) @ v, "s": np.cos(s) * (v @ A @ v)}


def test_right_gradient_passes_with_the_digits_each_oracle_has():
    central, complex_ = check(f, PARAMS, gradient(), rng=rng())
    assert central.error < 1e-8
    assert complex_.error < 1e-14
    assert central.name in PARAMS
    assert central.numeric == pytest.approx(central.analytic)


@each_oracle
@pytest.mark.parametrize(
    "mistake",
    {
        "sign": lambda g: -g,
        "factor": lambda g: g / 2,
        "zero": lambda g: 0 * g,
        "one entry": lambda g: g + [1e-5, 0],
        "transposed": lambda g: g[::-1],
        "nan": lambda g: g * np.nan,
    }.items(),
    ids=lambda mistake: mistake[0],
)
def test_a_mistake_in_one_parameter_is_found_and_named(oracle, mistake):
    wrong = gradient() | {"v": mistake[1](gradient()["v"])}
    report = oracle(f, PARAMS, wrong, rng=rng())
    assert report.name == "v"
    assert not report.error < 1e-7


@each_oracle
def test_three_directions_for_each_parameter_unless_told_otherwise(oracle):
    asked = []
    oracle(lambda p: asked.append(p) or f(p), PARAMS, gradient(), rng=rng())
    assert len(asked) == 3 * len(PARAMS) * (2 if oracle is central_difference else 1)


@each_oracle
def test_report_compares_the_two_slopes_along_one_direction(oracle):
    report = oracle(f, PARAMS, gradient() | {"s": np.array(2.0)}, rng=rng(), directions=1)
    assert report.name == "s"
    assert abs(report.analytic) == 2
    assert abs(report.numeric) == pytest.approx(abs(gradient()["s"]))


def test_check_shows_both_numbers_and_the_parameter():
    with pytest.raises(
        AssertionError, match=r"central difference: the slope along s is .*, .* says"
    ):
        check(f, PARAMS, gradient() | {"s": np.array(2.0)}, rng=rng())
    # too small a mistake for central differences is still one for the complex step
    close = {name: g * (1 + 1e-10) for name, g in gradient().items()}
    with pytest.raises(AssertionError, match="complex step: the slope along"):
        check(f, PARAMS, close, rng=rng())
    with pytest.raises(AssertionError, match="the gradient says nan"):
        check(f, PARAMS, gradient() | {"s": np.array(np.nan)}, rng=rng())


def test_a_gradient_that_vanishes_everywhere_is_right_if_it_is_zero():
    flat = {"v": np.zeros(2), "s": np.array(0.0)}
    for report in check(lambda p: 0 * f(p), PARAMS, flat, rng=rng()):
        assert report.error == 0


def test_complex_step_needs_the_imaginary_part():
    with pytest.raises(TypeError, match="f: expected a complex number for a complex v, got"):
        complex_step(lambda p: f(p).real, PARAMS, gradient(), rng=rng())


@each_oracle
def test_shapes_and_names_must_agree(oracle):
    with pytest.raises(ValueError, match=r"grads\['v'\]: expected shape \(2,\), got \(2, 1\)"):
        oracle(f, PARAMS, gradient() | {"v": np.zeros((2, 1))}, rng=rng())
    with pytest.raises(KeyError, match="'s'"):
        oracle(f, PARAMS, {"v": gradient()["v"]}, rng=rng())


@each_oracle
def test_float32_parameters_are_checked_in_float64(oracle):
    single = {name: p.astype(np.float32) for name, p in PARAMS.items()}
    v, s = single["v"].astype(float), single["s"].astype(float)
    grads = {"v": np.sin(s) * (A + A.T) @ v, "s": np.cos(s) * (v @ A @ v)}
    assert oracle(f, single, grads, rng=rng()).error < 1e-8


def test_with_parameters_leaves_the_model_alone_and_ignores_other_names():
    cell = case("GRU-after").cell
    other = with_parameters(cell, {"b_hn": np.ones(5), "x": np.zeros(3)})
    assert (other.b_hn == 1).all()
    assert not (cell.b_hn == 1).any()
    assert not hasattr(other, "x")
    other.W_h[:] = 0
    assert cell.W_h.all()


def test_with_parameters_finds_the_parts_of_a_composed_model():
    class Stack:
        def __init__(self):
            self.parts = {"0": case("LSTM").cell, "forward": case("RNN-tanh").cell}

        @property
        def parameters(self):
            return {
                f"{k}.{name}": p for k, c in self.parts.items() for name, p in c.parameters.items()
            }

        def forward(self):
            """Not what "forward.b" means."""

    stack = Stack()
    other = with_parameters(stack, {"0.b": np.zeros(20), "forward.b": np.ones(5)})
    assert not other.parts["0"].b.any()
    assert (other.parts["forward"].b == 1).all()
    assert stack.parts["0"].b.any()


@each_oracle
def test_error_is_relative_to_the_larger_slope_or_to_the_typical_one(oracle):
    ones = {"w": np.ones(4)}  # a gradient whose typical slope is |w| / sqrt(4) = 1
    report = oracle(lambda p: 0 * p["w"].sum(), ones, ones, rng=rng(), directions=1)
    slope = abs(report.analytic)
    assert report.error == pytest.approx(slope / max(slope, 1))


def test_an_error_as_large_as_the_tolerance_is_allowed():
    flat = {"v": np.zeros(2), "s": np.array(0.0)}
    check(lambda p: 0 * f(p), PARAMS, flat, rng=rng(), central_tolerance=0, complex_tolerance=0)
