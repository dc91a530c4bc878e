"""The front end in a browser, on one small page made by the very code that makes the book's."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from rnn_teach.live import BUILD, Control, LiveFigure, html, interact, payload
from rnn_teach.sphinxext.figures import delivery, specs

T = np.linspace(0, 10, 50)
WORD = "vanish"
# the rules of a strict host; the data and blobs are matplotlib's images and the PNG of a picture
RULES = "default-src 'self'; img-src 'self' data: blob:"


def wave() -> LiveFigure:
    """A line, a text that pales, points whose number changes to none, an image; three controls."""
    fig, (top, bottom) = plt.subplots(2, 1, figsize=(5, 3))
    top.set(xlim=(0, 10), ylim=(-3, 3), xlabel="t")
    (line,) = top.plot([], [], color="#b8430a", label="wave")
    dots = top.scatter([], [])
    text = top.text(1, 2, "")
    image = bottom.imshow(np.zeros((2, 3)), vmin=0, vmax=2)

    @interact(
        fig,
        name="wave",
        gain=(0.5, 2.0, 0.1),
        steps=Control([3, 5, 8], unit="steps", kind="slider"),
        cell={"plain RNN": "RNN", "LSTM": "LSTM"},
    )
    def update(gain: float = 1.0, steps: int = 5, cell: str = "RNN") -> str:
        t = T if gain < 2 else T[:0]  # at last there is no line, and its group stays, empty
        line.set_data(t, gain * np.sin(t))
        dots.set_offsets(np.c_[np.linspace(0, 9, steps), np.zeros(steps)])
        dots.set_visible(steps < 8)
        text.set(text=f"{cell} <&> {gain}", alpha=0.5 if cell == "LSTM" else None)
        image.set_data(np.full((2, 3), gain))
        return f"{cell} with gain {gain} and {steps} steps."

    return update


def word() -> LiveFigure:
    """Characters that are a control themselves and move with it."""
    fig, ax = plt.subplots(figsize=(5, 1))
    ax.axis("off")
    letters = [ax.text(0.1 + 0.1 * k, 0.5, letter) for k, letter in enumerate(WORD)]

    @interact(fig, name="word", at=Control(range(len(WORD)), kind="slider", artists=letters))
    def update(at: int = 1) -> str:
        for k, letter in enumerate(letters):
            letter.set(color="#b8430a" if k == at else "#1c2430", y=0.7 if k == at else 0.5)
        return f"Letter {at} is {WORD[at]}."

    return update


def one_of_two(name: str, gains: list[float]) -> LiveFigure:
    fig, ax = plt.subplots(figsize=(5, 1))
    ax.set(xlim=(0, 10), ylim=(-3, 3))
    (line,) = ax.plot([], [])

    @interact(fig, name=name, group="pair", gain=Control(gains, kind="slider"))
    def update(gain: float = 1.0) -> str:
        line.set_data(T, gain * np.cos(T))
        return f"{name} at {gain}."

    return update


@pytest.fixture(scope="module")
def figures() -> dict[str, LiveFigure]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(BUILD, "static")
        pair = [one_of_two("left", [0.5, 1.0, 1.5, 2.0]), one_of_two("right", [1.0, 2.0])]
        made = {figure._drawing.name: figure for figure in [wave(), word(), *pair]}
    return made


def written(figures: dict[str, LiveFigure], folder: Path) -> str:
    """A page with the figures; its payloads lie beside it, as in the book."""

    def lay(match: re.Match[str]) -> str:
        (spec,) = specs(match.group())
        name, tables = spec["name"], spec.pop("tables", "")
        (folder / f"{name}.js").write_text(delivery(f"live:{name}", spec.pop("packed")))
        spec["src"] = f"{name}.js"
        if tables:
            (folder / f"{name}-n.js").write_text(delivery(f"live-numbers:{name}", tables))
            spec["numbers"] = f"{name}-n.js"
        return f'<script type="application/json" class="live-spec">{html._json(spec)}</script>'

    body = "".join(
        re.sub(r"<script.*?</script>", lay, figure._html, flags=re.DOTALL)
        for figure in figures.values()
    )
    script, style = html.front_end(page=True), html.style(page=True)

    def rule(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    rules = f"{RULES}; script-src 'self' file: {rule(script)}; style-src 'self' {rule(style)}"
    link = '<a class="live-set" href="#wave?gain=1.2" data-live="wave" data-set=\'{"gain": 7}\'>'
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sample</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{rules}"><style>{style}</style>'
        f"</head><body><p>Now {link}push the gain</a>.</p>{body}<p>{'The end. ' * 2000}</p>"
        f'<script type="module">{script}</script></body></html>'
    )
    (folder / "index.html").write_text(page, encoding="utf-8")
    return (folder / "index.html").as_uri()


@pytest.fixture(scope="module")
def address(figures: dict[str, LiveFigure], tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(figures, tmp_path_factory.mktemp("page"))


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page with all its states read; what the console complains of is an error."""
    page = browser.new_page(viewport={"width": 800, "height": 3000})
    heard: list[str] = []
    page.on("console", lambda said: heard.append(said.text) if said.type != "log" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.goto(address)
    page.wait_for_function("() => !document.querySelector('figure.live:not([data-ready])')")
    yield page
    assert heard == []
    page.close()


def settled(page: Page) -> None:
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 1)))")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 1)))")


