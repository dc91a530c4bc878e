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
from matplotlib.path import Path
from PIL import Image, ImageChops
from playwright.sync_api import Browser

from rnn_teach.live import svg as drawing
from rnn_teach.live.lighter import dots, drawn_there, faint, joined, lighter, placed, unframed

FRAMES = {"p": (10.0, 10.0, 90.0, 70.0)}
FRAME = '<clipPath id="p"><rect x="10" y="10" width="80" height="60"/></clipPath>'
CIRCLE = "M 0 3" + " C 0 0 0 0 0 0" * 8 + " z"
INK, PAPER = "#1c2430", "#ffffff"


def round_points(look: str, *places: tuple[float, float]) -> str:
    uses = "".join(f'<use href="#m" x="{x:g}" y="{y:g}"{look}/>' for x, y in places)
    return f'<defs><path id="m" d="{CIRCLE}"/></defs><g clip-path="url(#p)">{uses}</g>'


ONE_COLOR = f' fill="{INK}" stroke="{INK}"'
EDGED = f' fill="{PAPER}" stroke="{INK}"'
HOLLOW = f' fill-opacity="0" stroke="{INK}"'
HALVES = "a3 3 0 1 0 6 0a3 3 0 1 0-6 0z"


def test_round_points_of_one_color_are_one_path():
    assert dots(round_points(ONE_COLOR, (20, 30), (40.5, 30)), FRAMES) == (
        f'<path d="M 20 30 h0 M 40.5 30 h0" fill="none" stroke="{INK}" '
        'stroke-width="7" stroke-linecap="round"/>'
    )


def test_a_point_without_an_edge_is_that_much_smaller():
    made = dots(round_points(f' fill="{INK}"', (20, 30)), FRAMES)
    assert f'stroke="{INK}" stroke-width="6"' in made


@pytest.mark.parametrize("look", [EDGED, HOLLOW, ONE_COLOR + ' opacity="0.5"'])
def test_other_round_points_are_circles_in_one_path(look):
    assert dots(round_points(look, (20, 30), (30, 30)), FRAMES) == (
        f'<path d="M 17 30{HALVES} M 27 30{HALVES}"{look}/>'
    )


def test_rings_may_lie_over_each_other():
    assert dots(round_points(HOLLOW, (20, 30), (22, 30)), FRAMES).count("<path") == 1


def test_each_look_has_its_own_path():
    marks = round_points(EDGED, (20, 30), (30, 30)) + round_points(ONE_COLOR, (40, 30))
    marks = marks.replace(
        f'</g><defs><path id="m" d="{CIRCLE}"/></defs><g clip-path="url(#p)">', ""
    )
    assert [d.count("M") for d in re.findall(' d="([^"]*)"', dots(marks, FRAMES))] == [2, 1]


@pytest.mark.parametrize("look", [ONE_COLOR, EDGED])
def test_a_point_is_there_if_its_center_is_in_the_frame(look):
    made = dots(round_points(look, (10, 70), (9.9, 30), (50, 70.1)), FRAMES)
    assert made.count("M") == 1
    assert dots(round_points(look, (0, 0)), FRAMES) == ""
    assert dots(round_points(look), FRAMES) == ""  # no points, no shape of them


@pytest.mark.parametrize(
    "marks",
    [
        round_points(EDGED, (20, 30), (26.9, 30)),  # one's edge over the other's face
        round_points(ONE_COLOR + ' opacity="0.5"', (20, 30), (22, 30)),  # darker where they meet
        round_points(ONE_COLOR, (20, 30)).replace(CIRCLE, "M 0 3 L 3 0 L 0 -3 z"),
        round_points(ONE_COLOR, (20, 30)).replace("#p", "#q"),  # a frame that is not known
        round_points(ONE_COLOR, (20, 30)).replace("</g>", '<path d="M 1 1 L 2 2"/></g>'),
    ],
)
def test_other_points_stay_as_they_are(marks):
    assert dots(marks, FRAMES) == marks


