"""The errata: each with the formula as it circulates, what is wrong, a cell that shows it, a chapter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "book" / "errata.md").read_text("utf-8")
CELL = re.compile(r"^```\{code-cell\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PARTS = dict(re.findall(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
ERRATA = {title: text for title, text in PARTS.items() if title != "How to find the next one"}
IMPORTS = CELL.search(TEXT)[1]


def cell(title: str) -> str:
    (found,) = CELL.findall(ERRATA[title])
    return found


def run(source: str) -> None:
    names: dict[str, object] = {}
    exec(IMPORTS, names)  # noqa: S102  the page's own code
    exec(source, names)  # noqa: S102


def test_there_are_those_that_circulate_most() -> None:
    assert len(ERRATA) >= 12
    formulas = "".join(ERRATA.values())
    for known in (r"o_t \odot c_t", "+ b_i)", r"(1 - z_t) \odot h_{t-1}", "0.1767", "2^L"):
        assert known in formulas


@pytest.mark.parametrize("title", ERRATA)
def test_each_is_whole(title: str) -> None:
    text = ERRATA[title]
    first, second = text.index("**As it circulates.**"), text.index("**What is wrong.**")
    circulating = text[first:second]
    assert any(sign in circulating for sign in ("$", "`", "0.1767")), "no formula"
    assert "assert " in cell(title) and "print(" in cell(title)
    assert len(cell(title).splitlines()) <= 12
    for chapter in re.findall(r"\{doc\}`/notebooks/(\w+)`", text):
        assert (ROOT / "notebooks" / f"{chapter}.ipynb").is_file()
    assert "{doc}`/notebooks/" in text[text.index("```{code-cell}") :]


@pytest.mark.parametrize("title", ERRATA)
def test_its_cell_runs_alone(title: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(cell(title))
    assert capsys.readouterr().out.strip()


REPAIRED = {
    "The LSTM's output without its tanh": ("right, wrong = ", "right, wrong = right, right = "),
    "One bias for two sums": ("-2.0", "0.0"),
    "A forget gate that forgets at 1": ("one_step(0.0, 1.0), ", "one_step(3.0, 1.0), "),
    "Another z under the same name": ("layouts.SIGN", "layouts.TURNED"),
    "A reset of unknown place": ("layouts.RESET", "layouts.ONES"),
    "A radius that decides": ("gradient_at_lags(1.2", "gradient_at_lags(1.6"),
    "A rotation that keeps every gradient": ('(1.0, "last")\n', '(1.0, "last", lossless=True)\n'),
    "A sigmoid as steep as a tanh": ("dsigmoid(sigmoid(", "4 * dsigmoid(sigmoid("),
    "A slope taken twice": ("dsigmoid(sigmoid(y))", "dsigmoid(y)"),
    "A gradient of the last step alone": ("each_step[-1].ravel()", "whole.ravel()"),
    "An LSTM whose gradient is 1": ("blame(0.9, 50)", "blame(1.0, 50)"),
    "Clipping each array by its own norm": ("clip_each_by_norm", "clip_by_norm"),
    "Temperature on the probabilities": ("p, tau = softmax(logits)", "p, tau = logits"),
    "Two to the power of nats": ("np.log(37)", "np.log2(37)"),
    "A baseline with too many digits": ("- 1) ** 2", "- 0.9) ** 2"),
}


@pytest.mark.parametrize("title", ERRATA)
def test_its_assertion_can_fail(title: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The same cell with the mistake taken out, or another one put in, does not pass."""
    old, new = REPAIRED[title]
    assert old in cell(title)
    with pytest.raises(AssertionError):
        run(cell(title).replace(old, new))
    capsys.readouterr()
