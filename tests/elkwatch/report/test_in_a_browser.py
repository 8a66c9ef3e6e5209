"""The page in a real browser: its policy, its widths, the dark, the printer."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector import finding_document
from elkwatch.report import build_report, report_data_from_documents
from tests.elkwatch.browser import browse, needs_browser, without_policy
from tests.elkwatch.report_samples import TOMORROW, evil, finding, whole


@needs_browser
def test_the_policy_lets_the_style_in_and_scripts_out(tmp_path: Path) -> None:
    html = build_report(whole())
    dom, console = browse(tmp_path, html)
    assert console == ""
    assert dom.count("<details") == whole().shown
    attacked = html.replace(
        "</main>", "<script>document.title='hacked'</script></main>"
    )
    dom, console = browse(tmp_path, attacked)
    assert "<title>hacked" not in dom
    assert "Content Security Policy" in console


@needs_browser
@pytest.mark.parametrize("width", [390, 768, 1440])
@pytest.mark.parametrize("kind", ["usual", "evil"])
def test_no_sideways_scrolling(tmp_path: Path, width: int, kind: str) -> None:
    if kind == "usual":
        data = whole()
    else:
        data = report_data_from_documents(
            [evil(), finding_document(finding(2, 0, session="x" * 500), "d")],
            generated_at=TOMORROW,
        )
    html = build_report(data)
    bare = without_policy(html)
    measure = (
        "<script>document.body.style.width='" + str(width) + "px';"
        "document.title = 'over:' + (document.body.scrollWidth - " + str(width) + ")"
        "</script></body>"
    )
    dom, _ = browse(
        tmp_path, bare.replace("</body>", measure), f"--window-size={width},1200"
    )
    assert "<title>over:0</title>" in dom


@needs_browser
@pytest.mark.parametrize("dark", [False, True])
def test_it_is_dark_where_the_reader_wants_it(tmp_path: Path, dark: bool) -> None:
    html = build_report(whole())
    bare = without_policy(html)
    ask = (
        "<script>document.title = 'ground:' + "
        "getComputedStyle(document.body).backgroundColor</script></body>"
    )
    wish = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    dom, _ = browse(tmp_path, bare.replace("</body>", ask), wish)
    ground = "rgb(13, 20, 27)" if dark else "rgb(244, 246, 249)"
    assert f"<title>ground:{ground}</title>" in dom


@needs_browser
def test_it_can_be_printed(tmp_path: Path) -> None:
    out = tmp_path / "report.pdf"
    browse(tmp_path, build_report(whole()), f"--print-to-pdf={out}")
    assert out.read_bytes().startswith(b"%PDF-")
    assert out.stat().st_size > 20_000
