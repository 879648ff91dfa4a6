"""A visitor without a person: follows links, fills in forms and presses buttons by their words.

It sees what a browser without JavaScript sees, so a page that it can use is a page that
everybody can use.
"""

import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin

LONGEST_PAGE = 5_000_000  # bytes


class Lost(Exception):
    """The page does not have what the visitor was told to use."""


@dataclass
class Form:
    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # words, name, value


class Visitor:
    """One browser session. `page` is the text of the page one is on, `url` its address."""

    def __init__(self) -> None:
        self.url = ""
        self.page = ""
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar()),
            urllib.request.ProxyHandler({}),  # loopback only
        )

    def visit(self, url: str) -> None:
        self._load(urllib.request.Request(urljoin(self.url, url)))

    def press(self, words: str, **answers: str) -> None:
        """Fills `answers` into the form with such a button, which may say more, and presses it."""
        for form in _forms(self.page):
            for label, name, value in form.buttons:
                if words in label:
                    self._send(form, [(name, value)] if name else [], answers)
                    return
        raise Lost(f"there is no button {words!r} on {self.url}")

    def _send(self, form: Form, button: list[tuple[str, str]], answers: dict[str, str]) -> None:
        kept = [(name, value) for name, value in form.fields if name not in answers]
        data = urlencode([*kept, *answers.items(), *button])
        target = urljoin(self.url, form.action)
        if form.method == "post":
            request = urllib.request.Request(target, data.encode(), {"Referer": self.url})
        else:
            request = urllib.request.Request(f"{target.partition('?')[0]}?{data}")
        self._load(request)

    def _load(self, request: urllib.request.Request) -> None:
        try:
            answer = self._opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            raise Lost(f"{error.url} answered {error.code} {error.reason}") from None
        with answer:
            self.url = answer.url
            self.page = answer.read(LONGEST_PAGE).decode(errors="replace")


def _forms(page: str) -> list[Form]:
    reader = _FormReader()
    reader.feed(page)
    return reader.forms


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._button: tuple[str, str] | None = None
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._open)
        elif self._open is None:
            return
        elif tag == "button":
            self._button, self._words = (given.get("name", ""), given.get("value", "")), []
        elif tag == "input" and given.get("name"):
            chosen = given.get("type") not in {"checkbox", "radio"} or "checked" in given
            if chosen:
                self._open.fields.append((given["name"], given.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "button" and self._open is not None and self._button is not None:
            words = " ".join("".join(self._words).split())
            self._open.buttons.append((words, *self._button))
            self._button = None
