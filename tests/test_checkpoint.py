"""A run that was stopped and goes on is the run that was never stopped, to the bit."""

import functools

import numpy as np
import pytest

from rnn_teach import tasks
from rnn_teach.bptt import Network, Readout
from rnn_teach.cells import GRU, LSTM, RNN
from rnn_teach.checkpoint import load
from rnn_teach.deep import Chain
from rnn_teach.seq2seq import EncoderDecoder, teacher_forcing
from rnn_teach.training import (
    SGD,
    Adam,
    EarlyStopping,
    RMSprop,
    clip_by_value,
    cosine_decay,
    fit,
    truncated_bptt,
)

TEXT = "a cat sat on the mat. " * 20
VOCABULARY = tasks.characters(TEXT)
CELLS = {
    "RNN": RNN,
    "LSTM": LSTM,
    "stack": lambda D, H, rng: Chain([GRU(D, H, rng=rng), LSTM(H, H, rng=rng)]),
}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def small(cell="RNN") -> Network:
    draw, K = rng(), VOCABULARY.size
    return Network(CELLS[cell](K, 8, rng=draw), Readout(8, K, rng=draw))


def batches(seed: int = 5):
    return tasks.text_batches(TEXT, VOCABULARY, N=4, T=6, rng=rng(seed))


def same(one, two) -> bool:
    return all((a == b).all() for a, b in zip(one, two, strict=True))


# Going on


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: Adam(cosine_decay(0.02, steps=50)),
        lambda: SGD(0.1, momentum=0.9),
        lambda: RMSprop(0.01),
    ],
    ids=["Adam", "SGD", "RMSprop"],
)
def test_a_resumed_run_is_an_uninterrupted_one_to_the_bit(tmp_path, cell, optimizer):
    whole = small(cell)
    history = fit(whole, batches(), steps=37, optimizer=optimizer(), clip=0.5)
    path = tmp_path / "run.npz"
    for steps in (
        13,
        20,
        37,
    ):  # 13 and 20 lie within a pass over the text: the state is carried over
        parts = small(cell)
        run = fit(parts, batches(), steps=steps, optimizer=optimizer(), clip=0.5, checkpoint=path)
        assert len(run.loss) == steps == load(path).step
    assert same(whole.parameters.values(), parts.parameters.values())
    assert same(history, run)


def test_a_run_that_broke_down_goes_on_from_the_last_file(tmp_path):
    whole, broken, parts = small(), small(), small()
    path = tmp_path / "run.npz"

    def breaks(k, network):
        if k == 17:
            raise KeyboardInterrupt

    fit(whole, batches(), steps=30, optimizer=Adam(0.02))
    keep = {"steps": 30, "checkpoint": path, "save_every": 5}
    with pytest.raises(KeyboardInterrupt):
        fit(broken, batches(), optimizer=Adam(0.02), callback=breaks, **keep)
    assert load(path).step == 15
    fit(parts, batches(), optimizer=Adam(0.02), **keep)
    assert same(whole.parameters.values(), parts.parameters.values())
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"], "nothing half written"


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_a_callback_that_draws_numbers_goes_on_drawing_them(tmp_path, bits):
    def run(network, stops):
        for steps in stops:
            network, generator = small(), np.random.Generator(bits(3))

            def shake(k, network, generator=generator):
                network.cell.b += 0.01 * generator.standard_normal(8)

            fit(
                network,
                batches(),
                steps=steps,
                optimizer=SGD(0.1),
                callback=shake,
                rng=generator,
                checkpoint=tmp_path / f"{len(stops)}.npz",
            )
        return network, generator

    # in the second run update 7 is shaken twice, but the parameters and the generator are put back
    (one, first), (two, second) = run(None, [20]), run(None, [7, 20])
    assert first.random() == second.random()
    assert same(one.parameters.values(), two.parameters.values())


@pytest.mark.parametrize("kind", ["text", "problem"])
def test_the_generator_of_the_batches_may_be_kept_as_well(tmp_path, kind):
    def run(path, stops):
        for steps in stops:
            network, draw = small(), rng(5)
            stream = tasks.text_batches(TEXT, VOCABULARY, N=4, T=6, rng=draw)
            if kind == "problem":
                problem = tasks.Copy(delay=3, items=2, symbols=9)  # 11 inputs, as TEXT has
                stream = tasks.batches(problem, 4, rng=draw)
            keep = {"optimizer": Adam(0.02), "checkpoint": path, "rng": draw}
            history = fit(network, stream, steps=steps, **keep)
        return (*network.parameters.values(), *history), draw.random()

    one, two = run(tmp_path / "one.npz", [60]), run(tmp_path / "two.npz", [25, 60])
    assert same(one[0], two[0]) and one[1] == two[1]


