"""A real JupyterLab and Notebook 7: a notebook is opened and run, a slider moved, and the kernel's picture comes back."""

import pytest

import lab

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
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    for name, last in {"slope": SHOWN, "linked": LINKED}.items():
        lab.write_notebook(folder / f"{name}.ipynb", f"{CODE.strip()}\n\n{last.strip()}")
    with lab.serving(folder) as address:
        yield address


def opened(address, browser, name, program):
    """A notebook, its one cell run, and the live figure in it."""
    page = browser.new_page()
    lab.run(page, address, name, program)
    figure = page.locator("figure.live")
    figure.wait_for(timeout=60_000)
    return page, figure


def says(page, text):
    page.wait_for_function(
        "text => document.querySelector('.live-sentence').textContent === text", arg=text
    )


@pytest.mark.parametrize("program", lab.PLACES)
def test_a_slider_moves_the_picture(address, browser, program):
    page, figure = opened(address, browser, "slope", program)
    sentence = figure.locator(".live-sentence")
    assert sentence.inner_text() == "A line with gain 1.0."
    path = figure.locator("[id^=slope-slot-0] path").get_attribute("d")

    slider = figure.locator("input[type=range]")
    slider.focus()
    page.keyboard.press("ArrowRight")  # a key that JupyterLab has a use for, too
    says(page, "A line with gain 1.5.")
    page.keyboard.press("End")
    says(page, "A line with gain 2.0.")
    moved = figure.locator("[id^=slope-slot-0] path").get_attribute("d")
    assert moved != path
    assert slider.get_attribute("aria-valuetext") == "2.0"

    figure.locator("select").select_option("1")
    says(page, "A step with gain 2.0.")
    assert figure.locator("[id^=slope-slot-0] path").get_attribute("d") not in (path, moved)
    page.close()


@pytest.mark.parametrize("program", lab.PLACES)
def test_an_ordinary_slider_linked_in_the_browser_and_the_figure_move_each_other(
    address, browser, program
):
    page, figure = opened(address, browser, "linked", program)
    # by pointer: Notebook 7 keeps the arrows for itself where an ordinary slider has the focus
    base = page.locator(".widget-slider .noUi-base")
    box = base.bounding_box()
    base.click(position={"x": box["width"] * 2 / 3, "y": box["height"] / 2}, force=True)
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
