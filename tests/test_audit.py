"""The parts of `make audit` that need no Node: what it reads, what it lets pass, and how pages are handed out."""

from __future__ import annotations

import gzip
import urllib.request
from pathlib import Path

import pytest

import audit

FINE = dict.fromkeys(audit.SCORES, 100) | dict.fromkeys(audit.LIMITS, 0)


def told(score: float) -> dict:
    """A report of Lighthouse, as far as it is read."""
    part = {"id": "meta-description", "weight": 1}
    asked = [("book.css", 20_000), ("_static/live/x.js", 90_000), ("page.html", 30_000)]
    return {
        "configSettings": {"throttling": {"cpuSlowdownMultiplier": 4}},
        "environment": {"benchmarkIndex": 1050},
        "categories": {name: {"score": score, "auditRefs": [part]} for name in audit.SCORES},
        "audits": {
            **{name: {"numericValue": 1500.0} for name in audit.MEASURES.values()},
            "meta-description": {"score": int(score), "title": "No description"},
            "network-requests": {
                "details": {
                    "items": [{"url": f"http://h/{u}", "transferSize": n} for u, n in asked]
                }
            },
        },
    }


def test_a_report_is_read() -> None:
    row = audit.row(told(0.96))
    assert (row["performance"], row["FCP s"], row["TBT ms"], row["KB"]) == (96, 1.5, 1500.0, 50.0)
    assert "seo: No description (meta-description)" in audit.causes(told(0.96))
    assert audit.causes(told(1)) == []
    assert row["CPU /"] == 4
    lost = told(0.96)
    lost["audits"]["first-contentful-paint"] = {}
    assert audit.failures(FINE | audit.row(lost))


@pytest.mark.parametrize(("index", "slower"), [(1050, 2.5), (1533, 4), (2500, 4), (100, 1)])
def test_a_weaker_machine_is_slowed_down_less(index: float, slower: float) -> None:
    assert audit.calibrated({"environment": {"benchmarkIndex": index}}) == slower


@pytest.mark.parametrize(("scores", "row"), [([95, 0, 0], 95), ([94, 90, 97, 96], 96)])
def test_what_fails_by_the_preset_is_the_median_of_three(
    monkeypatch: pytest.MonkeyPatch, scores: list[int], row: int
) -> None:
    asked, found = [], iter(scores)

    def tried(*arguments: object) -> tuple[tuple[dict, list], float]:
        asked.append(arguments[-1])
        return (FINE | {"performance": next(found), "task ms": len(asked)}, ["why"]), 2.5

    monkeypatch.setattr(audit, "tried", tried)
    middle, why = audit.audit([], None, 0, "", "light", False)
    assert (middle["performance"], why) == (row, ["why"])
    assert middle["task ms"] == (1 if row == 95 else 3), "each measure has a median of its own"
    assert asked == [4, 2.5, 2.5, 2.5][: len(asked)]
    assert len(asked) == (1 if row == 95 else 4)


@pytest.mark.parametrize(
    ("measure", "value"),
    [("performance", 94), ("seo", 99), ("KB", 351), ("CLS", 0.021), ("task ms", 51), ("axe", 1)],
)
def test_a_page_fails(measure: str, value: float) -> None:
    assert audit.failures(FINE) == []
    [said] = audit.failures(FINE | {measure: value})
    assert said.startswith(f"{measure} {value} ")


def test_pages_are_handed_out_compressed(tmp_path: Path) -> None:
    (tmp_path / "_static").mkdir()
    for name in ("index.html", "book.html", "_static/macros.html"):
        (tmp_path / name).write_text("<p>" * 1000)
    assert audit.pages(tmp_path) == ["book"]
    with (
        audit.serving(tmp_path) as address,
        urllib.request.urlopen(f"{address}book.html") as answer,
    ):
        packed = answer.read()
    assert answer.headers["Content-Encoding"] == "gzip" and len(packed) < 100
    assert gzip.decompress(packed).decode() == "<p>" * 1000


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="Node 18.16 or newer and npm; no node was found"):
        audit.lighthouse()
