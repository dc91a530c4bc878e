"""A tiny book with live figures: settings in its prose, numbers beside its pages, outputs that are kept."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rnn_teach.sphinxext import csp, figures, setting

CONF = """
extensions = ["myst_nb", "rnn_teach.sphinxext"]
nb_execution_mode = "cache"
html_theme = "basic"
"""

PAGE = """---
file_format: mystnb
kernelspec:
  name: python3
---

# Slopes

A sentence. {set}`Push the gain to two <slope?gain=2&cell=GRU>`, or {set}`look <slope?on=True>`.

```{code-cell}
import matplotlib.pyplot as plt
from rnn_teach.live import interact
import heights

fig, ax = plt.subplots()
line = ax.plot([], [], label="height")[0]

@interact(fig, name="slope", gain=(0.5, 2.0, 0.5), cell=["RNN", "GRU"], on=False)
def update(gain, cell, on):
    line.set(data=([0, 1], [0, gain * heights.HEIGHT]), color="k" if cell == "RNN" else "r")
    line.set_linewidth(3 if on else 1)
    return f"{cell} {gain}"

update
```

```{code-cell}
print("the height is", heights.HEIGHT)
```
"""

OTHER = """---
file_format: mystnb
kernelspec:
  name: python3
---

# Sums

```{code-cell}
print("six is", 1 + 2 + 3)
```
"""


class Book:
    def __init__(self, folder: Path) -> None:
        self.source, self.html = folder / "source", folder / "_build" / "html"
        self.source.mkdir()
        self.write("conf.py", CONF)
        self.write("index.md", "# A book\n\n```{toctree}\nslopes\nsums\n```\n")
        self.write("slopes.md", PAGE)
        self.write("sums.md", OTHER)
        self.write("heights.py", "HEIGHT = 1\n")

    def write(self, name: str, text: str) -> None:
        (self.source / name).write_text(text, "utf-8")

    def build(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sphinx", "--color", "-W", *options]
        return subprocess.run(
            [*command, self.source, self.html], capture_output=True, text=True, check=False
        )

    def executed(self, *options: str) -> list[str]:
        """The pages whose code a build has run."""
        done = self.build(*options)
        assert done.returncode == 0, done.stderr
        ran = re.search(r"executing ([\w, ]+)", done.stdout)
        return ran.group(1).split(", ") if ran else []

    def files(self) -> dict[str, bytes]:
        paths = (path for path in self.html.rglob("*") if path.is_file())
        made = {path.relative_to(self.html).as_posix(): path.read_bytes() for path in paths}
        return {name: data for name, data in made.items() if ".doctrees" not in name}


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("book"))
    assert book.executed() == ["slopes", "sums"]
    return book


# ---- settings ------------------------------------------------------------------------------------


def test_a_setting_is_a_link_that_knows_its_places(built):
    page = (built.html / "slopes.html").read_text()
    links = re.findall(r'<a class="live-set" (.*?)>(.*?)</a>', page)
    several = "{&quot;gain&quot;: 3, &quot;cell&quot;: 1}"
    assert links == [
        (
            f'href="#slope?gain=2&amp;cell=GRU" data-live="slope" data-set="{several}"',
            "Push the gain to two",
        ),
        ('href="#slope?on=True" data-live="slope" data-set="{&quot;on&quot;: 1}"', "look"),
    ]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("slop?gain=2", "no live figure 'slop' on this page, there are ['slope']"),
        ("slope?gian=2", "figure 'slope' has no control 'gian', it has ['gain', 'cell', 'on']"),
        ("slope?gain=9", "control 'gain' has no value '9', it has 0.5, 1.0, 1.5, 2.0"),
        ("slope?cell=LSTM", "control 'cell' has no value 'LSTM', it has RNN, GRU"),
        ("slope", "got 'slope', expected figure?control=value"),
    ],
)
def test_a_setting_of_what_is_not_there_fails_the_build(built, target, message):
    page = (built.html / "slopes.html").read_text()
    known = {spec["name"]: spec for spec in figures.specs(page)}
    with pytest.raises(ValueError, match=re.escape(message)):
        setting._link(target, known)


def test_the_error_names_page_and_line(built):
    page = (built.source / "slopes.md").read_text()
    built.write("slopes.md", page.replace("slope?on=True", "slope?on=perhaps"))
    done = built.build()
    built.write("slopes.md", page)
    assert done.returncode != 0
    assert re.search(r"slopes\.md:\d+: \{set\}`look`: control 'on' has no value", done.stderr)


# ---- beside the pages ----------------------------------------------------------------------------


def test_states_and_numbers_stand_beside_the_page(built):
    page = (built.html / "slopes.html").read_text()
    spec = json.loads(re.search(r'class="live-spec">(.*?)</script>', page).group(1))
    for key, event in (("src", "live:slope"), ("numbers", "live-numbers:slope")):
        script = (built.html / spec[key]).read_text()
        assert re.fullmatch(
            rf'document\.dispatchEvent\(new CustomEvent\("{event}",'
            r'\{detail:"[A-Za-z0-9+/=]+"\}\)\);',
            script,
        )
    assert "packed" not in spec
    assert "tables" not in spec


def test_the_policy_has_the_hash_of_all_that_runs_inline(built):
    header = (built.html / "csp.txt").read_text()
    pages = [path.read_text() for path in sorted(built.html.rglob("*.html"))]
    assert header.strip() == csp.policy(pages)
    inline = {
        "<script>alert(1)</script>": ("script-src", "alert(1)"),
        "<script type='module'>'</b>'</script>": ("script-src", "'</b>'"),
        "<style>p { top: 0 }</style>": ("style-src", "p { top: 0 }"),
        '<p onclick="a &amp;&amp; b()">': ("script-src", "a && b()"),
        '<p style="top: 0">': ("style-src", "top: 0"),
    }
    for page, (directive, text) in inline.items():
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        unsafe = "'unsafe-hashes' " if page.startswith("<p") else ""
        assert f"{directive} 'self' {unsafe}'sha256-{digest}'" in csp.policy([page])
    for data in ('<script type="application/json">1</script>', "<script src='x'></script>"):
        assert "sha256" not in csp.policy([data])


@pytest.fixture
def guarded(built):
    """The pages, handed out under the policy that the build has printed."""
    header = (built.html / "csp.txt").read_text().strip()

    class Guarded(SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", header)
            super().end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Guarded, directory=built.html)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_figure_lives_under_the_policy(guarded, browser):
    page = browser.new_page()
    page.add_init_script(
        "window.broken = []; document.addEventListener('securitypolicyviolation', (event) =>"
        " broken.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`))"
    )
    page.goto(f"{guarded}/slopes.html")
    page.locator("#slope[data-ready]").wait_for()
    page.locator("#slope input[type=range]").press("End")
    page.wait_for_function(
        "() => document.querySelector('#slope .live-sentence').textContent === 'RNN 2.0'"
    )
    page.locator("#slope .live-show").click()
    page.locator("#slope table").wait_for()
    assert page.evaluate("broken") == []
    # the policy is at work: what the build did not know of does not run
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))"
    )
    page.wait_for_function("() => broken.length === 1")
    page.close()


# ---- kept ----------------------------------------------------------------------------------------


def test_only_what_rests_on_a_change_is_executed_again(book, tmp_path):
    def page():
        return (book.html / "slopes.html").read_text()

    assert book.executed() == ["slopes", "sums"]
    assert book.executed() == []

    prose = PAGE.replace("A sentence.", "Another sentence.")
    book.write("slopes.md", prose)
    assert book.executed() == []
    assert "Another sentence." in page()
    assert "the height is 1" in page()

    states = book.html.parent / "live" / "slope.json"
    before = states.stat().st_mtime_ns
    code = prose.replace("the height is", "height:")
    book.write("slopes.md", code)
    assert book.executed() == ["slopes"]
    assert "height: 1" in page()
    assert states.stat().st_mtime_ns == before  # the figure above was not computed again

    book.write("heights.py", "HEIGHT = 3\n")
    assert book.executed() == ["slopes"]
    assert "height: 3" in page()
    assert states.stat().st_mtime_ns > before

    shutil.rmtree(book.html)  # as tools/book.py does: Sphinx keeps pages and files of old
    assert book.executed("-E") == []
    kept = book.files()
    book.html = tmp_path / "clean" / "html"
    assert book.executed() == ["slopes", "sums"]
    clean = book.files()
    assert kept.keys() == clean.keys()
    assert [name for name in kept if kept[name] != clean[name]] == []


def test_a_cell_that_fails_fails_the_build_and_shows_where(built):
    built.write("sums.md", OTHER.replace("1 + 2", "1 / 0"))
    done = built.build()
    built.write("sums.md", OTHER)
    assert done.returncode != 0
    assert "sums.md" in done.stderr
    assert "ZeroDivisionError" in done.stderr
    assert 'print("six is", 1 / 0 + 3)' in done.stderr
