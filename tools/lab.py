"""A JupyterLab of its own over a folder of notebooks, Notebook 7 beside it, for tests and measurements."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Page

TOKEN = "t"  # on the loopback only, and for minutes
PLACES = {"JupyterLab": "lab/tree/", "Notebook 7": "notebooks/"}  # one server has both


def write_notebook(path: Path, code: str) -> None:
    """A notebook of one cell."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code.strip())],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, path)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a JupyterLab over ``folder``; the user's own settings are left as they are."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    root = ["--allow-root"] if hasattr(os, "getuid") and os.getuid() == 0 else []
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}"]
    command += ["--ip=127.0.0.1", "--ServerApp.port_retries=0", f"--notebook-dir={folder}"]
    command += [f"--IdentityProvider.token={TOKEN}", "--LabApp.news_url=''", *root]
    own = {"SETTINGS_DIR": "s", "WORKSPACES_DIR": "w"}
    env = {f"JUPYTERLAB_{name}": str(folder / short) for name, short in own.items()}
    env |= {"JUPYTER_RUNTIME_DIR": str(folder / "r")}
    log = folder / "lab.log"
    with log.open("w") as file:
        server = subprocess.Popen(
            command, stdout=file, stderr=file, cwd=folder, env=os.environ | env
        )
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(240):
                try:
                    urllib.request.urlopen(f"{address}/api/status?token={TOKEN}").close()
                    break
                except OSError:
                    if server.poll() is not None:
                        raise RuntimeError(f"JupyterLab ended:\n{log.read_text()}") from None
                    time.sleep(0.25)
            yield address
        finally:
            server.terminate()
            server.wait(20)


def run(page: Page, address: str, name: str, program: str = "JupyterLab") -> None:
    """Open a notebook in the browser and run its one cell."""
    page.goto(f"{address}/{PLACES[program]}{name}.ipynb?token={TOKEN}&reset")
    page.locator(".jp-CodeCell .cm-content").click(timeout=90_000)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(
        state="attached", timeout=60_000
    )
    # a busy JupyterLab may take the focus away once more before it hears the keys
    for _ in range(5):
        page.locator(".jp-CodeCell .cm-content").click()
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(5_000)
        if page.locator(".jp-CodeCell .jp-OutputArea-output").count():
            break
