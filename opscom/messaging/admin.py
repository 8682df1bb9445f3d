"""The office's view of the outbox, and its own wordings."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from opscom.core.admin import SettingAdmin
from opscom.core.errors import DomainError
from opscom.messaging import placeholders, preferences, services
from opscom.messaging.categories import CODES
from opscom.messaging.forms import MessageTemplateForm
from opscom.messaging.models import EmailCategory, Message, MessageTemplate


@admin.register(Message)
class MessageAdmin(ModelAdmin):
    """Read-only: what was said is not rewritten. Secrets stand as [secret]."""

    list_display = ["to", "subject_or_name", "channel", "status", "attempts", "created_at", "sent_at"]
    list_filter = ["status", "channel", "lane", "template"]
    search_fields = ["to", "subject", "template"]
    date_hierarchy = "created_at"
    actions = ["send_again"]
    list_per_page = 50
    fields = ["to", "channel", "status", "template", "language", "category", "lane", "subject", "body"]
    fields += ["created_at", "not_before", "sent_at", "attempts", "last_error", "is_secret"]
    readonly_fields = fields

    @admin.display(description=_("subject"))
    def subject_or_name(self, message: Message) -> str:
        return message.subject or message.template

    @admin.action(description=_("Send again"), permissions=["resend"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        count = 0
        for message in queryset:
            try:
                services.send_again(message=message, actor=request.user)
                count += 1
            except DomainError as error:
                self.message_user(request, f"{message}: {error}", messages.WARNING)
        if count:
            text = ngettext("%(count)d message is on its way.", "%(count)d messages are on their way.", count)
            self.message_user(request, text % {"count": count}, messages.SUCCESS)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.change_message")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False


@admin.register(MessageTemplate)
class MessageTemplateAdmin(ModelAdmin):
    """The office's own words; an e-mail without a row here keeps the built-in ones."""

    form = MessageTemplateForm
    list_display = ["template", "subject"]
    search_fields = ["template"]
    fields = ["template", "subject", "text", "what_may_be_used"]

    def get_readonly_fields(self, request: HttpRequest, obj: MessageTemplate | None = None) -> list[str]:
        return ["what_may_be_used", *(["template"] if obj else [])]

    @admin.display(description=_("placeholders"))
    def what_may_be_used(self, wording: Any) -> str:
        if not wording or not wording.template:
            return str(_("Shown once an e-mail is chosen and saved."))
        return ", ".join(f"{{{name}}}" for name in sorted(placeholders.list_placeholders(wording.template)))


@admin.register(EmailCategory)
class EmailCategoryAdmin(SettingAdmin):
    """Kinds of mail that people may switch off, and those that they may not. The four built-in ones stay."""

    list_display = ["name", "code", "is_essential", "position"]
    fields = ["name", "description", "code", "is_essential", "position"]

    def get_readonly_fields(self, request: HttpRequest, obj: EmailCategory | None = None) -> list[str]:
        # Messages name their category by its code; `important` must stay what nobody can switch off.
        is_fixed = obj is not None and obj.code == preferences.IMPORTANT
        return [*(["code"] if obj else []), *(["is_essential"] if is_fixed else [])]

    def has_delete_permission(self, request: HttpRequest, obj: EmailCategory | None = None) -> bool:
        """A category goes only with nothing that was written in it; the list deletes nothing at all."""
        if obj is None or obj.code in CODES or Message.objects.filter(category=obj.code).exists():
            return False
        return super().has_delete_permission(request, obj)