def test_other_gradients_go_on_as_well(tmp_path):
    truncated = functools.partial(truncated_bptt, k1=2, k2=4)
    whole, parts = small(), small()
    fit(whole, batches(), steps=12, optimizer=SGD(0.1), bptt=truncated)
    for steps in (5, 12):
        parts = small()
        keep = {"optimizer": SGD(0.1), "checkpoint": tmp_path / "t.npz"}
        fit(parts, batches(), steps=steps, bptt=truncated, **keep)
    assert same(whole.parameters.values(), parts.parameters.values())

    draw = rng()
    pair = EncoderDecoder(GRU(2, 5, rng=draw), GRU(3, 5, rng=draw), Readout(5, 3, rng=draw), end=0)
    x, target = draw.normal(size=(4, 6, 2)), np.array([[1] * 6, [2] * 6, [0] * 6])
    history = fit(
        pair,
        [(x, target, None, False)] * 60,
        steps=60,
        optimizer=Adam(0.02),
        bptt=teacher_forcing,
        clip=functools.partial(clip_by_value, limit=0.1),
        checkpoint=tmp_path / "pair.npz",
    )
    assert history.loss[-1] < history.loss[0] / 2


def test_it_is_numbers_and_text_only(tmp_path):
    path = tmp_path / "run.npz"
    fit(small(), batches(), steps=2, optimizer=Adam(0.02), checkpoint=path, rng=rng())
    with np.load(path, allow_pickle=False) as file:
        assert all(file[name].dtype.kind in "fiU" for name in file.files)
    kept = load(path)
    assert set(kept.parameters) == set(small().parameters)
    assert kept.rng == rng().bit_generator.state and kept.state.shape == (4, 8)


# A file that is not of this run


def other_network(K=VOCABULARY.size):
    return Network(RNN(K, 9, rng=rng()), Readout(9, K, rng=rng()))


@pytest.mark.parametrize(
    ("network", "options", "message"),
    [
        (other_network, {}, r"checkpoint: expected 'cell.W_x' to be \(\d+, 9\) float64, got"),
        (lambda: small("stack"), {}, r"parameters of this network, but 'cell.0.W_h' is not in it"),
        (small, {"optimizer": SGD(0.1)}, "optimizer: expected Adam, as in the checkpoint, got SGD"),
        (small, {"steps": 2}, "steps: expected at least the checkpoint's 3, got 2"),
        (small, {"rng": rng()}, "rng: expected none, as in the checkpoint, got one"),
        (
            small,
            {"early_stopping": EarlyStopping(lambda network: 1.0)},
            "early_stopping: expected none, as in the checkpoint, got one",
        ),
        (small, {"batches": []}, "batches: expected 5, one a step, got 0"),
    ],
)
def test_a_file_of_another_run_is_an_error_that_says_why(tmp_path, network, options, message):
    path = tmp_path / "run.npz"
    fit(small(), batches(), steps=3, optimizer=Adam(0.02), checkpoint=path)
    keep = {"steps": 5, "optimizer": Adam(0.02), "checkpoint": path, "batches": batches()}
    keep |= options
    with pytest.raises(ValueError, match=message):
        fit(network(), **keep)


def test_a_file_that_is_no_checkpoint_is_an_error_that_says_so(tmp_path):
    whole = tmp_path / "whole.npz"
    fit(small(), batches(), steps=3, optimizer=Adam(0.02), checkpoint=whole)
    data = whole.read_bytes()
    flipped = bytearray(data)
    flipped[len(data) // 3] ^= 255
    path = tmp_path / "run.npz"

    def plain(**arrays):
        np.savez(path, **arrays)

    def array():
        with path.open("wb") as file:
            np.save(file, np.ones(3))

    for spoil in (
        lambda: path.write_bytes(b""),
        lambda: path.write_bytes(b"no archive at all"),
        lambda: path.write_bytes(data[: len(data) // 2]),
        lambda: path.write_bytes(flipped),
        lambda: plain(w=np.ones(2)),
        lambda: plain(about=np.array('{"format": 99}')),
        lambda: plain(about=np.array("not json")),
        lambda: plain(about=np.array([{"format": 1}], dtype=object)),  # pickled: not opened
        array,
    ):
        spoil()
        network = small()
        before = {name: p.copy() for name, p in network.parameters.items()}
        with pytest.raises(
            ValueError, match=r"checkpoint: expected a file that training has saved"
        ):
            fit(network, batches(), steps=5, optimizer=Adam(0.02), checkpoint=path)
        assert same(before.values(), network.parameters.values())
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nowhere.npz")
