"""What must always be true of people. Each function yields one sentence for each thing that is not."""

from collections.abc import Iterator

from django.apps import apps

from accounts.models import AccountDocument, DocumentRequest, RequestStatus
from accounts.person_parts import all_parts
from accounts.services.documents import FOLDER
from opscom.core.sweeping import stored_files


def check_people() -> Iterator[str]:
    """Yield everything that still belongs to a record which was merged into another one."""
    for column in sorted(column for part in all_parts() for column in part.moves):
        label, _dot, name = column.rpartition(".")
        model = apps.get_model(label)
        left = model._default_manager.filter(**{f"{name}__merged_into__isnull": False})
        for row in left.iterator():
            yield f"{column} of {row.pk} points at a record that was merged."


def check_documents() -> Iterator[str]:
    """Yield every document whose file is gone, and every request that is to be looked at with nothing to see."""
    living = AccountDocument.objects.living().order_by("pk")
    # The rows first: a file that is being stored meanwhile has no row yet, never the other way round.
    rows = list(living.values_list("code", "file"))
    files = set(stored_files(FOLDER))
    for code, file in rows:
        if file not in files:
            yield f"The file of document {code} is gone."
    empty = DocumentRequest.objects.filter(status=RequestStatus.SENT).exclude(documents__in=living)
    for request in empty.order_by("pk"):
        yield f"Document request {request.code} is to be looked at, and nothing is there."
