"""Expressions: parsed as Python parses them, worth what Python says, as deep as they were asked to be."""

import ast
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_teach.functional import cross_entropy
from rnn_teach.problems.expressions import Expressions, parse, value

exactly_again = settings(derandomize=True, deadline=None, max_examples=60)

in_parentheses = st.recursive(
    st.sampled_from("01"),
    lambda side: st.tuples(side, st.sampled_from("&|^"), side).map(lambda t: f"({''.join(t)})"),
    max_leaves=20,
)
bare = st.lists(st.sampled_from("01"), min_size=1, max_size=12).flatmap(
    lambda bits: st.lists(
        st.sampled_from("&|^"), min_size=len(bits) - 1, max_size=len(bits) - 1
    ).map(lambda signs: "".join(map("".join, zip(bits, [*signs, ""], strict=True))))
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def depth(tree) -> int:
    return 0 if isinstance(tree, str) else 1 + max(depth(tree[1]), depth(tree[2]))


def written(tree) -> str:
    return tree if isinstance(tree, str) else f"({written(tree[1])}{tree[0]}{written(tree[2])})"


@exactly_again
@given(text=in_parentheses | bare)
def test_a_tree_is_worth_what_python_says(text):
    assert value(parse(text)) == eval(text)


@exactly_again
@given(text=in_parentheses | bare)
def test_a_tree_is_pythons_own(text):
    """Once more from ast's own text of each side, so that no sign changes its place."""

    def sides(node):
        return (node,) if isinstance(node, ast.Constant) else (node.left, node.right)

    tree, node = parse(text), ast.parse(text, mode="eval").body
    for side, part in zip(tree[1:], sides(node), strict=False):
        assert side == parse(ast.unparse(part))
    assert written(parse(written(tree))) == written(tree)


def test_and_goes_before_either_and_either_before_or():
    assert parse("1^0|1&1^0") == ("|", ("^", "1", "0"), ("^", ("&", "1", "1"), "0"))
    assert parse("1&0&1") == ("&", ("&", "1", "0"), "1")


@pytest.mark.parametrize("deep", range(8))
def test_expressions_are_as_deep_as_they_were_asked_to_be(deep):
    texts = Expressions(most=deep, least=deep).draw(50, rng=rng())
    assert {depth(parse(text)) for text in texts} == {deep}
    for text in texts:
        assert text.count("(") == max(0, sum(map(text.count, "&|^")) - 1)
        assert written(parse(text)) in (text, f"({text})"), "its parentheses say it all"


def test_depths_signs_bits_and_sides_are_drawn_evenly():
    texts = Expressions(most=3).draw(3000, rng=rng())
    trees = [parse(text) for text in texts]
    shares = np.bincount([depth(tree) for tree in trees], minlength=4) / 3000
    np.testing.assert_allclose(shares, [0, 1 / 3, 1 / 3, 1 / 3], atol=0.03)
    together = "".join(texts)
    for symbols in ("&|^", "01"):
        counts = np.array([together.count(symbol) for symbol in symbols])
        np.testing.assert_allclose(counts / counts.sum(), 1 / len(symbols), atol=0.015)
    two = [tree for tree in trees if depth(tree) == 2]
    deeper = np.array([(depth(tree[1]), depth(tree[2])) for tree in two])
    # one side is 1 deep, the other 0 or 1
    shares = [np.mean((deeper == pair).all(axis=1)) for pair in ((1, 1), (1, 0), (0, 1))]
    np.testing.assert_allclose(shares, [0.5, 0.25, 0.25], atol=0.05)


def test_both_answers_are_equally_likely_at_every_depth():
    once = [f"{a}{sign}{b}" for a, sign, b in itertools.product("01", "&|^", "01")]
    assert sum(map(eval, once)) == len(once) / 2, "all twelve of depth 1"
    for deep in (2, 4):
        values = Expressions(most=deep, least=deep).as_trees(
            Expressions(most=deep, least=deep).draw(600, rng=rng(deep))
        )
        assert abs(values.target.mean() - 0.5) < 0.06


def test_the_baseline_is_a_guess():
    guess = cross_entropy(np.zeros((2, 2)), np.array([0, 1]), np.full(2, 0.5))[0]
    assert Expressions().baseline() == pytest.approx(guess) == pytest.approx(math.log(2))


def test_both_readings_are_of_the_same_expressions():
    problem = Expressions(most=4)
    texts = problem.draw(20, rng=rng(3))
    x, target, lengths, carry = problem.as_sequences(texts)
    assert x.shape == (max(map(len, texts)), 20, problem.D) and carry is False
    for n, text in enumerate(texts):
        read = x[: lengths[n], n]
        assert "".join(problem.characters[k] for k in read.argmax(axis=1)) == text
        assert (read.sum(axis=1) == 1).all() and not x[lengths[n] :, n].any()
        assert target[n] == eval(text)
    trees = problem.as_trees(texts)
    assert trees.x == [parse(text) for text in texts]
    np.testing.assert_array_equal(trees.target, target)
    assert set(problem.symbols) == set(problem.characters) - set("()")


def test_a_batch_is_what_was_drawn_and_the_same_seed_draws_it_again():
    problem = Expressions()
    drawn = problem.as_sequences(problem.draw(8, rng=rng(1)))
    for a, b in zip(problem.batch(8, rng=rng(1)), drawn, strict=True):
        np.testing.assert_array_equal(a, b)
    assert problem.draw(8, rng=rng(1)) != problem.draw(8, rng=rng(2))


@pytest.mark.parametrize("text", ["1+1", "-1", "2", "1<<1", "~1", "True", "x", "1.0", "(1&2)|0"])
def test_anything_else_is_named(text):
    with pytest.raises(ValueError, match=r"text: expected 0, 1, &, \| and \^, got .* in "):
        parse(text)


def test_wrong_arguments_are_named():
    with pytest.raises(SyntaxError):
        parse("(1&0")
    with pytest.raises(ValueError, match="least: expected an integer of at least 0, got -1"):
        Expressions(least=-1)
    with pytest.raises(ValueError, match="most: expected an integer of at least 2, got 1"):
        Expressions(least=2, most=1)
    with pytest.raises(TypeError, match="most: expected an integer of at least 1, got 2.0"):
        Expressions(most=2.0)
    with pytest.raises(ValueError, match="N: expected an integer of at least 1, got 0"):
        Expressions().draw(0, rng=rng())
    with pytest.raises(ValueError, match=r"texts: expected characters of .*, got '1 & 0'"):
        Expressions().as_sequences(["1 & 0"])
