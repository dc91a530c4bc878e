"""What a browser moves quickly looks like what matplotlib drew."""

import io
import itertools
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image, ImageChops
from playwright.sync_api import Browser

from rnn_teach.live import svg as drawing
from rnn_teach.live.lighter import dots, drawn_there, faint, unframed

FRAME = '<clipPath id="p"><rect x="10" y="10" width="80" height="60"/></clipPath>'
CIRCLE = "M 0 3" + " C 0 0 0 0 0 0" * 8 + " z"
INK, PAPER = "#1c2430", "#ffffff"


def round_points(face: str, edge: str, *places: tuple[str, str]) -> str:
    uses = "".join(
        f'<use href="#m" x="{x}" y="{y}" fill="{face}" stroke="{edge}"/>' for x, y in places
    )
    shape = f'<defs><path id="m" d="{CIRCLE}" stroke="{edge}"/></defs>'
    return f'{shape}<g clip-path="url(#p)">{uses}</g>'


def test_round_points_of_one_color_are_one_path():
    assert dots(round_points(INK, INK, ("20", "30"), ("40.5", "30"))) == (
        f'<path d="M 20 30 h0 M 40.5 30 h0" clip-path="url(#p)" fill="none" stroke="{INK}" '
        'stroke-width="7" stroke-linecap="round"/>'
    )


def test_a_point_with_an_edge_is_a_disc_on_a_disc():
    lighter = dots(round_points(PAPER, INK, ("20", "30")))
    assert re.findall('stroke="(#[^"]*)" stroke-width="([^"]*)"', lighter) == [
        (INK, "7"),
        (PAPER, "5"),
    ]


@pytest.mark.parametrize(
    "marks",
    [
        round_points(PAPER, INK, ("20", "30"), ("22", "30")),  # one's edge over the other's face
        round_points(INK, INK, ("20", "30")).replace(CIRCLE, "M 0 3 L 3 0 L 0 -3 z"),
        round_points(INK, INK, ("20", "30")).replace('fill="#', 'fill-opacity="0.5" fill="#'),
    ],
)
def test_other_points_stay_as_they_are(marks):
    assert dots(marks) == marks


@pytest.mark.parametrize("name", ["path", "text"])
def test_the_opacity_of_what_is_only_filled_is_that_of_its_fill(name):
    assert faint(f'<{name} x="1" opacity="0.3" fill="{INK}"/>') == (
        f'<{name} x="1" fill-opacity="0.3" fill="{INK}"/>'
    )


@pytest.mark.parametrize(
    "other",
    [
        f'<path d="M 0 0" fill="{INK}" stroke="{PAPER}" opacity="0.3"/>',  # both lie over each other
        f'<path d="M 0 0" fill="{INK}" fill-opacity="0.5" opacity="0.3"/>',
        f'<path d="M 0 0" fill="{INK}" fill-opacity="0.5"/>',
        '<g opacity="0.3"><path d="M 0 0"/></g>',
    ],
)
def test_another_opacity_stays_as_it_is(other):
    assert faint(other) == other


def test_straight_marks_are_drawn_where_they_stand():
    ticks = (
        '<defs><path id="t" d="M 0 0 L -3.5 0" stroke="#000000" stroke-width="0.8"/></defs>'
        '<g><use href="#t" x="22" y="19.6" fill="#111111" stroke="#000000" stroke-width="0.8"/></g>'
        '<g><use href="#t" x="3.5" y="1" stroke="#000000"/><use href="#other" x="1" y="2"/></g>'
    )
    style = 'stroke="#000000" stroke-width="0.8"'
    assert drawn_there(ticks) == (
        f'<g><path d="M 22 19.6 L 18.5 19.6" {style} fill="#111111"/></g>'
        f'<g><path d="M 3.5 1 L 0 1" {style}/><use href="#other" x="1" y="2"/></g>'
    )


