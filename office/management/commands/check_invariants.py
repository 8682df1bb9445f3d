"""Prove the books, the numbers and the statuses; names what differs and ends with status 1 when anything does."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from office.proving import find_problems


class Command(BaseCommand):
    help = "Prove the books, the permit numbers and the statuses."

    def handle(self, *args: Any, **options: Any) -> None:
        problems = find_problems()
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise CommandError(f"{len(problems)} rule(s) broken.")
        self.stdout.write("All rules hold.")
