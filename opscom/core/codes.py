"""Public codes: what a person types, reads out or finds in an address. Never a row id, never a sequence."""

import secrets

# No 0/O, 1/I/L, 2/Z, 5/S, 8/B: codes are read from paper and over the telephone.
ALPHABET = "34679ACDEFGHJKMNPQRTUVWXY"


def make_code(length: int = 10) -> str:
    """Return a random code; ten characters are about 46 bits, too many to walk through behind our throttles."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def clean_code(text: str) -> str:
    """Return what a person typed as the code is stored: upper case, without spaces and dashes."""
    return "".join(character for character in text.upper() if character.isalnum())
