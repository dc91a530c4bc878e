"""The live figure: the grid of states, slots and fragments, the payload, the widget and the page's piece."""

import json
import os
import re
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from rnn_teach.live import BUILD, Control, interact, payload
from rnn_teach.live.controls import states
from rnn_teach.live.svg import tenths, tidy


@pytest.fixture
def static(monkeypatch):
    monkeypatch.setenv(BUILD, "static")


def figure(name="demo", fail=False, **controls):
    """Two axes, a line, an image, a text and marks that are hidden half of the time."""
    fig, (top, bottom) = plt.subplots(2, 1)
    top.set(xlim=(0, 10), ylim=(0, 4))
    (line,) = top.plot([], [])
    marks = top.scatter([1, 2], [1, 1], visible=False)
    image = bottom.imshow(np.zeros((2, 3)), vmin=0, vmax=3, interpolation="none")
    text = top.text(1, 3, "")

    @interact(fig, name=name, **controls or {"gain": (0.5, 2.0, 0.5), "cell": ["RNN", "LSTM"]})
    def update(gain=1.0, cell="RNN"):
        if fail and gain > 1.5:
            raise ZeroDivisionError("no such gain")
        line.set_data(range(10), gain * np.arange(10) / 4)
        marks.set(visible=cell == "LSTM", offsets=[(gain, 1), (2, gain)])
        image.set_data(np.full((2, 3), gain))
        text.set_text(f"{cell} <& {gain}")
        return f"{cell} rises by {gain}."

    return update


# ---- slots and fragments -----------------------------------------------------------------------


def slots(svg, name="demo"):
    """The content of each slot of a whole picture."""
    found = {}
    for match in re.finditer(rf'<g id="{name}-slot-(\d+)"(/?)>', svg):
        depth, end = (0, match.end()) if match.group(2) else (1, match.end())
        while depth:
            tag = re.compile(r"<(/?)g\b[^>]*?(/?)>").search(svg, end)
            depth += -1 if tag.group(1) else 0 if tag.group(2) else 1
            end = tag.end()
        found[int(match.group(1))] = svg[match.end() : end].removesuffix("</g>")
    return [found[k] for k in sorted(found)]


def test_a_fragment_is_what_the_whole_drawing_has_in_its_slot():
    live = figure()
    for state in reversed(list(states(live._controls))):
        fragments, _ = live.draw(state)
        inside = slots(live._drawing.base())
        strip = [re.sub(r"var\(--c\w+,(#\w+)\)", r"\1", f) for f in fragments]
        plain = [re.sub(r"<defs>.*?</defs>", "", f) for f in strip]  # a mark is defined once a file
        assert plain == [re.sub(r"<defs>.*?</defs>", "", f) for f in inside]
        assert len(fragments) == 4


def test_only_what_changes_is_drawn_again(monkeypatch):
    live = figure()
    drawn = []
    for artist in live._drawing.artists:
        monkeypatch.setattr(
            artist, "draw", lambda r, a=artist, d=artist.draw: (drawn.append(a), d(r))
        )
    live.draw((3, 1))
    assert [type(a).__name__ for a in drawn] == ["Line2D", "PathCollection", "Text", "AxesImage"]


def test_a_path_given_to_a_patch_is_drawn():
    """matplotlib's set_path does not say that its artist has changed."""
    fig, ax = plt.subplots()
    patch = ax.add_patch(PathPatch(Path([(0, 0), (1, 1)])))

    @interact(fig, name="path", height=(0.0, 1.0, 0.5))
    def update(height=0.0):
        patch.set_path(Path([(0, 0), (1, height)]))
        return f"It is {height} high."

    found = {tuple(update.draw((k,))[0]) for k in range(3)}
    assert len(found) == 3 and all(found)


def test_numbers_are_rounded_not_cut_and_only_in_geometry():
    svg = '<svg x="0.06"><path d="M 1.449 -0.04 \nL 2.96 0.5" opacity="0.25"/>1.234</svg>'
    assert tidy(svg) == '<svg x="0.1"><path d="M 1.4 0 L 3 0.5" opacity="0.25"/>1.234</svg>'
    scaled = '<g transform="matrix(0.25 0 0 0.25 1 1)"/>'
    assert tidy(scaled) == scaled


def test_a_font_said_in_one_as_matplotlib_3_8_does_is_told_apart():
    font = "italic 700 10px 'DejaVu Sans', 'Verdana', sans-serif"
    told = 'font-style="italic" font-weight="700" font-size="10px"'
    assert tidy(f'<svg><text style="font: {font}">x</text></svg>') == (
        f"<svg><text {told}>x</text></svg>"
    )
    mono = "9.5px 'DejaVu Sans Mono', monospace"
    assert 'font-size="9.5px" font-family="' in tidy(f'<svg style="font: {mono}"></svg>')


def test_clip_paths_of_what_is_hidden_at_first_are_in_the_page(static):
    live = figure()
    used = set(re.findall(r"url\(#(\w+)\)", str(payload.decode(live._packed)[0])))
    assert used
    assert used <= set(re.findall(r'<clipPath id="(\w+)"', live._html))


