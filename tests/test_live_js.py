"""Runs live.test.mjs in node: the one that Playwright brings along, so that none need be installed."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable
from test_live import figure

from rnn_teach.live import BUILD, payload


@pytest.fixture
def case(tmp_path, monkeypatch):
    monkeypatch.setenv(BUILD, "static")
    live = figure()
    pictures, says = payload.decode(live._packed)
    file = tmp_path / "case.json"
    file.write_text(
        json.dumps({"packed": payload.text(live._packed), "pictures": pictures, "says": says})
    )
    return file


def test_the_front_end_in_node(case):
    node = compute_driver_executable()[0]
    script = Path(__file__).with_name("live.test.mjs")
    run = subprocess.run(
        [node, "--test", str(script)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "LIVE_CASE": str(case), "NODE_NO_WARNINGS": "1"},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "pass 11" in run.stdout, run.stdout
