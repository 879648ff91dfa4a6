"""Logos of services, drawn as one SVG each from the icon set that npm installs."""

import json
from functools import cache, lru_cache
from re import search
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from seatwise import catalogue
from seatwise.settings import NODE_MODULES

ICONS = NODE_MODULES / "simple-icons"
TILES = ("364fc7", "0b7285", "862e9c", "a63d0a", "2b6a3c", "a61e4d", "5f3dc4", "495057")
WHITE, INK = "#ffffff", "#1a2033"


@lru_cache(maxsize=512)
def draw(key: str, size: int, name: str = "") -> SafeString:
    """The service's icon on a square of its brand's colour; its initials where there is none.

    `name` is what a service is called that is not in the catalogue: its key may be a mere number.
    """
    product = catalogue.products().get(key)
    path = _path(product.icon) if product and product.icon else ""
    if product is None or not path:
        return _initials(product.name if product else name or key, size)
    colour = _colours()[product.icon]
    return format_html(
        '<svg class="logo" width="{0}" height="{0}" viewBox="0 0 40 40" aria-hidden="true">'
        '<rect width="40" height="40" fill="#{1}"/>'
        '<path transform="translate(9 9) scale(.9167)" fill="{2}" d="{3}"/></svg>',
        size,
        colour,
        INK if _is_light(colour) else WHITE,
        path,
    )


def _initials(name: str, size: int) -> SafeString:
    words = name.replace("-", " ").split()
    letters = "".join(word[0] for word in words[:2]).upper() or "?"
    return format_html(
        '<svg class="logo" width="{0}" height="{0}" viewBox="0 0 40 40" aria-hidden="true">'
        '<rect width="40" height="40" fill="#{1}"/><text x="20" y="26" fill="{2}" '
        'font-size="16" font-weight="700" text-anchor="middle">{3}</text></svg>',
        size,
        TILES[sum(name.encode()) % len(TILES)],
        WHITE,
        letters,
    )


@cache
def _path(slug: str) -> str:
    try:
        text = (ICONS / "icons" / f"{slug}.svg").read_text(encoding="utf-8")
    except OSError:  # installed without its front-end packages, or the set dropped the icon
        return ""
    found = search(r'<path d="([^"]+)"', text)
    return found[1] if found else ""


@cache
def _colours() -> dict[str, str]:
    """The brand colours of the icons that the catalogue uses."""
    wanted = {product.icon for product in catalogue.products().values()}
    rows: list[dict[str, Any]] = json.loads(
        (ICONS / "data" / "simple-icons.json").read_text(encoding="utf-8")
    )
    return {row["slug"]: row["hex"] for row in rows if row["slug"] in wanted}


def _is_light(colour: str) -> bool:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (0, 2, 4))
    return 0.299 * red + 0.587 * green + 0.114 * blue > 155
