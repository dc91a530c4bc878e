"""One update: what an optimizer does by hand and in PyTorch, how its rate decays, and what it takes elsewhere."""

import numpy as np
import pytest

from rnn_teach.training import (
    SGD,
    Adam,
    RMSprop,
    clip_by_norm,
    clip_each_by_norm,
    cosine_decay,
    exponential_decay,
    linear_decay,
    step_decay,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def locked(**arrays) -> dict[str, np.ndarray]:
    """The arrays, handed over read-only."""
    out = {name: np.array(a, dtype=float) for name, a in arrays.items()}
    for a in out.values():
        a.flags.writeable = False
    return out


def test_clipping_each_array_leaves_the_short_ones_alone():
    grads = locked(a=[[3.0, 0.0], [0.0, 4.0]], b=[0.6, -0.8], c=[0.0])
    clipped, norms = clip_each_by_norm(grads, 1.0)
    assert norms == {"a": 5.0, "b": 1.0, "c": 0.0}
    np.testing.assert_allclose(clipped["a"], [[0.6, 0], [0, 0.8]])
    assert (clipped["b"] == grads["b"]).all() and clipped["b"] is not grads["b"]
    together, norm = clip_by_norm(grads, 1.0)
    assert norm == pytest.approx(26**0.5) and together["b"][0] < clipped["b"][0]
    with pytest.raises(ValueError, match="max_norm: expected a number above 0"):
        clip_each_by_norm({}, 0)


# By hand


def test_rmsprop_by_hand():
    p, optimizer = {"w": np.array([1.0])}, RMSprop(learning_rate=0.1, decay=0.9, eps=0.5)
    optimizer.update(p, locked(w=[2.0]))
    first = 1.0 - 0.1 * 2.0 / (np.sqrt(0.1 * 4) + 0.5)
    assert p["w"] == pytest.approx(first, rel=1e-14)
    optimizer.update(p, locked(w=[-1.0]))
    s = 0.9 * 0.1 * 4 + 0.1 * 1
    assert p["w"] == pytest.approx(first + 0.1 / (np.sqrt(s) + 0.5), rel=1e-14)
    with pytest.raises(ValueError, match="learning_rate: expected a number above 0"):
        RMSprop(learning_rate=0)


def test_adam_by_hand():
    p, optimizer = {"w": np.array([1.0])}, Adam(0.1, beta1=0.8, beta2=0.9, eps=0.5)
    optimizer.update(p, locked(w=[2.0]))
    first = 1.0 - 0.1 * 2 / (2 + 0.5)  # in the first update both averages are the gradient's own
    assert p["w"] == pytest.approx(first, rel=1e-14)
    optimizer.update(p, locked(w=[-1.0]))
    m, s = 0.8 * 0.2 * 2 - 0.2 * 1, 0.9 * 0.1 * 4 + 0.1 * 1
    second = first - 0.1 * (m / (1 - 0.8**2)) / (np.sqrt(s / (1 - 0.9**2)) + 0.5)
    assert p["w"] == pytest.approx(second, rel=1e-14)


# In PyTorch, and elsewhere

OPTIMIZERS = {
    "SGD": lambda rate: SGD(rate),
    "momentum": lambda rate: SGD(rate, momentum=0.9),
    "RMSprop": lambda rate: RMSprop(rate, decay=0.95),
    "Adam": lambda rate: Adam(rate),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_agree_with_pytorch_to_1e_12(name):
    torch = pytest.importorskip("torch")
    p = {"w": rng().standard_normal((3, 2)), "b": rng(1).standard_normal(2)}
    theirs = {key: torch.tensor(a) for key, a in p.items()}
    reference = {
        "SGD": lambda tensors: torch.optim.SGD(tensors, lr=0.05),
        "momentum": lambda tensors: torch.optim.SGD(tensors, lr=0.05, momentum=0.9),
        "RMSprop": lambda tensors: torch.optim.RMSprop(tensors, lr=0.05, alpha=0.95),
        "Adam": lambda tensors: torch.optim.Adam(tensors, lr=0.05),
    }[name](theirs.values())
    optimizer, noise = OPTIMIZERS[name](0.05), rng(2)
    for _ in range(20):
        grads = locked(**{key: noise.standard_normal(a.shape) for key, a in p.items()})
        optimizer.update(p, grads)
        for key, tensor in theirs.items():
            tensor.grad = torch.tensor(np.array(grads[key]))
        reference.step()
    for key, tensor in theirs.items():
        np.testing.assert_allclose(p[key], tensor.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_goes_on_elsewhere(name):
    def run(p, optimizer, noise, updates):
        for _ in range(updates):
            optimizer.update(p, locked(w=noise.standard_normal(3)))

    rate = linear_decay(0.1, steps=12)
    whole, parts = {"w": np.ones(3)}, {"w": np.ones(3)}
    run(whole, OPTIMIZERS[name](rate), rng(), 10)
    noise, first, second = rng(), OPTIMIZERS[name](rate), OPTIMIZERS[name](rate)
    run(parts, first, noise, 4)
    state = first.state()
    run({"w": np.ones(3)}, first, rng(5), 2)  # what it does later does not reach the copies
    second.restore(state)
    run(parts, second, noise, 6)
    assert (whole["w"] == parts["w"]).all()


def test_an_optimizer_of_another_kind_is_an_error():
    with pytest.raises(ValueError, match="optimizer: expected Adam, as in the checkpoint, got SGD"):
        SGD(0.1).restore(Adam(0.1).state())


# Decay


@pytest.mark.parametrize(
    ("schedule", "by_hand"),
    [
        (step_decay(0.3, factor=0.1, every=4), lambda k: 0.3 * 0.1 ** (k // 4)),
        (exponential_decay(0.3, half_life=3), lambda k: 0.3 * np.exp(-np.log(2) * k / 3)),
        (linear_decay(0.3, steps=10), lambda k: 0.3 * (10 - min(k, 10)) / 10),
        (cosine_decay(0.3, steps=10), lambda k: 0.3 * np.cos(np.pi * min(k, 10) / 20) ** 2),
    ],
    ids=["step", "exponential", "linear", "cosine"],
)
def test_the_rate_of_update_k_is_the_schedule_at_k(schedule, by_hand):
    p, optimizer = {"w": np.array([0.0])}, SGD(schedule)
    for k in range(13):
        before = p["w"].copy()
        optimizer.update(p, locked(w=[-1.0]))
        assert p["w"] - before == pytest.approx(by_hand(k), abs=1e-12)


def test_a_schedule_and_what_it_returns_are_checked():
    with pytest.raises(ValueError, match="half_life: expected a number above 0"):
        exponential_decay(1.0, half_life=0)
    with pytest.raises(ValueError, match=r"learning_rate: expected numbers .* got -1.0 at k=0"):
        SGD(lambda k: -1.0).update({}, {})
