"""One palette, which people who see fewer colours can tell apart too."""

import re
from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from seatwise.connectors.base import MetricInfo
from seatwise.views.usage import COLOURS, chart, headline
from tests.pages.colours import SIGHTS, apart, contrast, distance, seen

TOKENS = Path(__file__).parents[2] / "seatwise" / "static" / "css" / "tokens.css"
SCRIPTS = TOKENS.parents[1] / "js"
FAR_ENOUGH = 10  # CIEDE2000 of what stands side by side
AGES = ["7", "30", "60", "90", "older", "never", "unknown", "invited"]
ORDERED = AGES[:6]
STATUSES = ["ok", "warn", "bad", "info", "neutral"]
SERIES = [f"chart-{number}" for number in range(1, 8)]
# Whatever a chart draws: a person may switch any of its series off, and the rest stay.
TOGETHER = list(combinations([colour for colours in COLOURS.values() for colour in colours], 2))
SCHEMES = ["light", "dark"]


def palette(scheme: str) -> dict[str, str]:
    """The tokens' colours by name, as the scheme has them."""
    text = TOKENS.read_text(encoding="utf-8")
    named = re.compile(r"--([\w-]+): (?:light-dark\()?(#[0-9a-f]{6})(?:, (#[0-9a-f]{6}))?")
    found = named.findall(text)
    assert len(found) > 40
    return {name: dark or light if scheme == "dark" else light for name, light, dark in found}


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_stands_side_by_side_is_told_apart_with_every_sight(scheme: str, sight: str) -> None:
    colours = palette(scheme)
    pairs = [(f"age-{one}", f"age-{other}") for one, other in pairwise(AGES)]
    pairs += [(f"{one}-dot", f"{other}-dot") for one, other in combinations(STATUSES, 2)]
    pairs += TOGETHER
    near = {
        pair: round(apart(colours[pair[0]], colours[pair[1]], sight), 1)
        for pair in pairs
        if apart(colours[pair[0]], colours[pair[1]], sight) < FAR_ENOUGH
    }
    assert near == {}


def metrics(bars: int, lines: int) -> list[MetricInfo]:
    kinds = [False] * bars + [True] * lines
    return [MetricInfo(f"m{at}", f"M{at}", "What.", "GET /m", estimate=is_line)
            for at, is_line in enumerate(kinds)]  # fmt: skip


class Counting:
    """All that a chart asks of a connector."""

    def __init__(self, counted: Sequence[MetricInfo]) -> None:
        self.usage_headline = tuple(metric.key for metric in counted)


def colours_of(bars: int, lines: int) -> list[str]:
    counted = metrics(bars, lines)
    drawn = chart(Counting(counted), counted, [])  # type: ignore[arg-type]
    return [series["colour"] for series in drawn["series"]]  # type: ignore[attr-defined]


def test_no_two_series_of_a_chart_share_a_colour() -> None:
    most = {kind: len(colours) for kind, colours in COLOURS.items()}
    used = colours_of(most["bar"], most["line"])
    assert len(set(used)) == most["bar"] + most["line"]
    assert set(used) == {colour for pair in TOGETHER for colour in pair}
    assert colours_of(2, 1) == ["chart-2", "chart-1", "chart-3"]
    assert len(headline(None, metrics(9, 0))) <= most["bar"]


@pytest.mark.parametrize(("bars", "lines"), [(5, 0), (0, 3), (5, 3)])
def test_a_chart_of_more_series_than_colours_is_refused(bars: int, lines: int) -> None:
    with pytest.raises(ValueError, match=f"no colours for {bars + lines} series"):
        colours_of(bars, lines)


def test_scripts_name_no_colour_of_a_series_themselves() -> None:
    text = (SCRIPTS / "charts.js").read_text(encoding="utf-8")
    named = set(re.findall(r"--chart-\d", text))
    assert named <= {"--chart-1"}  # behind the month that is pointed at
    assert "({ colour }) => `--${colour}`" in text


@pytest.mark.parametrize("scheme", SCHEMES)
def test_ages_grow_darker_with_every_step(scheme: str) -> None:
    colours = palette(scheme)
    light = [seen(colours[f"age-{age}"])[0] for age in ORDERED]
    assert light == sorted(light, reverse=True)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_marks_stand_out_from_what_they_are_drawn_on(scheme: str) -> None:
    colours = palette(scheme)
    marks = [*SERIES, *(f"age-{age}" for age in AGES), *(f"{tone}-dot" for tone in STATUSES)]
    drawn = [(mark, on) for mark in marks for on in ("surface", "bg")]
    drawn += [(f"{tone}-dot", f"{tone}-soft") for tone in STATUSES]
    faint = [
        (mark, on, round(contrast(colours[mark], colours[on]), 2))
        for mark, on in drawn
        if contrast(colours[mark], colours[on]) < 3
    ]
    assert faint == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_words_are_read_on_everything_they_stand_on(scheme: str) -> None:
    colours = palette(scheme)
    written = [
        (words, on)
        for words in ("text", "text-2", "text-3", "accent-text")
        for on in ("bg", "surface")
    ]
    written += [(tone, on) for tone in STATUSES for on in (f"{tone}-soft", "surface")]
    written += [("on-accent", "accent"), ("chart-text", "surface"), ("text-2", "surface-2")]
    faint = [
        (words, on, round(contrast(colours[words], colours[on]), 2))
        for words, on in written
        if contrast(colours[words], colours[on]) < 4.5
    ]
    assert faint == []


@pytest.mark.parametrize(
    ("one", "other", "published"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ],
)
def test_distances_are_those_that_were_published_with_the_formula(
    one: tuple[float, float, float], other: tuple[float, float, float], published: float
) -> None:
    assert distance(one, other) == pytest.approx(published, abs=0.0001)


def test_red_and_green_of_one_lightness_are_the_same_to_who_cannot_tell_them() -> None:
    red, green = "#b8650b", "#8a7a0d"
    assert apart(red, green) > 15
    assert apart(red, green, "deuteranopia") < 5
