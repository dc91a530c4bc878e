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

"""
SHOWN = "update"
LINKED = """
import ipywidgets
slider = ipywidgets.FloatSlider(1.0, min=0.5, max=2.0, step=0.5)
ipywidgets.jslink((slider, "value"), (update, "gain"))
ipywidgets.VBox([slider, update])
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("lab")
    for name, last in {"slope": SHOWN, "linked": LINKED}.items():
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(CODE.strip() + "\n\n" + last.strip())],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
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


def opened(lab, browser, name):
    """A notebook, its one cell run, and the live figure in it."""
    page = browser.new_page()
    page.goto(f"{lab}/lab/tree/{name}.ipynb?token=t&reset")
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
    figure = page.locator("figure.live")
    figure.wait_for(timeout=60_000)
    return page, figure


def says(page, text):
    page.wait_for_function(
        "text => document.querySelector('.live-sentence').textContent === text", arg=text
    )


def test_a_slider_moves_the_picture_in_jupyterlab(lab, browser):
    page, figure = opened(lab, browser, "slope")
    sentence = figure.locator(".live-sentence")
    assert sentence.inner_text() == "A line with gain 1.0."
    path = figure.locator("[id^=slope-slot-0] path").get_attribute("d")

    slider = figure.locator("input[type=range]")
    slider.focus()
    page.keyboard.press("End")
    says(page, "A line with gain 2.0.")
    moved = figure.locator("[id^=slope-slot-0] path").get_attribute("d")
    assert moved != path
    assert slider.get_attribute("aria-valuetext") == "2.0"

    figure.locator("select").select_option("1")
    says(page, "A step with gain 2.0.")
    assert figure.locator("[id^=slope-slot-0] path").get_attribute("d") not in (path, moved)
    page.close()


def test_an_ordinary_slider_linked_in_the_browser_and_the_figure_move_each_other(lab, browser):
    page, figure = opened(lab, browser, "linked")
    handle = page.locator(".widget-slider .noUi-handle")
    handle.focus()
    page.keyboard.press("ArrowRight")
    says(page, "A line with gain 1.5.")
    own = figure.locator("input[type=range]")
    assert own.get_attribute("aria-valuetext") == "1.5"
    own.focus()
    page.keyboard.press("End")
    says(page, "A line with gain 2.0.")
    page.wait_for_function(
        "document.querySelector('.widget-slider .noUi-handle').ariaValueNow === '2.0'"
    )
    page.close()
