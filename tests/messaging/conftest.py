"""E-mails that exist only here, so that the tests hang on no app's wording."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest

from opscom.messaging import rendering


@pytest.fixture(autouse=True)
def trial_templates(settings) -> Iterator[None]:
    """Add the templates `trial/hello` and `trial/broken`."""
    templates = deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"].append(Path(__file__).parent / "templates")
    settings.TEMPLATES = templates
    rendering._text_engine.cache_clear()
    yield
    rendering._text_engine.cache_clear()