def sentence(page: Page, name: str) -> str:
    settled(page)
    return page.locator(f"#{name} .live-sentence").inner_text()


def slider(page: Page, name: str, control: str = "gain"):
    return page.locator(f'#{name} [data-control="{control}"]')


def move(page: Page, name: str, control: str, index: int) -> None:
    slider(page, name, control).evaluate(
        "(input, index) => { input.value = index; input.dispatchEvent(new Event('input')); }", index
    )
    settled(page)


# ---- the picture -------------------------------------------------------------------------------

SHOWN = """([name, fragments]) => fragments.flatMap((fragment, k) => {
  const fresh = document.createElementNS("http://www.w3.org/2000/svg", "g");
  fresh.innerHTML = fragment;
  const shown = document.querySelector(`[id="${name}-slot-${k}"]`);
  const same = (a, b) => a.nodeName === b.nodeName && a.nodeValue === b.nodeValue
    && (a.attributes?.length ?? 0) === (b.attributes?.length ?? 0)
    && [...(a.attributes ?? [])].every(({ name, value }) => b.getAttribute(name) === value)
    && a.childNodes.length === b.childNodes.length
    && [...a.childNodes].every((child, i) => same(child, b.childNodes[i]));
  return fresh.childNodes.length === shown.childNodes.length
    && [...fresh.childNodes].every((child, i) => same(child, shown.childNodes[i])) ? [] : [k];
})"""


def test_every_state_is_in_the_picture_as_it_was_drawn(
    page: Page, figures: dict[str, LiveFigure]
) -> None:
    pictures, says = payload.decode(figures["wave"]._packed)
    for gain, steps, cell in [(15, 2, 1), (0, 0, 0), (7, 1, 1), (7, 2, 0), (8, 0, 1)]:
        for control, index in {"gain": gain, "steps": steps, "cell": cell}.items():
            move(page, "wave", control, index)
        number = (gain * 3 + steps) * 2 + cell
        assert page.evaluate(SHOWN, ["wave", pictures[number]]) == []
        assert sentence(page, "wave") == says[number]


def test_elements_stay_and_only_what_differs_is_written(page: Page) -> None:
    page.evaluate(
        """() => { window.kept = [...document.querySelectorAll("[id^=wave-slot] *")];
          window.changes = [];
          new MutationObserver((all) => changes.push(...all.map((c) => c.attributeName ?? c.type)))
            .observe(document.querySelector("#wave svg"),
              { attributes: true, childList: true, characterData: true, subtree: true }); }"""
    )
    move(page, "wave", "gain", 6)
    assert page.evaluate("() => kept.every((element) => element.isConnected)")
    assert sorted(set(page.evaluate("() => changes"))) == ["characterData", "d", "href"]


