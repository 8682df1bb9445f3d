"""Prove the books, the numbers and the statuses; names what differs and ends with status 1 when anything does."""

from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.invariants import check_documents, check_people
from payments.invariants import check_books
from permits.invariants import check_permits


class Command(BaseCommand):
    help = "Prove the books, the permit numbers and the statuses."

    def handle(self, *args: Any, **options: Any) -> None:
        """Check everything in one snapshot, so that money that moves meanwhile is not mistaken for a fault."""
        with transaction.atomic():
            transaction.get_connection().cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            problems = list(chain(check_people(), check_documents(), check_books(), check_permits()))
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise CommandError(f"{len(problems)} rule(s) broken.")
        self.stdout.write("All rules hold.")
