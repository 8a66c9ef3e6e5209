"""A real browser for pages: what becomes of them, what the console says, sizes."""

from __future__ import annotations

import json
import shutil
import subprocess
from html import escape
from pathlib import Path
from typing import Any

import pytest

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(
    BROWSER is None, reason="no Chromium here; `apt-get install chromium` brings one"
)


def browse(tmp_path: Path, html: str, *options: str) -> tuple[str, str]:
    """Open the page → its DOM after loading, and what the console said."""
    file = tmp_path / "page.html"
    file.write_text(html, encoding="utf-8")
    done = subprocess.run(
        [
            str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu",
            "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync",
            "--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}",
            *options, "--dump-dom", file.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, "\n".join(console)


def without_policy(html: str) -> str:
    """A copy of a page in which scripts run, so that it can be measured from within."""
    start = html.index('<meta http-equiv="Content-Security-Policy"')
    return html[:start] + html[html.index(">", start) + 1 :]


_MEASURE = """<script>
const frame = document.querySelector('iframe');
frame.onload = () => {
  const page = frame.contentDocument;
  const size = (e) => { const r = e.getBoundingClientRect();
    return {width: r.width, height: r.height, right: r.right, bottom: r.bottom}; };
  const told = {
    page: size(page.body), over: page.documentElement.scrollWidth - frame.width,
    panels: {}, drawings: []};
  for (const e of page.querySelectorAll('.panel')) told.panels[e.id] = size(e);
  for (const e of page.querySelectorAll('.draw > svg'))
    if (e.getBoundingClientRect().width) told.drawings.push(
      {...size(e), within: size(e.closest('.panel'))});
  const out = document.createElement('pre');
  out.id = 'told';
  out.textContent = JSON.stringify(told);
  document.body.append(out);
};
</script>"""


def measure(tmp_path: Path, html: str, width: int) -> tuple[dict[str, Any], str]:
    """Show the page in a frame of this width, its policy in force → the sizes of what
    is in it, in pixels, and what the console said.
    """
    frame = f'<iframe width="{width}" height="3000" srcdoc="{escape(html)}"></iframe>'
    dom, console = browse(
        tmp_path,
        f"<!DOCTYPE html><body>{frame}{_MEASURE}</body>",
        "--virtual-time-budget=20000",
    )
    told = dom.rpartition('<pre id="told">')[2].partition("</pre>")[0]
    sizes: dict[str, Any] = json.loads(told)
    return sizes, console