def test_points_that_are_groups_of_their_own_are_taken_together():
    marks = round_points(ONE_COLOR, (20, 30), (30, 30), (40, 30))
    apart = re.sub("(<use[^>]*>)(?=<use)", r'\1</g><g clip-path="url(#p)">', marks)
    assert apart.count("<g") == 3
    assert lighter(apart, FRAME) == dots(marks, FRAMES)


def test_a_mark_that_can_be_pointed_at_keeps_its_extent():
    marks = round_points(ONE_COLOR, (20, 30))
    assert lighter(marks, FRAME, points=False) == marks


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
        '<defs><path id="s" d="M -1 0 L 1 0 L 0 1 z"/></defs><use href="#s" x="5" y="5" fill="#111111"/>'
    )
    style = 'stroke="#000000" stroke-width="0.8"'
    there = drawn_there(ticks)
    assert re.findall(' d="([^"]*)"', there) == [
        "M 22 19.6 L 18.5 19.6", "M 3.5 1 L 0 1", "M 4 5 L 6 5 L 5 6 z"
    ]  # fmt: skip
    assert there.count(style) == there.count('fill="none"') == 2  # one line has no face
    assert there.count('<use href="#other" x="1" y="2"/>') == 1 and "<defs>" not in there
    assert there.endswith('<path d="M 4 5 L 6 5 L 5 6 z" fill="#111111"/>')


def test_a_clipped_group_is_clipped_paths_each_of_which_may_do_without():
    group = '<g clip-path="url(#p)"><path d="M 20 20 L 30 30" stroke="#000000"/>{}</g>'
    area = '<path d="M 20 20 C 1 1 2 2 3 3 z"/>'
    assert lighter(group.format(area), FRAME) == (
        '<path d="M 20 20 L 30 30" stroke="#000000"/>'
        '<path d="M 20 20 C 1 1 2 2 3 3 z" clip-path="url(#p)"/>'
    )
    assert lighter('<g clip-path="url(#p)"></g>', FRAME) == ""
    text = group.format("<text>a</text>")
    assert lighter(text, FRAME) == text


@pytest.mark.parametrize(
    ("path", "unclipped"),
    [
        ('d="M 10 10 L 90 70" {}fill="none"', 'd="M 10 10 L 90 70" fill="none"'),
        ('d="M 20 40 L 95 40" {}fill="none"', 'd="M 20 40 L 90 40" fill="none"'),
        ('d="M 0 40 L 50 40 L 50 0" {}fill="none"', 'd="M 10 40 L 50 40 L 50 10" fill="none"'),
        ('d="M 0 0 L 5 90" {}fill="none"', 'd="" fill="none"'),
        (
            'd="M 20 20 L 20 0 L 30 0 L 30 20" {}fill="none"',
            'd="M 20 20 L 20 10 M 30 10 L 30 20" fill="none"',
        ),
        (
            'd="M 0 20 L 30 20 L 30 40 L 0 40 z" {}fill="#000"',
            'd="M 10 20 L 30 20 L 30 40 L 10 40 z" fill="#000"',
        ),
        ('d="M 0 0 L 5 0 L 0 5 z" {}fill="#000"', 'd="" fill="#000"'),
        (
            'd="M 20 20 L 95 20 L 20 30 z" {}fill="#000" stroke="#000"',
            None,
        ),  # its edge would be cut
        ('{}fill="#000"', 'fill="#000"'),
        ('d="M 1 1 h0" {}fill="none"', None),
        ('d="M 20 20 C 1 1 2 2 3 3" {}fill="none"', None),
    ],
)
def test_what_ends_within_its_frame_has_none_and_what_is_straight_ends_there(path, unclipped):
    framed = "<path " + path.format('clip-path="url(#p)" ') + "/>"
    assert unframed(framed, FRAMES) == (framed if unclipped is None else f"<path {unclipped}/>")


