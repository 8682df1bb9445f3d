"""`python -m demo`: the whole portal on this machine."""

import sys

from demo.supervisor import Supervisor

if __name__ == "__main__":
    sys.exit(Supervisor().run())
