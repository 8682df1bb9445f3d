"""The four categories that every provider has. The office rewords them, and adds its own."""

from typing import Any

# Written in each language, because they are stored: the office changes them afterwards.
BUILT_IN: list[dict[str, Any]] = [
    {
        "code": "important",
        "is_essential": True,
        "name": {"en": "Important", "fr-ca": "Important"},
        "description": {
            "en": "What you must know about your parking: closed lots, changed rules, deadlines.",
            "fr-ca": "Ce que vous devez savoir sur votre stationnement : terrains fermés, règles modifiées, échéances.",
        },
    },
    {
        "code": "promotional",
        "name": {"en": "Promotional Emails", "fr-ca": "Courriels promotionnels"},
        "description": {"en": "Offers and reduced prices.", "fr-ca": "Offres et prix réduits."},
    },
    {
        "code": "newsletter",
        "name": {"en": "Newsletter", "fr-ca": "Infolettre"},
        "description": {
            "en": "News from the parking office, a few times a year.",
            "fr-ca": "Des nouvelles du bureau du stationnement, quelques fois par année.",
        },
    },
    {
        "code": "product-updates",
        "name": {"en": "Product Updates", "fr-ca": "Nouveautés du portail"},
        "description": {
            "en": "What is new in this portal.",
            "fr-ca": "Ce qui est nouveau dans ce portail.",
        },
    },
]
CODES = frozenset(words["code"] for words in BUILT_IN)
