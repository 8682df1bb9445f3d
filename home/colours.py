"""From the provider's one colour, the few that the pages need, each readable in light and in dark (WCAG AA)."""

from dataclasses import dataclass

from opscom.core.colours import BLACK, WHITE, contrast, mix, readable_on

# The grounds on which coloured text stands; they mirror the tokens of static/css/portal.css.
LIGHT_PAGE, DARK_PAGE, DARK_CARD = "#f4f6fb", "#0b1220", "#121c31"


@dataclass(frozen=True, slots=True)
class Brand:
    """Colours of one theme: surface, ink upon it, text on page and card, and the soft ground of tags."""

    surface: str
    ink: str
    text: str
    soft: str


def light_brand(colour: str) -> Brand:
    """Return the colours for the light theme; the surface is the provider's colour itself."""
    soft = mix(colour, WHITE, 0.9)
    ink = max(WHITE, BLACK, key=lambda candidate: contrast(candidate, colour))
    return Brand(colour, ink, readable_on(colour, [WHITE, LIGHT_PAGE, soft], BLACK), soft)


def dark_brand(colour: str) -> Brand:
    """Return the colours for the dark theme: one lighter shade serves as surface and as text."""
    soft = mix(colour, DARK_CARD, 0.82)
    text = readable_on(colour, [DARK_PAGE, DARK_CARD, soft], WHITE)
    return Brand(text, DARK_PAGE, text, soft)