def test_only_artists_that_changed_are_asked_for_their_place(page: Page) -> None:
    move(page, "word", "at", 1)  # the first move looks at all
    page.evaluate(
        """() => { window.asked = [];
          const own = SVGGraphicsElement.prototype.getBBox;
          SVGGraphicsElement.prototype.getBBox = function () { asked.push(this.id); return own.call(this); }; }"""
    )
    move(page, "word", "at", 3)
    assert page.evaluate("asked") == ["word-at-at-1", "word-at-at-3"]


def test_words_change_within_their_nodes(page: Page) -> None:
    """A node that is replaced has the browser look at all that is around it."""
    page.evaluate(
        """() => { window.changes = [];
          new MutationObserver((all) => changes.push(...all.map((change) => change.type)))
            .observe(document.querySelector("#wave"),
              { childList: true, characterData: true, subtree: true }); }"""
    )
    move(page, "wave", "gain", 6)
    assert page.evaluate("() => changes.length") >= 3  # value, text in the picture, sentence
    assert set(page.evaluate("() => changes")) == {"characterData"}


def test_the_buttons_are_left_alone_while_one_slider_moves(page: Page) -> None:
    page.evaluate(
        """() => { window.changes = 0;
          new MutationObserver((all) => (changes += all.length))
            .observe(document.querySelector("#wave .live-tools"),
              { attributes: true, childList: true, characterData: true, subtree: true }); }"""
    )
    for index in (6, 7):
        move(page, "wave", "gain", index)
    assert page.evaluate("changes") == 0
    move(page, "wave", "steps", 1)
    assert page.evaluate("changes") > 0


@pytest.mark.parametrize(
    "fragment",
    [
        "<g><script>alert(1)</script></g>",
        '<path d="M 0 0" onclick="alert(1)"/>',
        '<use href="https://elsewhere.example/x.svg#a"/>',
        '<g><foreignObject><a href="javascript:alert(1)">x</a></foreignObject></g>',
        '<set attributeName="href" to="javascript:alert(1)"/>',
    ],
)
def test_a_payload_can_only_draw(browser: Browser, tmp_path: Path, fragment: str) -> None:
    figure = one_of_two("left", [1.0])  # outside a build: its states are given here instead
    packed = payload.text(payload.encode("left", figure._controls, [[fragment]] * 1, ["It did."]))
    figure._html = figure._html.replace('"packed":""', f'"packed":"{packed}"')
    page = browser.new_page()
    page.goto(written({"left": figure}, tmp_path))
    page.locator("#left[data-ready]").wait_for()
    move(page, "left", "gain", 0)
    assert "could not be drawn" in sentence(page, "left")
    assert page.locator("#left [data-failed], #left[data-failed]").count() == 1
    assert page.locator("#left svg").locator("script, foreignObject, set, [onclick]").count() == 0
    page.close()


def test_the_front_end_is_small() -> None:
    front = html.front_end(page=True) + html.style(page=True)
    assert len(gzip.compress(front.encode(), 9)) <= 12 * 1024


def test_nothing_in_a_figure_needs_an_inline_style_or_handler(
    figures: dict[str, LiveFigure],
) -> None:
    for figure in figures.values():
        pictures, _ = payload.decode(figure._packed)
        for text in [figure._html, *(fragment for picture in pictures for fragment in picture)]:
            assert not re.search(r"<[^>]* (style|on\w+)=", text)


# ---- the address and links ---------------------------------------------------------------------


def test_the_address_follows_the_figure_and_leads_back_to_it(page: Page) -> None:
    length = page.evaluate("history.length")
    move(page, "wave", "gain", 7)
    move(page, "wave", "cell", 1)
    page.wait_for_function("() => location.hash === '#wave?gain=1.2&steps=5&cell=LSTM'")
    assert page.evaluate("history.length") == length
    page.reload()
    page.wait_for_function("() => document.querySelector('#wave[data-ready]')")
    assert sentence(page, "wave") == "LSTM with gain 1.2 and 5 steps."


