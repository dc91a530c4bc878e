"""A saved notebook, opened where no kernel runs: the default picture is there, in a form that any host shows."""

import base64
import xml.etree.ElementTree as ET
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser
from test_live import figure

ROOT = Path(__file__).parents[1]
SVG = "image/svg+xml"


def stored() -> dict[str, str]:
    """The pictures of the live figures in the stored outputs of the book's notebooks."""
    found = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, 4).cells:
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                if data.get("text/plain", "").startswith("<live figure "):
                    found[f"{path.stem} {data['text/plain'].split()[2]}"] = data[SVG]
    return found


@pytest.fixture(scope="module")
def pictures() -> dict[str, str]:
    data, _ = figure()._repr_mimebundle_()
    return stored() | {"now": data[SVG]}


def test_the_notebooks_have_their_figures(pictures: dict[str, str]) -> None:
    assert {"06_vanishing gradient-flow:", "now"} <= pictures.keys()


def test_each_is_a_file_of_its_own(pictures: dict[str, str]) -> None:
    for name, svg in pictures.items():
        root = ET.fromstring(svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg", name
        assert "var(--" not in svg, name  # a theme's colors are the page's
        addresses = [value for tag in root.iter() for at, value in tag.items() if "href" in at]
        assert all(value.startswith(("#", "data:image/png;")) for value in addresses), name


def test_a_host_that_shows_it_as_an_image_shows_it(
    pictures: dict[str, str], browser: Browser
) -> None:
    page = browser.new_page()
    for name, svg in pictures.items():
        packed = base64.b64encode(svg.encode()).decode()
        page.set_content(f'<img src="data:{SVG};base64,{packed}">')
        size = page.evaluate(
            "async () => { await document.images[0].decode(); return document.images[0].naturalWidth }"
        )
        assert size > 200, name
    page.close()
