"""Write the table of gateways and abilities, from the tests that prove them: `python -m tools.contract`."""

import os
from importlib import import_module

import django


def main() -> None:
    """Read the tests and write the page."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opscom.settings_test")
    django.setup()
    import_module("tests.gateways.test_contract")
    contract = import_module("tests.gateways.contract")
    contract.PAGE.write_text(contract.draw_table())
    print(f"{len(contract.ABILITIES)} abilities in {contract.PAGE.name}")


if __name__ == "__main__":
    main()
