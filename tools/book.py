"""Builds the book and serves it; a build in which nothing has changed is skipped."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MADE_OF = (
    "_config.yml",
    "_toc.yml",
    "CHANGELOG.md",
    "CITATION.cff",
    "pyproject.toml",
    "requirements.txt",
    "book",
    "notebooks",
    "src",
    "tools",
)
# At a lesson's sizes, threads that wait for each other cost more than they bring.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def key(root: Path = ROOT) -> str:
    """Hash of everything the book is made of: its files, this Python and every installed package."""
    digest = hashlib.sha256(sys.version.encode())
    for package in sorted(f"{found.name} {found.version}" for found in distributions()):
        digest.update(package.encode() + b"\n")
    for path in sorted(files(root)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def files(root: Path) -> list[Path]:
    """The book's own files, without what Python and editors leave among them."""

    def is_ours(path: Path) -> bool:
        parts = path.relative_to(root).parts
        left_behind = any(p.startswith(".") or p == "__pycache__" for p in parts)
        return path.is_file() and not left_behind and ".egg-info" not in str(path)

    inside = [path for name in MADE_OF for path in [root / name, *(root / name).rglob("*")]]
    return [path for path in inside if is_ours(path)]


def build(root: Path = ROOT) -> Path:
    """Build the book of `root` if anything it is made of has changed; return the folder of pages.

    Raises `subprocess.CalledProcessError` if the build fails; then no key is left behind.
    """
    html = root / "_build" / "html"
    built_from = html / "built-from.txt"
    wanted = key(root)
    if built_from.is_file() and built_from.read_text() == wanted:
        print(f"Nothing has changed; the book is in {html}")
        return html
    # Sphinx would keep deleted pages, and it does not know that a page depends on the package. What
    # cells said and figures drew is kept beside these, and used only while it stands.
    for old in (html, root / "_build" / ".doctrees"):
        shutil.rmtree(old, ignore_errors=True)
    jupyter_book = Path(sys.executable).parent / "jupyter-book"
    strict = ["--warningiserror", "--nitpick", "--keep-going"]
    command = [jupyter_book, "build", root, "--path-output", root, *strict]
    subprocess.run(command, check=True, env=os.environ | ONE_THREAD)
    built_from.write_text(wanted)
    return html


class Pages(SimpleHTTPRequestHandler):
    """Hands out the built pages and never lets a browser show an old one."""

    # Windows may have registered scripts as plain text, and then they do not run.
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".js": "text/javascript"}

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """As a web host does: the book's own page stands where there is none."""
        page = Path(self.directory, "404.html")
        if code != HTTPStatus.NOT_FOUND or not page.is_file():
            super().send_error(code, message, explain)
            return
        body = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def server(html: Path, port: int) -> ThreadingHTTPServer:
    """A server of the built pages on this machine, at another port if this one is taken."""
    handler = partial(Pages, directory=html)
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:
        return ThreadingHTTPServer(("127.0.0.1", 0), handler)


def serve(html: Path, port: int) -> None:
    """Serve the built pages until interrupted, and say where."""
    with server(html, port) as pages:
        print(f"The book is at http://127.0.0.1:{pages.server_port}/ (Ctrl+C stops)", flush=True)
        try:
            pages.serve_forever()
        except KeyboardInterrupt:
            print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["build", "serve"])
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    try:
        html = build()
    except subprocess.CalledProcessError:
        sys.exit("The book was not built. The cause stands above.")
    if arguments.command == "serve":
        serve(html, arguments.port)


if __name__ == "__main__":
    main()
