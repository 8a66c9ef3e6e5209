"""Takes the README's pictures of what `elkwatch demo` wrote, in headless Chromium.

elkwatch demo && python -m benchmarks.pictures demo-out docs/pictures
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PICTURES = {
    "preview": ("preview.html", "1440,1395"),
    "report": ("report.html", "1200,1500"),
    "mail": ("mail.html", "760,1150"),
}
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def main(demo: Path, out: Path) -> None:
    """Writes one PNG a page. Exits with a line where there is no Chromium."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("no Chromium here: install it, e.g. apt-get install chromium")
    out.mkdir(parents=True, exist_ok=True)
    for name, (page, size) in PICTURES.items():
        picture = out / f"{name}.png"
        with tempfile.TemporaryDirectory() as profile:
            subprocess.run(
                [
                    browser,
                    *FLAGS,
                    f"--user-data-dir={profile}",
                    f"--window-size={size}",
                    f"--screenshot={picture.resolve()}",
                    (demo / page).resolve().as_uri(),
                ],
                check=True,
                capture_output=True,
                timeout=120,
            )
        print(picture)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
