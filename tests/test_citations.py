"""The list of references is a list of items to those who listen."""

from pathlib import Path

from bs4 import BeautifulSoup
from small_book import made

PAGE = "```{eval-rst}\nSee [Elman1990]_.\n\n.. [Elman1990] Finding structure in time.\n```"


def test_references_are_items_of_their_list(tmp_path: Path) -> None:
    page = made(tmp_path, "rnn_teach.sphinxext.citations", references=PAGE) / "references.html"
    soup = BeautifulSoup(page.read_text("utf-8"), "html.parser")
    (listed,) = soup.select(".citation-list")
    assert listed["role"] == "list"
    assert [item["role"] for item in listed.select(".citation")] == ["listitem"]
