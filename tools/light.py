"""Takes out of the built pages what no reader needs: the theme's unused styles, icons, scripts and files."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

from purge import names, purged, with_icons

SCRIPT = re.compile(r'\n?[ \t]*<script\b[^>]*?\bsrc="([^"?]*)[^"]*"[^>]*></script>')
SHEET = re.compile(
    r'\n?[ \t]*<link\b(?=[^>]*\brel="stylesheet")(?![^>]*\bmedia=)[^>]*\bhref="([^"?]*)[^"]*"[^>]*>'
)
MAP = re.compile(r"\n//# sourceMappingURL=\S+\s*$")
# the theme asks for its scripts ahead of the text that a reader waits for
PRELOAD = re.compile(r'\n?[ \t]*<link\b[^>]*\brel="preload" as="script"[^>]*>')
# Every page would load the index of the whole book; only the page of results asks it.
SEARCHES = ("searchtools.js", "language_data.js", "searchindex.js")
THEMES = ("styles/", "sphinx-design.min.css", "mystnb.")  # what is in them is for every book
IMPORT = re.compile(r'@import "([^"]*)";')
URL = re.compile(r"""\burl\((?!["']?(?:\w+:|/|#))["']?([^)"']*)["']?\)""")
THEME = 'localStorage.getItem("theme") || "auto"'
STOPS = "stops.js"
# the theme's list of boxes that may scroll, and of none: stops.js looks after them without a layout of all
BOXES = re.compile(r'\["pre",[^\]]*"\.pst-scrollable-table-container"\]')
NO_BOX = '["no-box"]'
# The theme asks the reader's system only once its script has come: a dark page would flash white.
AT_ONCE = 'matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"'


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this: when all pages are written, they are made light."""
    app.connect("config-inited", use_own_script)
    app.add_js_file(STOPS, loading_method="defer")
    app.connect("build-finished", lighten, priority=800)  # csp.py reads the pages at 900
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def use_own_script(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(Path(__file__).with_name(STOPS)))


def lighten(app: Sphinx, error: Exception | None) -> None:
    """Rewrite the pages, bundle what is used of their style sheets, and delete what none asks for."""
    if error or app.builder.name != "html":
        return
    out = Path(app.outdir)
    paths = [path for path in sorted(out.rglob("*.html")) if "_static" not in path.parts]
    pages = {path: scripts(path.read_text("utf-8")) for path in paths}
    sheets = list(dict.fromkeys(found for page in pages.values() for found in asked(page)))
    if not sheets:
        return
    style = bundle(out / "_static", sheets, list(pages.values()))
    name = f"book.{hashlib.sha256(style.encode()).hexdigest()[:12]}.css"
    (out / "_static" / name).write_text(style, "utf-8")
    for path, page in pages.items():
        path.write_text(one_sheet(page, name), "utf-8")
    for script in (out / "_static").rglob("*.js"):
        script.write_text(lightened(script), "utf-8")
    for path in unasked(out, paths):
        path.unlink()
    for folder in sorted((out / "_static").rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def scripts(page: str) -> str:
    """A page whose scripts wait until it is shown, without those that it does not use."""
    searches = 'id="search-results"' in page

    def mended(match: re.Match[str]) -> str:
        tag, file = match.group(0), match.group(1).rpartition("/")[2]
        unused = (
            file == "fontawesome.js"  # its icons are in the style sheet as well
            or (file == "design-tabs.js" and "sd-tab-set" not in page)
            or (file in SEARCHES and not searches)
        )
        return "" if unused else re.sub(r"<script\b(?! defer)", "<script defer", tag)

    page = SCRIPT.sub(mended, PRELOAD.sub("", page))
    page = page.replace(THEME, f'localStorage.getItem("theme") || ({AT_ONCE})')
    # what names a setting must wait for the settings; a module does, and keeps its turn
    return re.sub(r"<script>(?=[^<]*\bDOCUMENTATION_OPTIONS\b)", '<script type="module">', page)


def lightened(script: Path) -> str:
    """A script without the address of its map; the theme's own without its search for boxes that scroll."""
    text = MAP.sub("", script.read_text("utf-8"))
    if script.name != "pydata-sphinx-theme.js":
        return text
    text, found = BOXES.subn(NO_BOX, text)
    if found + text.count(NO_BOX) < 1:
        raise ExtensionError(
            f"{script.name} has changed how it looks for boxes that scroll: light.py"
        )
    return text


def asked(page: str) -> list[str]:
    """The style sheets of a page, as paths below the static files."""
    return [href.partition("_static/")[2] for href in SHEET.findall(page)]


def one_sheet(page: str, name: str) -> str:
    """A page that asks for one style sheet in the place of all."""
    first = True

    def put(match: re.Match[str]) -> str:
        nonlocal first
        before = match.group(1).partition("_static/")[0]
        link = f'\n    <link rel="stylesheet" href="{before}_static/{name}">' if first else ""
        first = False
        return link

    return SHEET.sub(put, page)


def bundle(static: Path, sheets: list[str], pages: list[str]) -> str:
    """The style sheets as one text: of the theme's what is used, ours as they are."""
    files = {file for page in pages for file in SCRIPT.findall(page) if "_static/" in file}
    asked_for = (static / file.partition("_static/")[2] for file in sorted(files))
    used = names(pages, (path.read_text("utf-8") for path in asked_for if path.is_file()))
    parts = []
    for sheet in sheets:
        style = read(static / sheet, static)
        if sheet.startswith(THEMES):
            style = purged(style, used)
        parts.append(style)
    return with_icons("\n".join(['@charset "utf-8";', *parts]), static, used)


def read(sheet: Path, static: Path) -> str:
    """A style sheet as it reads in the folder `static`: with its imports, and other relative paths."""

    def moved(found: re.Match[str]) -> str:
        return (
            f"url({(sheet.parent / found[1]).resolve().relative_to(static.resolve()).as_posix()})"
        )

    style = URL.sub(moved, sheet.read_text("utf-8"))
    return IMPORT.sub(lambda found: read(sheet.parent / found[1], static), style)


def unasked(out: Path, pages: list[Path]) -> list[Path]:
    """The static files that neither a page nor a file that one asks for names."""
    files = {path for path in (out / "_static").rglob("*") if path.is_file()}
    text, found = "".join(path.read_text("utf-8") for path in pages), True
    while found:
        found = {path for path in files if path.name in text}
        files -= found
        readable = [path for path in found if path.suffix in (".css", ".js")]
        text = "".join(path.read_text("utf-8") for path in readable)
    return sorted(files)
