"""What a browser would make of a page, as far as a parser can tell."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """What a browser would make of the page, as far as a parser can tell."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> without a beginning"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def assert_nothing_runs(page: Page) -> None:
    """Its policy lets one style in; nothing is there that loads, runs or styles."""
    (policy,) = [m for m in page.all("meta") if "http-equiv" in m]
    content = policy["content"] or ""
    assert content.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in content
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(
        tag for tag, _ in page.tags
    )
    for _, attributes in page.tags:
        assert not [a for a in attributes if a.startswith("on") or a == "style"]