@pytest.mark.parametrize(
    ("path", "lighter"),
    [
        ('d="M 10 10 L 90 70" {}fill="none"', 'd="M 10 10 L 90 70" fill="none"'),
        ('d="M 10 10 L 90 70 L 9 9 z" {}fill="#000"', None),  # an area is not cut
        ('d="M 20 40 L 95 40" {}fill="none"', 'd="M 20 40 L 90 40" fill="none"'),
        ('d="M 0 40 L 50 40 L 50 0" {}fill="none"', 'd="M 10 40 L 50 40 L 50 10" fill="none"'),
        ('d="M 0 0 L 5 90" {}fill="none"', 'd="" fill="none"'),
        (
            'd="M 20 20 L 20 0 L 30 0 L 30 20" {}fill="none"',
            'd="M 20 20 L 20 10 M 30 10 L 30 20" fill="none"',
        ),
        ('d="M 1 1 h0" {}fill="none"', None),
        ('d="M 20 20 C 1 1 2 2 3 3" {}fill="none"', None),
    ],
)
def test_what_ends_within_its_frame_has_none_and_lines_end_there(path, lighter):
    framed = "<path " + path.format('clip-path="url(#p)" ') + "/>"
    assert unframed(framed, FRAME) == (framed if lighter is None else f"<path {lighter}/>")
    assert unframed(framed, FRAME.replace('"p"', '"q"')) == framed


place = st.tuples(*[st.integers(-50, 150).map(float)] * 2)


@given(st.lists(place, min_size=2, max_size=6))
def test_a_cut_line_is_the_line_within_the_frame(points):
    d = "M " + " L ".join(f"{x:g} {y:g}" for x, y in points)
    cut = re.search(
        'd="([^"]*)"', unframed(f'<path d="{d}" clip-path="url(#p)" fill="none"/>', FRAME)
    )
    ends = [
        [tuple(map(float, point.split())) for point in piece.split("L")]
        for piece in cut[1].split("M")[1:]
    ]
    assert all(10 <= x <= 90 and 10 <= y <= 70 for piece in ends for x, y in piece)
    pieces = sum(math.dist(a, b) for piece in ends for a, b in itertools.pairwise(piece))
    along = np.linspace(0, 1, 20_001)[:, None]
    inside = 0.0
    for a, b in itertools.pairwise(np.array(points)):
        x, y = (a + along * (b - a)).T
        inside += np.mean((x >= 10) & (x <= 90) & (y >= 10) & (y <= 70)) * math.dist(a, b)
    assert abs(pieces - inside) < 1  # numbers are rounded to a tenth


def test_a_lighter_picture_looks_the_same(browser: Browser, monkeypatch):
    page = browser.new_page()
    fig = Figure(figsize=(4, 3))
    ax = fig.subplots()
    ax.set(xlim=(0, 6), ylim=(-1, 1))
    x = np.linspace(0, 6, 40)
    (line,) = ax.plot(x, np.cos(x), "o-", markersize=4)
    (steep,) = ax.plot(x, 3 * np.sin(x), lw=2)
    ax.plot([3], [0.5], "o", color="white", markeredgecolor="black", markersize=12)
    ax.fill_between(x, -2, -0.5, alpha=0.3)

    def picture() -> Image.Image:
        drawn = drawing.Drawing(fig, "same")
        line.set_ydata(np.sin(x) / 2)
        steep.set_ydata(2 * np.sin(x + 1))
        drawn.fragments()
        page.set_content(f'<body style="margin:0">{drawn.base()}')
        return Image.open(io.BytesIO(page.locator("svg").screenshot())).convert("L")

    lighter = picture()
    for name in ("dots", "drawn_there"):
        monkeypatch.setattr(drawing, name, lambda svg: svg)
    monkeypatch.setattr(drawing, "unframed", lambda svg, _: svg)
    as_drawn = picture()
    assert "<use" in page.content() and "clip-path" in page.content()
    page.close()
    difference = np.asarray(ImageChops.difference(lighter, as_drawn), dtype=float)
    assert difference.mean() < 0.5  # of 255
    assert (difference > 128).sum() < 40  # of 110,592 pixels
