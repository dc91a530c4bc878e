"""Three browsers behind one small door: Chromium, Firefox and WebKit, opened, read, typed into and dragged alike."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import websocket
from playwright.sync_api import Browser, BrowserType, Page, Playwright

KEYS = {
    "Tab": "\ue004", "Enter": "\ue007", "Shift": "\ue008", "Escape": "\ue00c", "Space": " ",
    "End": "\ue010", "Home": "\ue011", "ArrowLeft": "\ue012", "ArrowUp": "\ue013",
    "ArrowRight": "\ue014", "ArrowDown": "\ue015",
    "PageUp": "\ue00e", "PageDown": "\ue00f",
}  # fmt: skip
LEFT = 0  # the button of a mouse


class Window(Protocol):
    """One window of a browser; scripts are functions, their arguments and results JSON."""

    engine: str
    heard: list[str]
    """What the console, the network and uncaught errors say, where the engine tells."""

    def open(self, url: str) -> None:
        """Go to a page and wait until it has loaded."""

    def run(self, function: str, *arguments: Any) -> Any:
        """Call a JavaScript function in the page, and wait for what it promises."""

    def press(self, *keys: str) -> None:
        """Press and let go one key after the other."""

    def drag(self, *points: tuple[float, float]) -> None:
        """Press the mouse at the first of the points of the window, let go at the last."""

    def resize(self, width: int, height: int) -> None:
        """Make the page that is opened next this large."""

    def picture(self) -> bytes:
        """The window as PNG."""


class PlaywrightWindow:
    """A window of a browser that Playwright drives."""

    def __init__(self, page: Page, engine: str) -> None:
        self.page, self.engine = page, engine
        self.heard: list[str] = []
        loud = ("error", "warning")
        page.on("console", lambda said: said.type in loud and self.heard.append(said.text))
        page.on("pageerror", lambda error: self.heard.append(f"uncaught: {error}"))

    def open(self, url: str) -> None:
        self.page.goto("about:blank")  # or a new fragment would not load the page anew
        self.page.goto(url, wait_until="load")

    def run(self, function: str, *arguments: Any) -> Any:
        return self.page.evaluate(f"(given) => ({function})(...given)", list(arguments))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def drag(self, *points: tuple[float, float]) -> None:
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*point)
        self.page.mouse.up()

    def resize(self, width: int, height: int) -> None:
        self.page.set_viewport_size({"width": width, "height": height})

    def picture(self) -> bytes:
        return self.page.screenshot()


class ActingWindow:
    """What the two protocols of the W3C write in the same way: keys and pointers."""

    def act(self, source: dict[str, Any]) -> None:
        raise NotImplementedError

    def press(self, *keys: str) -> None:
        codes = [KEYS.get(key, key) for key in keys]
        actions = [{"type": way, "value": c} for c in codes for way in ("keyDown", "keyUp")]
        self.act({"type": "key", "id": "keys", "actions": actions})

    def drag(self, *points: tuple[float, float]) -> None:
        first, *rest = (
            {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0} for x, y in points
        )
        down, up = ({"type": way, "button": LEFT} for way in ("pointerDown", "pointerUp"))
        self.act({"type": "pointer", "id": "mouse", "actions": [first, down, *rest, up]})


class BiDiWindow(ActingWindow):
    """Firefox, over WebDriver BiDi, which it speaks without a driver beside it."""

    engine = "firefox"

    def __init__(self, address: str) -> None:
        self.heard: list[str] = []
        self._socket = websocket.create_connection(address + "/session", suppress_origin=True)
        self._asked = 0
        self._call("session.new", capabilities={})
        self._call("session.subscribe", events=["log.entryAdded"])
        # the tab it starts with never has the focus, and without that keys press no button
        tab = self._call("browsingContext.create", type="tab")
        self._context = {"context": tab["context"]}

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._asked += 1
        message = {"id": self._asked, "method": method, "params": parameters}
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("method") == "log.entryAdded":
                entry = answer["params"]
                if entry["level"] in ("error", "warn"):
                    self.heard.append(str(entry["text"]))
            elif answer.get("id") == self._asked:
                if answer["type"] == "error":
                    raise RuntimeError(f"{method}: {answer['message']}")
                return answer["result"]

    def open(self, url: str) -> None:
        for goal in ("about:blank", url):
            self._call("browsingContext.navigate", url=goal, wait="complete", **self._context)

    def run(self, function: str, *arguments: Any) -> Any:
        given = json.dumps(arguments)
        answer = self._call(
            "script.callFunction",
            functionDeclaration="async (given) => JSON.stringify("
            f"(await ({function})(...JSON.parse(given))) ?? null)",
            arguments=[{"type": "string", "value": given}],
            awaitPromise=True,
            target=self._context,
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def act(self, source: dict[str, Any]) -> None:
        self._call("input.performActions", actions=[source], **self._context)

    def resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height}
        self._call("browsingContext.setViewport", viewport=size, **self._context)

    def picture(self) -> bytes:
        shot = self._call("browsingContext.captureScreenshot", **self._context)
        return base64.b64decode(shot["data"])

    def close(self) -> None:
        self._call("session.end")
        self._socket.close()


class DriverWindow(ActingWindow):
    """WebKit, over the classic WebDriver; it tells nothing of its console.

    Its window cannot be as narrow as a phone's, so pages are shown in a frame, which can.
    """

    engine = "webkit"

    def __init__(self, address: str, program: str, folder: str) -> None:
        self.heard: list[str] = []
        self._frame, self._size = Path(folder, "frame.html"), (1280, 800)
        self._session = address + "/session"
        options = {"binary": program, "args": ["--automation"]}
        wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        self._session += "/" + self._call("POST", "", wanted)["sessionId"]
        self._call("POST", "/window/rect", {"width": 1400, "height": 1000})

    def _call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self._session + path, data, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {error.read().decode()}") from error

    def open(self, url: str) -> None:
        width, height = self._size
        frame = f'<iframe src="{url}" width="{width}" height="{height}" style="border: 0"></iframe>'
        self._frame.write_text(f'<body style="margin: 0">{frame}', encoding="utf-8")
        self._call("POST", "/url", {"url": self._frame.as_uri()})
        self._call("POST", "/frame", {"id": 0})
        self.drag((1, 1))  # a frame gets no keys before it has been touched

    def run(self, function: str, *arguments: Any) -> Any:
        script = (
            "const done = arguments[arguments.length - 1];"
            f"Promise.resolve(({function})(...JSON.parse(arguments[0])))"
            ".then((value) => done(JSON.stringify([value ?? null])),"
            " (error) => done(String(error)))"
        )
        body = {"script": script, "args": [json.dumps(arguments)]}
        answer = self._call("POST", "/execute/async", body)
        if not answer.startswith("["):
            raise RuntimeError(answer)
        return json.loads(answer)[0]

    def act(self, source: dict[str, Any]) -> None:
        self._call("POST", "/actions", {"actions": [source]})

    def resize(self, width: int, height: int) -> None:
        self._size = width, height

    def picture(self) -> bytes:
        return base64.b64decode(self._call("GET", "/screenshot"))

    def close(self) -> None:
        self._call("DELETE", "")


@contextmanager
def window(engine: str, program: str, playwright: Playwright) -> Iterator[Window]:
    """A window of the engine: through Playwright, or of the system's Firefox or WebKitGTK."""
    with ExitStack() as stack:
        if engine == "chromium" or "ms-playwright" in program:
            opened = stack.enter_context(launch(getattr(playwright, engine), program))
            yield PlaywrightWindow(opened.new_page(), engine)
            return
        if engine == "firefox":
            shown = BiDiWindow(stack.enter_context(firefox(program)))
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            shown = DriverWindow(stack.enter_context(webkit()), program, folder)
        stack.callback(shown.close)
        yield shown