def test_ids_differ_between_figures():
    ids = [set(re.findall(r' id="([^"]+)"', figure(name)._html)) for name in ("one", "two")]
    assert ids[0]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda ax: ax.set_xlim(0, 2), "'bad': update changed an axes' limits"),
        (lambda ax: ax.set_yscale("log"), "'bad': update changed an axes' limits"),
        (lambda ax: ax.plot([1], [1]), "'bad': update added or removed artists"),
        (
            lambda ax: ax.add_patch(Rectangle((0, 0), 1, 1)),
            "'bad': update added or removed artists",
        ),
        (lambda ax: ax.lines[0].remove(), "'bad': update added or removed artists"),
    ],
)
def test_what_a_fragment_cannot_show_is_an_error(change, message):
    fig, ax = plt.subplots()
    ax.set(xlim=(0, 1), ylim=(0.1, 1))
    ax.plot([0, 1], [0, 1])
    with pytest.raises(ValueError, match=message):

        @interact(fig, name="bad", a=[1, 2])
        def update(a):
            change(ax)
            return "changed"


# ---- the payload -------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(-99999, 99999), max_size=4), min_size=1, max_size=6), st.data()
)
def test_packing_and_unpacking_is_exact(numbers, data):
    words = st.text("ab<&\"'é0123456789.- ", max_size=6)
    pictures = [
        [f'<path d="M {" ".join(map(tenths, row))} z" x="{tenths(len(row))}"/>{data.draw(words)}']
        for row in numbers
    ]
    says = [data.draw(words) for _ in numbers]
    controls = [Control(list(range(len(numbers))), name="a")]
    assert payload.decode(payload.encode("x", controls, pictures, says)) == (pictures, says)


def test_every_state_in_the_page_is_a_fresh_draw_of_it(static):
    live = figure()
    pictures, says = payload.decode(live._packed)
    grid = list(states(live._controls))
    assert len(grid) == len(pictures) == 8
    for number in reversed(range(8)):  # another order than the build's: a state has no history
        assert live.draw(grid[number]) == (pictures[number], says[number])


def test_the_same_code_gives_the_same_bytes(static):
    assert figure()._html == figure()._html


def test_the_same_bytes_in_another_process(static):
    code = (
        "import sys; sys.path.insert(0, 'tests'); import test_live as t, hashlib;"
        "print(hashlib.sha256(t.figure()._html.encode()).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] != ""


def test_too_many_states_name_the_control_to_thin(static):
    with pytest.raises(
        ValueError, match="'demo': 2,002 states, at most 2,000; thin the control 'gain'.* 1001"
    ):
        figure(gain=(0.5, 10.5, 0.01), cell=["RNN", "LSTM"])


def test_too_many_bytes_name_the_control_to_thin():
    noise = np.random.default_rng(0)
    pictures = [[f"<text>{noise.bytes(600).hex()}</text>"] for _ in range(300)]
    controls = [Control(list(range(300)), name="gain")]
    with pytest.raises(
        ValueError, match=r"'x': 20\d,\d\d\d bytes .*150,000; thin the control 'gain'"
    ):
        payload.encode("x", controls, pictures, ["a"] * 300)


def test_outside_the_build_no_state_is_computed():
    assert figure(gain=(0.5, 10.5, 0.01), cell=["RNN", "LSTM"])._packed == b""


# ---- the widget and the page's piece -----------------------------------------------------------


def test_a_trait_for_each_control_moves_the_picture():
    live = figure()
    before = live._picture
    seen = []
    live.observe(lambda change: seen.append(change.new), "gain")
    live.gain = 2.0
    assert seen == [2.0]
    assert live._picture["sentence"] == "RNN rises by 2.0."
    assert live._picture["fragments"] != before["fragments"]
    live.gain = 1.9  # from a slider with other steps
    assert live.gain == 2.0
    with pytest.raises(
        ValueError, match="control 'cell': got 'GRU', expected one of 'RNN', 'LSTM'"
    ):
        live.cell = "GRU"


def test_a_failing_state_fails_the_build_and_names_the_values(static):
    with pytest.raises(
        RuntimeError,
        match=r"'demo': update\(gain=2.0, cell='RNN'\) raised ZeroDivisionError: no such gain",
    ):
        figure(fail=True)


def test_a_failing_state_is_shown_in_a_kernel():
    live = figure(fail=True)
    live.gain = 2.0
    assert "update(gain=2.0, cell='RNN') raised ZeroDivisionError" in live._picture["error"]


def test_update_must_return_its_sentence():
    fig = plt.figure()
    with pytest.raises(TypeError, match=r"update\(a=1\) returned None, expected the sentence"):
        interact(fig, name="x", a=[1, 2])(lambda a: None)


def test_the_saved_notebook_has_the_picture_beside_the_widget():
    data, _ = figure()._repr_mimebundle_()
    assert data["image/svg+xml"].startswith("<svg")
    assert "var(--" not in data["image/svg+xml"]
    assert data["text/plain"] == "<live figure demo: RNN rises by 1.0.>"
    assert "application/vnd.jupyter.widget-view+json" in data


def test_the_build_has_the_default_picture_before_any_script(static):
    page = figure()._repr_mimebundle_()
    assert set(page) == {"text/html", "text/plain"}
    html = page["text/html"]
    assert "RNN &lt;&amp; 1.0" in html  # the text of the default state, inside the SVG
    assert "RNN rises by 1.0." in html
    spec = json.loads(re.search(r'class="live-spec">(.*?)</script>', html).group(1))
    assert [c["name"] for c in spec["controls"]] == ["gain", "cell"]


def test_a_label_or_sentence_cannot_break_out_of_the_page(static):
    fig, ax = plt.subplots()
    text = ax.text(0, 0, "")

    @interact(fig, name="sly", a=Control({"</script><b>": 1, '"': 2}, label='<i a="'))
    def update(a=1):
        text.set_text(f"</script><b>{a}")
        return "</script><b>"

    assert update._html.count("</script>") == 1
    assert "<b>" not in update._html
    assert "<i " not in update._html
