"""Sums with colours (#rrggbb), so that what is written in the provider's colour can be read (WCAG AA)."""

WHITE, BLACK = "#ffffff", "#000000"
# A little above AA's 4.5, so that rounding to whole colour steps cannot fall below it.
ENOUGH = 4.6


def channels(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255, of `#rrggbb`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: str) -> float:
    """Return the relative luminance by WCAG 2, 0 for black to 1 for white."""
    parts = [channel / 255 for channel in channels(colour)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def mix(colour: str, other: str, share: float) -> str:
    """Return `colour` with `share` (0 to 1) of `other` in it."""
    pairs = zip(channels(colour), channels(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def readable_on(colour: str, grounds: list[str], towards: str) -> str:
    """Return the colour nearest to `colour`, on its way to `towards`, that can be read on all the grounds."""
    for step in range(41):
        candidate = mix(colour, towards, step / 40)
        if all(contrast(candidate, ground) >= ENOUGH for ground in grounds):
            return candidate
    return towards