@pytest.mark.parametrize(
    ("hash", "says", "note"),
    [
        ("gain=2.0&cell=plain%20RNN", "RNN with gain 2.0 and 5 steps.", ""),
        ("steps=8", "RNN with gain 1.0 and 8 steps.", ""),
        ("gain=9", "RNN with gain 2.0 and 5 steps.", "gain=9; the figure goes from 0.5 to 2.0."),
        ("cell=<b>", "RNN with gain 1.0 and 5 steps.", "cell=<b>; the figure has plain RNN, LSTM."),
        ("tempo=1", "RNN with gain 1.0 and 5 steps.", "this figure has no such control."),
    ],
)
def test_what_an_address_cannot_have_is_said(page: Page, hash: str, says: str, note: str) -> None:
    page.evaluate("hash => { location.hash = `wave?${hash}` }", hash)
    page.wait_for_function("() => document.activeElement.id === 'wave'")
    assert sentence(page, "wave") == says
    shown = page.locator("#wave .live-note").inner_text()
    assert shown.endswith(note)
    assert bool(shown) == bool(note)


def test_an_address_brings_its_figure_into_view(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 800, "height": 400})
    page.goto(f"{address}#right?gain=2")
    page.locator("#right[data-ready]").wait_for()
    assert sentence(page, "right") == "right at 2.0."
    assert 0 <= page.locator("#right").bounding_box()["y"] < 400
    page.close()


def test_a_link_sets_its_figure_and_says_when_it_is_there(page: Page) -> None:
    link = page.locator("a.live-set")
    move(page, "wave", "cell", 1)
    assert link.get_attribute("aria-current") is None
    place = link.bounding_box()
    link.click()
    assert page.locator("#wave .live-changed .live-label").inner_text() == "gain"
    assert sentence(page, "wave") == "LSTM with gain 1.2 and 5 steps."  # the others stay
    settled(page)
    assert link.get_attribute("aria-current") == "true"
    assert link.bounding_box() == place, "the words after it would be pushed"
    move(page, "wave", "gain", 8)
    assert link.get_attribute("aria-current") is None


def test_figures_of_a_group_move_together_by_value(page: Page) -> None:
    move(page, "left", "gain", 3)
    assert sentence(page, "right") == "right at 2.0."
    move(page, "left", "gain", 2)  # 1.5, which the other has not
    assert sentence(page, "right") == "right at 2.0."
    move(page, "right", "gain", 0)
    assert sentence(page, "left") == "left at 1.0."
    assert sentence(page, "wave") == "RNN with gain 1.0 and 5 steps."


@pytest.mark.parametrize("then", ["scrolled", "printed"])
def test_a_figure_out_of_sight_is_drawn_when_it_comes_near(
    page: Page, figures: dict[str, LiveFigure], then: str
) -> None:
    """The one under the reader's hand should not wait for it."""
    pictures, _ = payload.decode(figures["right"]._packed)
    page.evaluate("document.querySelector('#right').style.marginTop = '9000px'")
    settled(page)
    move(page, "left", "gain", 3)
    assert sentence(page, "right") == "right at 2.0."
    assert page.evaluate(SHOWN, ["right", pictures[1]]) == [0]
    if then == "scrolled":
        page.locator("#right").scroll_into_view_if_needed()
    else:
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
    settled(page)
    assert page.evaluate(SHOWN, ["right", pictures[1]]) == []


# ---- play --------------------------------------------------------------------------------------


