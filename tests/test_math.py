"""Formulas are set when the book is built: there to be seen, heard and copied, whatever scripts do."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from engines import Window
from playwright.sync_api import Browser, Page, expect
from small_book import made
from sphinx.config import Config
from sphinx.errors import ExtensionError
from test_engines_reach import AXE

import book
import mathjax

LONG = r"h_t = \tanh(x_t W_x + h_{t-1} W_h + b) + a_1 + a_2 + a_3 + a_4 + a_5 + a_6 + a_7 + a_8"
PAGE = rf"""
Before $h_{{t-1}} < 1$ and after, naïve.

$$
{LONG}
$$

$$
\frac{{a}}{{b}} \tag{{7'}}
$$

$$
q \\ r
$$ (numbered)

By {{eq}}`numbered`, $\text{{déjà vu 2}}$.

## About $\Psi$
"""
COPIED = """() => {
  addEventListener("copy", (event) => {
    window.copied = ["text/plain", "text/html"].map((kind) => event.clipboardData.getData(kind));
  });
}"""
SELECT = """([from, to]) => {
  const first = document.querySelector(from), last = document.querySelector(to);
  getSelection().setBaseAndExtent(first, 0, last, last.childNodes.length);
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("math"), "mathjax", index=PAGE, words="No formula.")


@pytest.fixture
def page(browser: Browser, folder: Path) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 390, "height": 800}) as context:
        page = context.new_page()
        page.goto((folder / "index.html").as_uri())
        page.evaluate(COPIED)
        yield page


def formulas(html: str) -> list[str]:
    return re.findall(r"<mjx-container.*?</mjx-container>", html, re.DOTALL)


def unset(html: str) -> list[str]:
    """What is wrong with the formulas of a page."""
    there = set(re.findall(r' id="(MJX-[^"]*)"', html))
    asked = set(re.findall(r' href="#(MJX-[^"]*)"', html))
    found = [f"no outline of {name}" for name in sorted(asked - there)]
    places = re.findall(r'<(?:span|div)[^>]* class="math .{200}', html, re.DOTALL)
    found += [place for place in places if "<mjx-container" not in place]
    for formula in formulas(html):
        for part in ("<svg ", "<math", " data-tex="):
            if formula.count(part) < 1:
                found.append(f"{part!r} is not in {formula[:200]}")
        if " style=" in formula or "merror" in formula:
            found.append(formula)
    return found


def test_every_formula_of_the_book_is_set_in_its_page(book: Path) -> None:
    wrong, count = [], 0
    for path in sorted(book.rglob("*.html")):
        html = path.read_text("utf-8")
        wrong += [f"{path.stem}: {text}" for text in unset(html)]
        count += len(formulas(html))
        if re.search(r"<script[^>]*mathjax|tex-svg", html, re.IGNORECASE):
            wrong.append(f"{path.stem} asks for MathJax")
        if ("_static/math.js" in html) != bool(formulas(html)):
            wrong.append(f"{path.stem} has the script and no formula, or a formula and no script")
    assert wrong == []
    assert count > 1000
    assert not list(book.rglob("*tex-svg*"))


def test_a_formula_that_is_not_set_is_seen(folder: Path) -> None:
    html = (folder / "index.html").read_text("utf-8")
    assert unset(html) == []
    assert unset(html.replace('id="MJX-TEX-I-210E"', "")) == ["no outline of MJX-TEX-I-210E"]
    assert len(unset(html.replace("<math", "<p", 1))) == 1
    formula = next(found for found in formulas(html) if "h_{t-1} " in found)
    assert len(unset(html.replace(formula, r"\(h_{t-1}\)" + "." * 200))) == 1


