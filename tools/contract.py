"""Write the table of gateways and abilities, from the tests that prove them: `python -m tools.contract`."""

import os

import django


def main() -> None:
    """Read the tests and write the page."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opscom.settings_test")
    django.setup()
    from tests.gateways import contract, test_contract  # noqa: PLC0415 - they need the settings

    contract.PAGE.write_text(contract.draw_table())
    print(f"{len(contract.ABILITIES)} abilities, from {test_contract.__name__}, in {contract.PAGE.name}")


if __name__ == "__main__":
    main()