def test_play_goes_once_to_the_end_and_pauses_by_keyboard(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 800, "height": 3000})
    page.clock.install(time=datetime(2026, 1, 1))
    page.goto(address)
    page.locator("#wave[data-ready]").wait_for()
    page.clock.pause_at(datetime(2026, 1, 2))  # from here on, time moves only when it is told to
    play, gain = page.locator("#wave .live-play"), slider(page, "wave")
    page.clock.run_for(10_000)
    assert gain.input_value() == "5"  # it never starts by itself
    play.focus()
    page.keyboard.press("k")
    assert play.get_attribute("aria-label") == "Pause gain"
    page.clock.run_for(1000)
    there = int(gain.input_value())
    assert 7 <= there <= 9  # of 16 values in five seconds
    page.keyboard.press("k")
    page.clock.run_for(5000)
    assert int(gain.input_value()) == there
    page.keyboard.press("Space")
    page.clock.run_for(20_000)
    assert gain.input_value() == "15"
    assert play.get_attribute("aria-label") == "Play gain"
    slider(page, "wave", "steps").focus()
    assert play.get_attribute("aria-label") == "Play steps"
    page.locator("#wave .live-next").click()
    assert slider(page, "wave", "steps").input_value() == "2"
    page.locator("#wave .live-back").click()
    assert slider(page, "wave", "steps").input_value() == "1"
    page.close()


def test_with_reduced_motion_play_is_a_step(browser: Browser, address: str) -> None:
    page = browser.new_page(reduced_motion="reduce")
    page.goto(address)
    page.locator("#wave .live-play").click()
    settled(page)
    assert slider(page, "wave").input_value() == "6"
    assert page.locator("#wave .live-play").get_attribute("aria-label") == "Play gain"
    page.close()


# ---- marked artists ----------------------------------------------------------------------------


def test_a_marked_artist_is_a_control(page: Page) -> None:
    box = page.locator('[id="word-at-at-4"]').bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(middle[0], middle[1] + box["height"] / 2 + 10)  # a finger is not so exact
    assert sentence(page, "word") == "Letter 4 is s."
    marks = page.get_by_role("radiogroup", name="at").get_by_role("radio")
    assert [mark.get_attribute("aria-label") for mark in marks.all()] == list("012345")
    marks.nth(4).focus()
    page.keyboard.press("ArrowRight")
    assert sentence(page, "word") == "Letter 5 is h."
    assert slider(page, "word", "at").input_value() == "5"
    move(page, "word", "at", 0)
    assert marks.nth(0).is_checked()
    # the button has gone up with its letter
    over, letter = marks.nth(0).bounding_box(), page.locator('[id="word-at-at-0"]').bounding_box()
    assert abs(over["y"] - letter["y"]) < 1.5
    assert page.locator(".live-mark").count() == len(WORD)


# ---- the other buttons -------------------------------------------------------------------------


def saved(page: Page, name: str, kind: str) -> bytes:
    with page.expect_download() as download:
        page.locator(f"#{name} .live-action", has_text=kind).click()
    assert download.value.suggested_filename == f"{name}.{kind.lower()}"
    return Path(download.value.path()).read_bytes()


def test_the_picture_is_saved_in_the_colors_of_the_theme(page: Page) -> None:
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    button = page.locator("#wave .live-save")
    button.click()
    assert button.get_attribute("aria-expanded") == "true"
    svg = saved(page, "wave", "SVG").decode()
    assert "var(" not in svg
    assert "#ff9a5c" in svg  # the dark theme's color of an RNN
    assert 'fill="#171b21"' in svg  # its paper
    assert saved(page, "wave", "PNG").startswith(b"\x89PNG")
    button.click()
    assert not page.locator("#wave .live-panel").is_visible()


def test_the_numbers_are_a_table_that_follows_the_figure(page: Page) -> None:
    page.locator("#wave .live-show").click()
    table = page.locator("#wave table").first
    expect(table.locator("caption")).to_have_count(1)  # its numbers come from the payload
    assert table.locator("thead th[scope=col]").count() >= 2
    assert table.locator("tbody th[scope=row]").count() == len(T)
    second = table.locator("tbody tr").nth(1).locator("td").first
    before = second.inner_text()
    rows = saved(page, "wave", "CSV").decode().splitlines()
    assert len(rows) > len(T)
    assert before in rows[2].split(",")
    move(page, "wave", "gain", 14)
    page.wait_for_function(
        "before => document.querySelector('#wave tbody tr:nth-child(2) td').innerText !== before",
        arg=before,
    )
    assert float(second.inner_text()) == pytest.approx(1.9 * float(before), rel=1e-3)


