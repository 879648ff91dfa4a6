"""Somebody who uploads a file with members for Zoom and says which column is what."""

import re
from html import unescape
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

SETTINGS, FILE = "/services/zoom/settings/", "/services/zoom/file/"
COLUMNS = FILE + "columns/"


def put(client: Client, data: bytes, name: str = "team.csv") -> Any:
    """Only the upload: which column is what is still to be said."""
    return client.post(FILE, {"file": SimpleUploadedFile(name, data)})


def upload(client: Client, data: bytes, name: str = "team.csv", **chosen: str) -> Any:
    """As somebody does who agrees with what is proposed, but for what is `chosen`."""
    answer = put(client, data, name)
    if answer.get("Location") != COLUMNS:
        return answer
    return choose(client, **chosen)


def choose(client: Client, **chosen: str) -> Any:
    return client.post(COLUMNS, proposed(client) | chosen)


def proposed(client: Client, query: str = "") -> dict[str, str]:
    """What the page's form would send as it stands."""
    page = client.get(COLUMNS + query).content.decode()
    form = page[page.index('<form class="stack" method="post"') :]
    form = form[: form.index("</form>")]
    found = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    found.pop("csrfmiddlewaretoken", None)
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"(.*?)</select>', form, re.DOTALL):
        told = re.search(r'value="([^"]*)" selected', options)
        found[name] = told[1] if told else ""
    told = re.search(r'name="order" value="(\w+)" checked', form)
    return {name: unescape(value) for name, value in found.items()} | (
        {"order": told[1]} if told else {}
    )


def words(client: Client, path: str) -> str:
    """The page's text."""
    page = client.get(path).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split()).replace(" ,", ",")