def test_a_frame_that_is_not_known_stays():
    framed = '<path d="M 20 20 L 30 30" clip-path="url(#q)" fill="none"/>'
    assert unframed(framed, FRAMES) == framed


place = st.tuples(*[st.integers(-50, 150).map(float)] * 2)


@given(st.lists(place, min_size=2, max_size=6))
def test_a_cut_line_is_the_line_within_the_frame(points):
    d = "M " + " L ".join(f"{x:g} {y:g}" for x, y in points)
    cut = re.search(
        'd="([^"]*)"', unframed(f'<path d="{d}" clip-path="url(#p)" fill="none"/>', FRAMES)
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


@given(st.tuples(place, place, place))
def test_a_cut_area_is_the_area_within_the_frame(corners):
    d = "M " + " L ".join(f"{x:g} {y:g}" for x, y in corners) + " z"
    cut = unframed(f'<path d="{d}" clip-path="url(#p)" fill="#000"/>', FRAMES)
    ends = np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", cut), dtype=float).reshape(-1, 2)
    x, y = ends.T
    assert all((x >= 10) & (x <= 90) & (y >= 10) & (y <= 70))
    area = abs(np.sum(x * np.roll(y, 1) - y * np.roll(x, 1))) / 2
    grid = np.stack(np.meshgrid(np.arange(10.25, 90, 0.5), np.arange(10.25, 70, 0.5)), -1)
    inside = Path(corners).contains_points(grid.reshape(-1, 2)).mean() * 80 * 60
    assert abs(area - inside) < 60  # of 4,800; a grid cuts corners


def test_text_that_is_only_moved_stands_at_a_place():
    assert placed('<text fill="#000" transform="translate(9 -39.5)">a</text>') == (
        '<text fill="#000" x="9" y="-39.5">a</text>'
    )
    for other in (
        '<text transform="translate(9 39) rotate(-90)">a</text>',
        '<text transform="translate(9 39)">√<tspan x="1" y="2">a</tspan></text>',
        '<g transform="translate(9 39)"></g>',
    ):
        assert placed(other) == other


LINES = '<path d="M 1 1 L 5 5" fill="none" stroke="#000"{0}/><path d="M 1 5 L 5 1" fill="none" stroke="#000"{0}/>'
AREAS = (
    '<path d="M 0 0 L 4 0 L 4 4 z" fill="#000"{0}/><path d="M {1} 0 L 9 0 L 9 4 z" fill="#000"{0}/>'
)


@pytest.mark.parametrize(
    ("paths", "together"),
    [
        (LINES.format(""), True),
        (LINES.format(' stroke-opacity="0.5"'), False),  # darker where they cross
        (AREAS.format("", 4), True),
        (AREAS.format("", 3), False),
        (AREAS.format(' fill-opacity="0.5"', 4), True),
        (AREAS.format(' stroke="#fff" stroke-width="2"', 5), False),  # their edges meet
        (AREAS.format(' stroke="#fff" stroke-width="2"', 6), True),
        (AREAS.format("", 4).replace("L 9 0", "a1 1 0 1 0 2 0"), False),
        (AREAS.format("", 4).replace("<path", '<path id="m"'), False),
        (AREAS.format("", 4).replace('"#000"', '"#fff"', 1), False),
        (AREAS.format("", 4).replace("/><", "/><text>a</text><"), False),
    ],
)
def test_paths_of_one_look_are_one_where_nobody_sees_it(paths, together):
    made = joined(paths)
    if not together:
        assert made == paths
    first, second = re.findall(' d="([^"]*)"', paths)
    assert re.findall(' d="([^"]*)"', made) == (
        [f"{first} {second}"] if together else [first, second]
    )


def test_what_lies_over_one_of_them_begins_the_next_path():
    one, over, beside = "M 0 0 L 4 0 L 4 4 z", "M 3 0 L 9 0 L 9 4 z", "M 20 0 L 29 0 L 29 4 z"
    made = joined("".join(f'<path d="{d}" fill="#000"/>' for d in (one, over, beside)))
    assert re.findall(' d="([^"]*)"', made) == [one, f"{over} {beside}"]


def test_what_has_no_known_extent_is_joined_with_nothing():
    circle, under = (
        '<path d="M 0 2a2 2 0 1 0 4 0z" fill="#000"/>',
        '<path d="M 1 1 L 3 3 z" fill="#000"/>',
    )
    for paths in (circle + under, under + circle):
        assert joined(paths) == paths


def test_areas_that_are_all_outside_leave_one_empty_path():
    area = '<path d="M {0} 0 L 5 0 L 0 5 z" fill="#000"/>'
    both = f'<g clip-path="url(#p)">{area.format(0)}{area.format(1)}</g>'
    assert lighter(both, FRAME) == '<path d="" fill="#000"/>'
    inside = '<path d="M 20 20 L 30 20 L 20 30 z" fill="#000"/>'
    assert lighter(both.replace("</g>", inside + "</g>"), FRAME) == inside


def test_a_lighter_picture_looks_the_same(browser: Browser, monkeypatch):
    page = browser.new_page()
    fig = Figure(figsize=(6, 4))
    axes = fig.subplots(2, 2).ravel()
    for ax in axes:
        ax.set(xlim=(0, 6), ylim=(-1.2, 1.2))
    x = np.linspace(0.4, 5.6, 40)  # not at the frame, where a mark is whole or not there at all
    (line,) = axes[0].plot(x, np.cos(x), "o-", markersize=4)
    (steep,) = axes[0].plot(x, 3 * np.sin(x), lw=2)
    (face,) = axes[0].plot([3], [0.5], "o", color="white", markeredgecolor="black", markersize=12)
    out = axes[0].fill_between(x, -2, -0.5 + np.sin(9 * x) / 4, alpha=0.3)
    (rings,) = axes[1].plot(x, np.cos(x), "o", markerfacecolor="none", markersize=7)
    (edged,) = axes[1].plot(x[::6], np.sin(x[::6]) / 2, "o", markeredgecolor="black")
    (close,) = axes[1].plot(x[::2], 0 * x[::2], "s", markersize=9, markeredgecolor="black")
    colored = axes[2].scatter(x[::3], np.sin(x[::3]), s=60, c=np.tile(["red", "blue"], 7))
    upright = axes[2].vlines(x, -1.5, np.cos(x), linewidth=3)
    arrows = axes[2].quiver(x, 0 * x - 0.8, np.cos(x), np.sin(x))
    bars = axes[3].bar(x[::4], np.sin(x[::4]), alpha=0.5, edgecolor="black").patches
    text = axes[3].text(1, 0, "two\nlines")
    live = [line, steep, face, out, rings, edged, close, colored, upright, arrows, *bars, text]

    def picture() -> tuple[Image.Image, int]:
        drawn = drawing.Drawing(fig, "same")
        for artist in live:
            artist.stale = True
        assert len(drawn.fragments()) == len(live)
        page.set_content(f'<body style="margin:0">{drawn.base()}')
        image = Image.open(io.BytesIO(page.locator("svg").screenshot())).convert("L")
        return image, page.locator("svg *").count()

    made_lighter, few = picture()
    monkeypatch.setattr(drawing, "lighter", lambda svg, clips, points=True: svg)
    as_drawn, many = picture()
    assert "<use" in page.content() and "clip-path" in page.content()
    assert few < 0.75 * many  # of all, those of the axes among them
    page.close()
    difference = np.asarray(ImageChops.difference(made_lighter, as_drawn), dtype=float)
    assert difference.mean() < 0.5  # of 255
    assert (difference > 128).sum() < 40  # of 221,184 pixels
