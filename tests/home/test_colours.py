import pytest
from hypothesis import given
from hypothesis import strategies as st

from home.colours import DARK_CARD, DARK_PAGE, LIGHT_PAGE, WHITE, contrast, dark_brand, light_brand, mix

AA = 4.5
colours = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


@given(colours)
def test_every_colour_gives_readable_text(colour):
    light, dark = light_brand(colour), dark_brand(colour)
    pairs = [(light.text, ground) for ground in (WHITE, LIGHT_PAGE, light.soft)]
    pairs += [(dark.text, ground) for ground in (DARK_CARD, DARK_PAGE, dark.soft)]
    pairs += [(light.ink, light.surface), (dark.ink, dark.surface)]
    assert [pair for pair in pairs if contrast(*pair) < AA] == []


def test_the_providers_own_colour_is_the_surface():
    assert light_brand("#ffd400").surface == "#ffd400"


def test_a_readable_colour_stays_as_it_is():
    assert light_brand("#1d4ed8").text == "#1d4ed8"


def test_contrast_of_black_and_white():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize(("share", "expected"), [(0, "#102030"), (1, "#ffffff"), (0.5, "#889098")])
def test_mix(share, expected):
    assert mix("#102030", WHITE, share) == expected
