"""The HTML reports of the commands, as tests read them."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """A page whose every element is closed where it must be: its elements in order, its text, and what is marked in it.

    Elements named in `empty` need no closing tag.
    """

    def __init__(self, text: str, empty: tuple[str, ...] = ("meta",)) -> None:
        super().__init__()
        self._empty = empty
        self._open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.marked: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self._empty:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.words.append(data)
        if self._open and self._open[-1] == "mark":
            self.marked.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def of_class(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for _, attributes in self.elements if name in (attributes.get("class") or "").split()]