@contextmanager
def launch(kind: BrowserType, program: str) -> Iterator[Browser]:
    """A browser without a window on the screen."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    arguments = ["--no-sandbox"] if as_root and kind.name == "chromium" else []
    launched = kind.launch(executable_path=program, args=arguments)
    yield launched
    launched.close()


@contextmanager
def firefox(program: str) -> Iterator[str]:
    """A Firefox without a window on the screen; where it listens."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [program, "--headless", "--no-remote", "--profile", profile]
        command.append("--remote-debugging-port=0")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, **quiet) as process:
            try:
                found = (re.search(r"BiDi listening on (\S+)", line) for line in process.stderr)
                yield next(match.group(1) for match in found if match)
            finally:
                process.terminate()


@contextmanager
def webkit() -> Iterator[str]:
    """WebKitGTK's driver on a screen that nobody sees; where it listens."""
    with ExitStack() as stack:
        read, write = os.pipe()
        screen = ["Xvfb", "-screen", "0", "1400x1000x24", "-displayfd", str(write)]
        stack.enter_context(ended(screen, pass_fds=[write]))
        os.close(write)
        with os.fdopen(read) as told:  # to the end of the line: it does not survive a closed pipe
            display = told.readline().strip()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        unseen = {"DISPLAY": f":{display}", "LIBGL_ALWAYS_SOFTWARE": "1"}
        driver = [shutil.which("WebKitWebDriver"), f"--port={port}"]
        stack.enter_context(ended(driver, env=os.environ | unseen))
        wait_for(port)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def ended(command: list[str], **options: Any) -> Iterator[None]:
    """A process for as long as it is needed."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"nobody listens at port {port}")