def test_the_link_to_a_state_is_copied_or_shown(page: Page, address: str) -> None:
    page.evaluate(
        "() => { navigator.clipboard.writeText = async (text) => { window.copied = text; }; }"
    )
    move(page, "wave", "gain", 7)
    page.locator("#wave .live-copy").click()
    assert page.locator("#wave .live-note").inner_text() == "Link copied."
    assert page.evaluate("copied") == f"{address}#wave?gain=1.2&steps=5&cell=RNN"
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    page.locator("#wave .live-copy").click()
    page.wait_for_function(
        "() => document.querySelector('#wave .live-note').textContent.includes('#wave?gain=1.2')"
    )


@pytest.mark.parametrize("width", [390, 1280])
def test_the_buttons_are_one_row_of_fingertips(browser: Browser, address: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(address)
    boxes = [tool.bounding_box() for tool in page.locator("#wave .live-tool:visible").all()]
    assert len(boxes) == 6
    assert len({box["y"] for box in boxes}) == 1
    assert all(box["width"] >= 44 and box["height"] >= 44 for box in boxes)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(media="print")
    assert not page.locator("#wave .live-tools").is_visible()
    page.close()


def test_without_scripts_there_is_the_picture_and_nothing_to_press(
    browser: Browser, address: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator("#wave .live-picture path").count() > 5
    assert page.locator("#wave .live-sentence").inner_text() == "RNN with gain 1.0 and 5 steps."
    assert not page.locator("#wave .live-tools").is_visible()
    assert not page.locator("#wave .live-controls").is_visible()
    link = page.locator("a.live-set")
    assert link.evaluate("a => getComputedStyle(a).textDecorationLine") == "none"
    context.close()


# ---- in a notebook -----------------------------------------------------------------------------

KERNEL = """async ([text, html, picture]) => {
  document.body.innerHTML = '<div id="out"></div>';
  const { default: widget } = await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  const heard = {};
  const held = { _html: html, _picture: picture, gain: 1.0 };
  window.model = { sent: [], saved: [],
    get: (name) => held[name], set(name, value) { held[name] = value; },
    save_changes() { model.saved.push(held.gain); },
    on: (event, call) => (heard[event] ??= []).push(call), off: (event, call) => { heard[event] = heard[event].filter((c) => c !== call); },
    send: (message) => model.sent.push(message),
    tell(event, value) { (heard[event] ?? []).forEach((call) => call(value)); },
    change(name, value) { held[name] = value; model.tell(`change:${name}`); } };
  widget.render({ model, el: document.querySelector("#out") });
}"""


def test_the_same_front_end_in_a_notebook(browser: Browser) -> None:
    figure = one_of_two("left", [0.5, 1.0, 1.5])
    page = browser.new_page()
    page.evaluate(KERNEL, [html.front_end(page=False), figure._html, figure._picture])
    assert not page.locator(".live-copy").is_visible()
    move(page, "left", "gain", 2)
    assert page.evaluate("model.saved") == [1.5]
    figure.gain = 1.5
    page.evaluate("picture => model.change('_picture', picture)", figure._picture)
    assert sentence(page, "left") == "left at 1.5."
    assert page.evaluate(SHOWN, ["left", figure._picture["fragments"]]) == []
    page.evaluate("() => model.change('gain', 1.3)")  # from another slider: the kernel will answer
    assert slider(page, "left").input_value() == "2"
    page.evaluate("() => model.change('gain', 0.5)")
    assert slider(page, "left").input_value() == "0"
    page.evaluate("() => model.change('_picture', { error: 'no such gain' })")
    assert sentence(page, "left") == "no such gain"
    page.evaluate("picture => model.change('_picture', picture)", figure._picture)
    assert page.locator("[data-failed]").count() == 0
    page.locator(".live-show").click()
    assert page.evaluate("model.sent") == [{"ask": "numbers"}]
    page.evaluate(
        "() => model.tell('msg:custom', { numbers: [{ columns: ['t', 'h'], rows: [[1, 0.5]] }] })"
    )
    assert page.locator("#left td").inner_text() == "0.5"
    page.close()
