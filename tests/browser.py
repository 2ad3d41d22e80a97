"""Chromium without a window, driven by the DevTools protocol through pipes."""

import base64
import json
import os
import shutil
import subprocess
from itertools import count
from select import select
from time import monotonic

_OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
]
_SECONDS = 60

# The elements that reach beyond the right edge of the page, where a reader can't scroll
# to them.
_CUT_OFF = """
[...document.querySelectorAll("body *")].filter(element => {
  const box = element.getBoundingClientRect();
  if (box.width === 0 || box.height === 0 || box.right <= innerWidth + 1) return false;
  for (let e = element; e !== null; e = e.parentElement) {
    const style = getComputedStyle(e);
    if (["auto", "scroll"].includes(style.overflowX)) return false;
    if (style.position === "fixed" || style.clipPath !== "none") return false;
  }
  return true;
}).map(element => element.outerHTML.slice(0, 200))
"""


def find_chromium():
    """The path of Debian's chromium, or None."""
    return shutil.which("chromium")


class Browser:
    """A browser with one page. Use it in a ``with`` statement.

    Parameters
    ----------
    profile : Path
        An empty folder for the browser's files.
    """

    def __init__(self, profile):
        to_browser, self._to_browser = os.pipe()
        self._from_browser, from_browser = os.pipe()

        def connect():
            # Chromium reads commands from file 3, and writes answers to file 4.
            ends = [os.dup(to_browser), os.dup(from_browser)]
            for end, number in zip(ends, (3, 4), strict=True):
                os.dup2(end, number)

        self._process = subprocess.Popen(
            [find_chromium(), *_OPTIONS, f"--user-data-dir={profile}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=connect,
            close_fds=False,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._ids, self._received, self._events = count(1), b"", []
        self._session = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send(
            "Target.attachToTarget", targetId=target, flatten=True
        )["sessionId"]
        for domain in ("Page", "Network"):
            self.send(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._to_browser)
        os.close(self._from_browser)
        self._process.terminate()
        self._process.wait(_SECONDS)

    def open(self, path, width, height=900):
        """Open a page of this computer, in a window of a width in pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self._events.clear()
        answer = self.send("Page.navigate", url=path.as_uri())
        assert "errorText" not in answer, answer
        while not any(e["method"] == "Page.loadEventFired" for e in self._events):
            self._events.append(self._receive())
        assert self.evaluate("innerWidth") == width

    def requests(self):
        """The addresses that the page has asked for, without those of data."""
        return [
            event["params"]["request"]["url"]
            for event in self._events
            if event["method"] == "Network.requestWillBeSent"
            and not event["params"]["request"]["url"].startswith("data:")
        ]

    def evaluate(self, script):
        """The value of a JavaScript expression in the page."""
        answer = self.send(
            "Runtime.evaluate",
            expression=script,
            returnByValue=True,
            awaitPromise=True,
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def overflow(self):
        """By how many pixels the page is too wide, and what a reader can't get to."""
        root = "document.documentElement"
        pixels = self.evaluate(f"{root}.scrollWidth - {root}.clientWidth")
        return pixels, self.evaluate(_CUT_OFF)

    def screenshot(self, path):
        """Write a picture of the whole page, as a PNG file."""
        answer = self.send(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True
        )
        path.write_bytes(base64.b64decode(answer["data"]))

    def send(self, method, **params):
        """Send a command; return its result."""
        command = {"id": next(self._ids), "method": method, "params": params}
        if self._session is not None:
            command["sessionId"] = self._session
        os.write(self._to_browser, json.dumps(command).encode() + b"\0")
        while True:
            message = self._receive()
            if message.get("id") == command["id"]:
                assert "error" not in message, message
                return message["result"]
            self._events.append(message)

    def _receive(self):
        deadline = monotonic() + _SECONDS
        while b"\0" not in self._received:
            waiting = max(0, deadline - monotonic())
            ready, _, _ = select([self._from_browser], [], [], waiting)
            content = os.read(self._from_browser, 2**20) if ready else b""
            if not content:
                raise RuntimeError("chromium has ended, or does not answer.")
            self._received += content
        message, _, self._received = self._received.partition(b"\0")
        return json.loads(message)
