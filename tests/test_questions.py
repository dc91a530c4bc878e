"""Questions that mark themselves: what the build accepts, and what a reader meets in the page."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser, BrowserContext, Page, expect
from small_book import made
from sphinx.errors import ExtensionError

EXTENSION = "rnn_teach.sphinxext.questions"
HEAD = ":::{question} sum"
ASKED = "Why is it a *sum*?"
WRONG = "- [ ] It is [not](https://example.org).\n\n  It is: look at $W_h$."
RIGHT = "- [x] Every step adds.\n\n  The weights are shared."
LEVEL = """\
:::{question} level
:prediction:

Where is it level?

- [ ] Below 1.

  There it shrinks.

- [x] Above 1.

  The slopes have to be paid for.
:::
"""


def question(*parts: str) -> str:
    return "\n\n".join((*(parts or (HEAD, ASKED, WRONG, RIGHT)), ":::"))


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return (
        made(tmp_path_factory.mktemp("book"), EXTENSION, index=question() + "\n\n" + LEVEL)
        / "index.html"
    )


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    yield context
    context.close()


@pytest.fixture
def visit(context: BrowserContext, page_file: Path) -> Callable[[], Page]:
    """Opens the page anew, as often as a reader comes back."""

    def opened() -> Page:
        page = context.new_page()
        page.goto(page_file.as_uri())
        expect(page.locator("#question-sum button")).to_be_enabled()
        return page

    return opened


# --- the build --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (question(HEAD, ASKED, WRONG, WRONG), r"'sum': expected one choice marked \[x\], got 0"),
        (question(HEAD, ASKED, RIGHT, RIGHT), r"'sum': expected one choice marked \[x\], got 2"),
        (question(HEAD, ASKED, RIGHT), "expected 2 to 5 choices, got 1"),
        (question(HEAD, ASKED, RIGHT, *[WRONG] * 5), "expected 2 to 5 choices, got 6"),
        (question(HEAD, ASKED, "- [ ] It is not.", RIGHT), "choice 1 has no explanation"),
        (question(HEAD, ASKED, RIGHT, WRONG.replace("[ ] ", "")), r"choice 2 begins with neither"),
        (question(HEAD, WRONG, RIGHT), "expected the question, and then a list of choices"),
        (question(HEAD, WRONG, RIGHT, ASKED), "expected the question, and then a list of choices"),
        (question(HEAD + "!", ASKED, WRONG, RIGHT), "a name is made of small letters"),
        (question() + "\n\n" + question(), "the name is taken by the question in line 6"),
    ],
)
def test_the_build_says_where_a_question_is_wrong(
    tmp_path: Path, source: str, complaint: str
) -> None:
    with pytest.raises(ExtensionError, match=complaint) as stopped:
        made(tmp_path, EXTENSION, index=source)
    assert str(stopped.value).startswith("index:"), "the page and the line"


def test_a_name_stands_for_one_question_in_the_whole_book(tmp_path: Path) -> None:
    with pytest.raises(ExtensionError, match="two:6: question 'sum': the name is taken at one:6"):
        made(tmp_path, EXTENSION, one=question(), two=question())


def test_a_page_without_questions_carries_no_script(tmp_path: Path) -> None:
    out = made(tmp_path, EXTENSION, index=question(), quiet="Nothing is asked.")
    assert "form.question" in (out / "index.html").read_text()
    assert "form.question" not in (out / "quiet.html").read_text()


def test_the_markup_is_native_and_has_no_inline_style_or_handler(page_file: Path) -> None:
    form = BeautifulSoup(page_file.read_text(), "html.parser").select_one("#question-sum")
    assert [tag.name for tag in form.find_all(recursive=False)] == ["fieldset", "button", "div"]
    assert form.legend.text == "Question"
    named = form.fieldset["aria-labelledby"].split()
    assert [form.find(id=name) is not None for name in named] == [True, True]
    assert all(radio.parent.name == "label" for radio in form.select("input[type=radio]"))
    assert form.find(class_="question-result")["role"] == "status"
    for tag in [form, *form.find_all(True)]:
        assert not [name for name in tag.attrs if name == "style" or name.startswith("on")], tag


# --- the page ---------------------------------------------------------------------------------


def test_the_pure_parts_in_node() -> None:
    script = Path(__file__).with_name("questions.test.mjs")
    run = subprocess.run(
        [compute_driver_executable()[0], "--test", str(script)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "pass 4" in run.stdout, run.stdout


def test_a_question_explains_wrong_and_right_choices_by_keyboard(
    visit: Callable[[], Page],
) -> None:
    page = visit()
    form = page.locator("#question-sum")
    result, why = form.get_by_role("status"), form.locator("details")
    group = form.get_by_role("group")
    expect(group).to_have_accessible_name("Question Why is it a sum?")
    expect(why.first).to_be_hidden()

    form.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(result).to_contain_text("Wrong. Read why, and choose again.")
    expect(result).to_contain_text("It is: look at")
    expect(result).not_to_contain_text("The weights are shared.")
    expect(form.get_by_role("radio", name="It is not. ✗ wrong")).to_be_checked()

    page.keyboard.press("ArrowDown")
    expect(result).to_be_empty()
    page.keyboard.press("Tab")
    expect(form.get_by_role("button", name="Check")).to_be_focused()
    page.keyboard.press("Enter")
    expect(result).to_have_text("Right.The weights are shared.")
    expect(form.get_by_role("radio", name="Every step adds. ✓ right")).to_be_checked()
    # now the other choices may be read, too
    why.first.locator("summary").click()
    expect(why.first.get_by_text("It is: look at")).to_be_visible()


def test_a_prediction_is_committed_before_anything_is_told(visit: Callable[[], Page]) -> None:
    page = visit()
    form = page.locator("#question-level")
    result, radios = form.get_by_role("status"), form.get_by_role("radio")
    button = form.get_by_role("button")
    expect(button).to_have_text("Commit")
    button.click()
    expect(result).to_be_empty()  # nothing is chosen yet

    radios.first.check()
    button.click()
    expect(result).to_have_text("Committed. Now look, and then compare.")
    expect(radios.nth(1)).to_be_disabled()
    expect(form.locator("details").first).to_be_hidden()

    button.click()
    expect(result).to_contain_text("You predicted: Below 1.")
    expect(result).to_contain_text("There it shrinks.")
    expect(result).to_contain_text("What happens: Above 1.")
    expect(result).to_contain_text("The slopes have to be paid for.")
    assert "wrong" not in form.inner_text().lower()

    button.click()
    expect(result).to_be_empty()
    radios.nth(1).check()
    button.click()
    button.click()
    expect(result).to_have_text("As you predicted: Above 1.The slopes have to be paid for.")


def test_what_was_answered_is_remembered(visit: Callable[[], Page]) -> None:
    page = visit()
    page.locator("#question-sum input").nth(1).check()
    page.locator("#question-sum button").click()
    page.locator("#question-level input").first.check()
    page.locator("#question-level button").click()

    again = visit()
    expect(again.locator("#question-sum input").nth(1)).to_be_checked()
    expect(again.locator("#question-sum .question-result")).to_contain_text("Right.")
    expect(again.locator("#question-level button")).to_have_text("Compare")
    expect(again.locator("#question-level input").first).to_be_checked()
    again.locator("#question-level button").click()
    again.locator("#question-level button").click()  # predict again

    last = visit()
    expect(last.locator("#question-level button")).to_have_text("Commit")
    assert last.locator("#question-level input:checked").count() == 0


def test_without_storage_only_the_memory_is_missing(
    context: BrowserContext, visit: Callable[[], Page]
) -> None:
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no') }})"
    )
    page = visit()
    page.locator("#question-sum input").nth(1).check()
    page.locator("#question-sum button").click()
    expect(page.locator("#question-sum .question-result")).to_contain_text("Right.")


def test_without_scripts_it_is_a_list_whose_explanations_fold_open(
    browser: Browser, page_file: Path
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(page_file.as_uri())
        form = page.locator("#question-sum")
        expect(form.locator("input").first).to_be_hidden()
        expect(form.locator("button")).to_be_hidden()
        form.locator("summary").nth(1).click()
        expect(form.locator("details").nth(1)).to_contain_text("Right.")
        expect(form.get_by_text("The weights are shared.")).to_be_visible()


def test_on_paper_it_is_asked_and_not_answered(visit: Callable[[], Page]) -> None:
    page = visit()
    page.locator("#question-sum input").nth(1).check()
    page.locator("#question-sum button").click()
    page.emulate_media(media="print")
    for hidden in ("button", ".question-result", "details"):
        expect(page.locator(f"#question-sum {hidden}").first).to_be_hidden()
    expect(page.get_by_text("Every step adds.").first).to_be_visible()


def test_it_can_be_touched_and_read(visit: Callable[[], Page]) -> None:
    page = visit()
    for form in page.locator("form.question").all():
        form.locator("input").first.check()
        form.locator("button").click()
    page.locator("#question-level button").click()
    touched = page.locator("form.question :is(label, button, summary)").locator("visible=true")
    assert min(each.bounding_box()["height"] for each in touched.all()) >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    words = page.locator("form.question :is(legend, label, button, p)").locator("visible=true")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.locator(f"html[data-theme={theme}]").wait_for()
        for place, pseudo in [(each, end) for each in words.all() for end in ("", "::after")]:
            ratio = place.evaluate(CONTRAST, pseudo)
            assert ratio >= 4.5, f"{theme}, {ratio:.1f}: {place.inner_text()!r} {pseudo}"


CONTRAST = """(element, pseudo) => {
    const canvas = document.createElement("canvas").getContext("2d");
    const light = (color) => {
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = Array.from(canvas.getImageData(0, 0, 1, 1).data, (v) =>
            v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let behind = element;
    while (/, 0\\)$/.test(getComputedStyle(behind).backgroundColor) && behind.parentElement)
        behind = behind.parentElement;
    const pair = [light(getComputedStyle(element, pseudo || null).color),
                  light(getComputedStyle(behind).backgroundColor)].sort((a, b) => b - a);
    return (pair[0] + 0.05) / (pair[1] + 0.05);
}"""
