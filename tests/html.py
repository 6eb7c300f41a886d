"""What a browser would make of HTML."""

from html.parser import HTMLParser

VOID = frozenset({"br", "img", "input", "rect", "use", "meta", "path"})


class Html(HTMLParser):
    """Tags, attributes, and the text below each tag and each class; `others` are comments and the like."""

    def __init__(self, content: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.others: list[str] = []
        self._path: list[tuple[str, set[str]]] = []
        self._texts: dict[str, list[str]] = {}
        self.feed(content)
        self.close()
        assert self._path == [], "every tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            classes = (dict(attrs).get("class") or "").split()
            self._path.append((tag, {f".{name}" for name in classes} | {tag}))
            for key in self._path[-1][1]:
                self._texts.setdefault(key, []).append("")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._path.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        for key in set().union(*(keys for _, keys in self._path)):
            self._texts[key][-1] += data

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_decl(self, decl: str) -> None:
        self.others.append(decl)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)

    def text(self, key: str) -> str:
        """All text below a tag ("p") or class (".bq-note")."""
        return "".join(self.texts(key))

    def texts(self, key: str) -> list[str]:
        """The same, one item an element."""
        return self._texts.get(key, [])

    def values(self, name: str) -> list[str | None]:
        """The values of an attribute, in order."""
        return [value for _, other, value in self.attributes if other == name]