def test_without_scripts_its_letters_are_drawn(browser: Browser, folder: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((folder / "index.html").as_uri())
    for letter in page.locator("[data-mml-node=mi]:has(use)").all()[:5]:
        box = letter.bounding_box()
        assert box["width"] > 2 and box["height"] > 2
    line = page.locator("p", has_text="Before").bounding_box()
    formula = page.locator("p mjx-container svg").first.bounding_box()
    assert (
        line["y"] <= formula["y"] and formula["y"] + formula["height"] <= line["y"] + line["height"]
    )
    context.close()


def test_letters_stand_on_the_line(page: Page) -> None:
    """The depth of a class is the depth of the drawing: the foot of an h is where that of text is."""
    page.locator("p", has_text="Before").evaluate(
        "p => p.prepend(Object.assign(document.createElement('canvas'), {height: 1, width: 1}))"
    )
    page.add_style_tag(content="canvas { vertical-align: baseline }")
    foot = page.locator("p canvas").bounding_box()
    letter = page.locator("p [data-mml-node=msub] > [data-mml-node=mi]").first.bounding_box()
    assert abs(letter["y"] + letter["height"] - (foot["y"] + foot["height"])) < 1


def test_a_formula_is_heard_once_as_mathematics(page: Page) -> None:
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    known = {node["nodeId"]: node for node in tree}
    (article,) = [node for node in tree if node.get("role", {}).get("value") == "article"]

    def heard(node: dict) -> list[str]:
        below = [role for child in node["childIds"] for role in heard(known[child])]
        return below if node["ignored"] else [node["role"]["value"], *below]

    roles = heard(article)
    assert roles.count("MathMLMath") == page.locator("article mjx-container").count()
    assert "MathMLFraction" in roles and "MathMLSub" in roles
    assert "image" not in roles and "SvgRoot" not in roles


def test_a_passage_is_copied_as_its_author_wrote_it(page: Page) -> None:
    page.evaluate(SELECT, ["article p", "article div.math"])
    expect(page.locator("mjx-container[data-selected]")).to_have_count(2)
    page.keyboard.press("Control+C")
    plain, rich = page.evaluate("window.copied")
    assert plain.split() == f"Before $h_{{t-1}} < 1$ and after, naïve. $${LONG}$$".split()
    assert "<p>Before " in rich and "$h_{t-1} &lt; 1$" in rich and "svg" not in rich
    assert page.locator(".mjx-copied").count() == 0


def test_a_formula_alone_is_copied(page: Page) -> None:
    inside = "p mjx-container math msub mi"
    page.evaluate(SELECT, [inside, inside])
    page.keyboard.press("Control+C")
    assert page.evaluate("window.copied[0]") == "$h_{t-1} < 1$"
    page.evaluate("() => getSelection().removeAllRanges()")
    page.locator("div.math mjx-container").first.focus()
    page.keyboard.press("Control+C")
    assert page.evaluate("window.copied[0]") == f"$${LONG}$$"


def test_words_are_copied_as_ever(page: Page) -> None:
    page.evaluate(SELECT, ["h1", "h1"])
    page.keyboard.press("Control+C")
    assert page.evaluate("window.copied") == ["", ""], "left to the browser"


@contextmanager
def slow(folder: Path) -> Iterator[str]:
    """The address of pages that come in two parts, cut within a formula."""

    class Slow(book.Pages):
        def do_GET(self) -> None:
            path = Path(self.translate_path(self.path))
            if path.suffix != ".html":
                return super().do_GET()
            first, cut, rest = path.read_bytes().partition(b"<msub><mi>h</mi>")
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(first + cut)
            self.wfile.flush()
            time.sleep(0.5)
            self.wfile.write(rest)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Slow, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize("window", ["firefox", "chromium", "webkit"], indirect=True)
def test_a_formula_that_is_half_read_is_no_fault(window: Window, folder: Path) -> None:
    with slow(folder) as address:
        window.heard.clear()
        window.open(address + "index.html")
        assert window.run("() => document.querySelectorAll('mjx-assistive-mml msub').length") > 1
        assert not [said for said in window.heard if "markup" in said]


def test_a_long_formula_scrolls_in_its_box_and_has_the_focus_only_then(page: Page) -> None:
    stops = page.locator("mjx-container[tabindex]")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert stops.count() == 1
    stops.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")
    page.evaluate(AXE)
    result = page.evaluate("() => axe.run(document.querySelector('article'))")
    assert result["violations"] == []
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_function("!document.querySelector('mjx-container[tabindex]')")


def test_numbers_and_tags_are_text_beside_the_formula(folder: Path) -> None:
    html = (folder / "index.html").read_text("utf-8")
    assert '<span class="eqno">(7&#x27;)</span><mjx-container' in html
    assert re.search(
        r'<span class="eqno">\(1\)<a class="headerlink" href="#equation-numbered"', html
    )
    assert re.search(r'By <a [^>]*href="#equation-numbered">\(1\)</a>', html)


def test_in_the_contents_a_formula_brings_its_letters(folder: Path) -> None:
    html = (folder / "index.html").read_text("utf-8")
    (contents,) = re.findall(r'<nav id="pst-page-toc-nav".*?</nav>', html, re.DOTALL)
    (formula,) = formulas(contents)
    assert "<path " in formula and "<use" not in formula


def test_only_pages_with_formulas_carry_the_script(folder: Path) -> None:
    assert "_static/math.js" in (folder / "index.html").read_text("utf-8")
    assert "_static/math.js" not in (folder / "words.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("tex", "problem"),
    [
        (r"$\tanhh a$", r"Undefined control sequence \\tanhh"),
        (r"$\frac{a$", "Missing close brace"),
        (r"$\ref{there}$", r"\\ref finds no label"),
        (r"$$\begin{align} a \tag{1} \\ b \tag{2} \end{align}$$", "may have one"),
        (r"$\begin{matrix}" + r"a\\" * 20 + r"\end{matrix}$", "too deep for a line"),
    ],
)
def test_bad_tex_fails_the_build_and_is_named(tmp_path: Path, tex: str, problem: str) -> None:
    with pytest.raises(ExtensionError) as failed:
        made(tmp_path, "mathjax", index=tex)
    said = str(failed.value)
    assert "index" in said and repr(tex.strip("$")) in said
    assert re.search(problem, said)


def test_macros_of_the_settings_are_known() -> None:
    settings = Config(overrides={"mathjax3_config": {"tex": {"macros": {"state": "h_t"}}}})
    settings.add("mathjax3_config", None, "html", ())
    set_by_us = mathjax.typeset(mathjax.macros(settings), r"\state", "", False, False)
    assert set_by_us == mathjax.typeset("{}", "h_t", "", False, False)


def test_a_build_that_fails_ends() -> None:
    """An engine that is still referred to from a traceback would be waited for without end."""
    run = f"""
import sys; sys.path.insert(0, {str(Path(mathjax.__file__).parent)!r})
import mathjax
mathjax.engine("{{}}").eval("throw Error('a mistake')")
"""
    done = subprocess.run(
        [sys.executable, "-c", run], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1 and "a mistake" in done.stderr
