"""Letters were printed."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from opscom.core import audit
from violations.models import Notice, NoticeWay


@transaction.atomic
def mark_printed(*, notice_ids: Collection[int], actor: User) -> int:
    """Note that these letters were printed; those that were before are left as they are. Returns how many are new."""
    waiting = Notice.objects.filter(pk__in=notice_ids, way=NoticeWay.LETTER, printed_at=None).select_related("ticket")
    count = 0
    for notice in waiting.order_by("pk"):
        if Notice.objects.filter(pk=notice.pk, printed_at=None).update(printed_at=timezone.now(), printed_by=actor):
            audit.record("notice.printed", notice, actor=actor, kind=notice.kind)
            count += 1
    return count
