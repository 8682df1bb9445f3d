"""What the office changes about the provider, and what people agree to."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from opscom.core import audit
from opscom.core.errors import Stale
from opscom.core.hooks import after_commit
from opscom.provider.models import Agreement, Disclaimer, Provider
from opscom.provider.selectors import current_disclaimer, forget_cached


@transaction.atomic
def save_provider(*, provider: Provider, actor: Any, changed: list[str] | None = None) -> Provider:
    """Save the provider's row and have every process read it anew; `changed` names the fields, for the log."""
    provider.pk = 1
    provider.save()
    audit.record("provider.changed", provider, actor=actor, changed=changed or [])
    forget_on_commit()
    return provider


def forget_on_commit() -> None:
    """Have every process read the provider and its holidays anew once this transaction is committed."""
    after_commit(forget_cached)


@transaction.atomic
def save_disclaimer(*, disclaimer: Disclaimer, text: Mapping[str, str], actor: Any) -> Disclaimer:
    """Give the disclaimer this text; a changed text is a new version, to which everyone is asked to agree again."""
    row = Disclaimer.objects.select_for_update(no_key=True).get(pk=disclaimer.pk)
    if dict(row.text) != dict(text):
        row.text, row.version = dict(text), row.version + 1
        row.save()
        audit.record("disclaimer.changed", row, actor=actor, version=row.version)
    return row


@transaction.atomic
def agree_to_disclaimer(*, user: Any, kind: str, text: str, version: int) -> Agreement:
    """Note that this person agreed to that version, with the text as it stood on the screen; a second time changes nothing.

    Raises Stale when the office has changed the text since it was shown.
    """
    disclaimer = current_disclaimer(kind)
    if disclaimer is None or disclaimer.version != version:
        raise Stale(_("The text has changed since you opened this page. Please read it again."))
    agreement, made = Agreement.objects.get_or_create(user=user, kind=kind, version=version, defaults={"text": text})
    if made:
        audit.record("disclaimer.agreed", disclaimer, actor=user, version=version)
    return agreement
