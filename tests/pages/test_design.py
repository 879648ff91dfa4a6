"""The page of all components, and the icons."""

import re
from pathlib import Path

import pytest
from django.template import Context, Template
from django.test import Client
from pytest_django import Settings

from seatwise import icons
from seatwise.views.design import COLOURS, SIZES, SPACES

PACKAGE = Path(__file__).parents[2] / "seatwise"
CSS = PACKAGE / "static" / "css"


def page(client: Client) -> str:
    response = client.get("/design/")
    assert response.status_code == 200
    return response.content.decode()


def test_every_component_is_there_once_in_the_light_and_once_in_the_dark(
    as_viewer: Client,
) -> None:
    html = page(as_viewer)
    for component in ("tile__figure", 'class="chart', "age-bar__column--older", "timeline__step"):
        light, dark = html.split("design__scheme--dark")
        assert component in light, component
        assert component in dark, component


def test_no_id_is_given_twice(as_viewer: Client) -> None:
    found = re.findall(r'\bid="([^"]+)"', page(as_viewer))
    assert sorted(found) == sorted(set(found))


def test_each_mark_size_and_space_of_the_tokens_is_drawn_as_itself(as_viewer: Client) -> None:
    html = page(as_viewer)
    named = set(re.findall(r"--([\w-]+):", (CSS / "tokens.css").read_text("utf-8")))
    shown = {name for names in COLOURS.values() for name in names}
    assert shown <= named
    drawn = (CSS / "design.css").read_text("utf-8")
    marks = {name for name in named if re.match(r"chart-\d|age-|\w+-dot$", name)}
    assert marks <= shown
    steps = {f"size-{at}": f"type--{at}" for at in SIZES}
    steps |= {f"space-{at}": f"space--{at}" for at in SPACES}
    assert set(steps) == {name for name in named if re.match(r"(size|space)-", name)}
    looks = {f"swatch__colour--{name}": f"fill: var(--{name})" for name in shown}
    looks |= {of: f"font-size: var(--{name})" for name, of in steps.items() if "size" in name}
    looks |= {of: f"inline-size: var(--{name})" for name, of in steps.items() if "space" in name}
    assert [of for of, look in looks.items() if f".{of} {{ {look}; }}" not in drawn] == []
    # Once in the light and once in the dark.
    assert {of for of in looks if len(re.findall(rf'{of}["\s]', html)) != 2} == set()


def test_every_tone_and_status_has_its_chip(as_viewer: Client) -> None:
    html = page(as_viewer)
    for tone in ("ok", "warn", "bad", "info", "neutral"):
        assert f"chip--{tone} chip--dot" in html
        assert f"notice--{tone}" in html


def test_where_it_is_not_asked_for_there_is_no_such_page(
    as_admin: Client, settings: Settings
) -> None:
    settings.DESIGN_PAGE = False
    assert as_admin.get("/design/").status_code == 404


def test_every_icon_that_a_template_names_is_in_the_set() -> None:
    templates = (PACKAGE / "templates").rglob("*.html")
    named = {
        name
        for path in templates
        for name in re.findall(r'{% icon "([\w-]+)"', path.read_text(encoding="utf-8"))
    }
    assert len(named) > 5
    assert [name for name in sorted(named) if not (icons.ICONS / f"{name}.svg").is_file()] == []


def test_an_icon_takes_the_colour_of_its_words_and_says_nothing_itself() -> None:
    drawn = Template('{% icon "x" 12 %}').render(Context())
    assert drawn.startswith('<svg class="icon" width="12" height="12"')
    assert 'stroke="currentColor"' in drawn
    assert 'aria-hidden="true"' in drawn
    assert "<path" in drawn


@pytest.mark.parametrize("name", ["no-such-icon", "../package", ""])
def test_an_icon_that_is_not_there_leaves_its_place_empty(name: str) -> None:
    assert str(icons.draw(name, 16)).endswith('aria-hidden="true"></svg>')
