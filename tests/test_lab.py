"""A real JupyterLab: a notebook is opened and run, a slider moved, and the kernel's picture comes back."""

import os
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

CODE = """
import matplotlib.pyplot as plt
from rnn_teach.live import interact

fig, ax = plt.subplots()
ax.set(xlim=(0, 1), ylim=(0, 2))
(line,) = ax.plot([], [])

@interact(fig, name="slope", gain=(0.5, 2.0, 0.5), shape=["line", "step"])
def update(gain=1.0, shape="line"):
    line.set_data([0, 1], [0, gain] if shape == "line" else [gain, gain])
    return f"A {shape} with gain {gain}."

update
"""


@pytest.fixture
def lab(tmp_path):
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(CODE.strip())],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, tmp_path / "slope.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (tmp_path / "lab.log").open("w")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}", "--ip=127.0.0.1",
         "--ServerApp.port_retries=0", "--IdentityProvider.token=t", f"--notebook-dir={tmp_path}",
         "--LabApp.news_url=''", *(["--allow-root"] if hasattr(os, "getuid") and os.getuid() == 0 else [])],
        stdout=log, stderr=log, cwd=tmp_path,
        # settings and workspaces of its own: the user's JupyterLab is left as it is
        env={**os.environ, "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "s"),
             "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "w"), "JUPYTER_RUNTIME_DIR": str(tmp_path / "r")},
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{address}/api/status?token=t").close()
            break
        except OSError:
            assert server.poll() is None, (tmp_path / "lab.log").read_text()
            time.sleep(0.25)
    yield address
    server.terminate()
    server.wait(20)
    log.close()


def test_a_slider_moves_the_picture_in_jupyterlab(lab, browser):
    page = browser.new_page()
    page.goto(f"{lab}/lab/tree/slope.ipynb?token=t")
    page.locator(".jp-CodeCell .cm-content").click(timeout=90_000)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(
        state="attached", timeout=60_000
    )
    page.keyboard.press("Shift+Enter")
    figure = page.locator("figure.live")
    figure.wait_for(timeout=60_000)
    sentence = figure.locator(".live-sentence")
    assert sentence.inner_text() == "A line with gain 1.0."
    path = figure.locator("[id^=slope-slot-0] path").get_attribute("d")

    slider = figure.locator("input[type=range]")
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_function(
        "document.querySelector('.live-sentence').textContent === 'A line with gain 2.0.'"
    )
    moved = figure.locator("[id^=slope-slot-0] path").get_attribute("d")
    assert moved != path
    assert slider.get_attribute("aria-valuetext") == "2.0"

    figure.locator("select").select_option("1")
    page.wait_for_function(
        "document.querySelector('.live-sentence').textContent === 'A step with gain 2.0.'"
    )
    assert figure.locator("[id^=slope-slot-0] path").get_attribute("d") not in (path, moved)
    page.close()
