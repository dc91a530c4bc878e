"""The workflow of the code host: linted, pinned, with no right that it does not need, and of our commands."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner

from book import ROOT

GITHUB = ROOT / ".github"
WORKFLOW = GITHUB / "workflows" / "book.yml"
# YAML 1.1 reads the key `on` as True
JOBS: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]


def zizmor(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "zizmor"
    command = [program, "--offline", "--persona", "pedantic", "--no-progress", folder]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_nothing_in_it_is_unsafe() -> None:
    checked = zizmor(GITHUB)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("ours", "worse"),
    [
        ("permissions: {}", "permissions: write-all"),
        (r"actions/checkout@\w+ # v6.0.1", "actions/checkout@v6"),
        ("persist-credentials: false", "fetch-depth: 1"),
        ("- run: make lint", "- run: echo ${{ github.event.pull_request.title }}"),
    ],
)
def test_the_linter_would_say_so(tmp_path: Path, ours: str, worse: str) -> None:
    shutil.copytree(GITHUB, tmp_path / ".github")
    changed, times = re.subn(ours, worse, WORKFLOW.read_text("utf-8"))
    assert times
    (tmp_path / ".github" / "workflows" / "book.yml").write_text(changed, "utf-8")
    assert zizmor(tmp_path / ".github").returncode


@pytest.mark.parametrize(
    ("schema", "file"),
    [("github-workflows", "workflows/book.yml"), ("dependabot", "dependabot.yml")],
)
def test_it_follows_the_schema(schema: str, file: str) -> None:
    arguments = [f"--builtin-schema=vendor.{schema}", str(GITHUB / file)]
    checked = CliRunner().invoke(check_jsonschema, arguments)
    assert checked.exit_code == 0, checked.output


def test_every_command_is_a_target_of_the_makefile() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    ran = re.findall(r"run: make ([a-z-]+)", WORKFLOW.read_text("utf-8"))
    assert {*ran} >= {"lint", "test", "book", "audit", "lite", "pdf"}
    assert {*ran} <= {*targets}


def test_only_what_was_tested_and_audited_on_main_is_published() -> None:
    publish = JOBS["publish"]
    assert {*publish["needs"]} == {"test", "site"}
    assert publish["if"] == "github.event_name == 'push' && github.ref == 'refs/heads/main'"
    rights = {name: job["permissions"] for name, job in JOBS.items()}
    assert rights.pop("publish") == {"contents": "write"}
    assert all(right == {"contents": "read"} for right in rights.values())
    assert all(job["timeout-minutes"] <= 120 for job in JOBS.values())
    site = [step.get("run") or step.get("with", {}).get("path") for step in JOBS["site"]["steps"]]
    assert site[-1] == "_build/html" and site.index("make audit") > site.index("make pdf")
