"""Icons, drawn as one SVG each from the one set that npm installs."""

import re
from functools import cache

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from seatwise.settings import NODE_MODULES

ICONS = NODE_MODULES / "lucide-static" / "icons"
SHAPE = re.compile(r"<(path|circle|rect|line|polyline|polygon|ellipse)\b([^>]*?)/?>")
ATTRIBUTE = re.compile(r'\b(d|cx|cy|r|rx|ry|x|y|x1|x2|y1|y2|width|height|points)="([^"<>]*)"')


def draw(name: str, size: int) -> SafeString:
    """The icon of that name in the set, `size` pixels wide, in the colour of the text around it.

    A name that the set does not hold leaves its place empty, so that nothing moves.
    """
    return format_html(
        '<svg class="icon" width="{0}" height="{0}" viewBox="0 0 24 24" fill="none"'
        ' stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
        ' aria-hidden="true">{1}</svg>',
        size,
        _shapes(name),
    )


@cache
def _shapes(name: str) -> SafeString:
    try:
        text = (ICONS / f"{name}.svg").read_text(encoding="utf-8")
    except OSError:  # installed without its front-end packages, or the set dropped the icon
        return SafeString("")
    # Shapes and what they are drawn by, and nothing else that such a file might hold.
    return format_html_join(
        "", "<{}{}/>", ((shape, _drawn(rest)) for shape, rest in SHAPE.findall(text))
    )


def _drawn(attributes: str) -> SafeString:
    return format_html_join("", ' {}="{}"', ATTRIBUTE.findall(attributes))
