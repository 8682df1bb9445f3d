"""`python -m demo.run_with_servers COMMAND...`: run a command with a fresh PostgreSQL and Redis in its environment."""

import os
import subprocess
import sys

from demo.scratch import scratch_servers


def main(command: list[str]) -> int:
    """Run the command and return its exit code."""
    if not command:
        raise SystemExit("usage: python -m demo.run_with_servers COMMAND...")
    with scratch_servers() as environment:
        return subprocess.run(command, env=os.environ | environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
