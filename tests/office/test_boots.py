"""The office's side of boots: inventory, codes, putting on, bringing back; and who may do what."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.roles import APPEALS_OFFICER, CASHIER
from boots.models import Boot, Booting, BootPhoto, BootPicture, BootPolicy, BootStatus, Ending
from boots.services.codes import read_code
from boots.services.files import keep_photos
from boots.services.returning import lose_from_shelf
from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from payments.models import Deposit, DepositStatus, Refund
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.boots import (
    TWENTY,
    let_pass,
    make_boot,
    make_booting,
    make_picture,
    make_released,
    set_policy,
    take_steps,
)
from tests.factories.payments import offer_method
from tests.factories.violations import make_offence, make_ticket, picture_file

pytestmark = pytest.mark.django_db
LIST = reverse("admin:boots_booting_changelist")


@pytest.fixture(autouse=True)
def policy() -> None:
    offer_method("demo-bank", is_for_guests=True)
    set_policy(deposit=TWENTY)


def of_boot(name: str, boot: Boot) -> str:
    return reverse(f"admin:boots_boot_{name}", args=[boot.pk])


def of_booting(name: str, booting: Booting) -> str:
    return reverse(f"admin:boots_booting_{name}", args=[booting.pk])


def picture(name: str = "wheel.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture_file().checked.content.read(), "image/jpeg")


# Inventory and codes


def test_boot_is_added_with_its_code(client_of, clerk):
    client = client_of(clerk)
    add = reverse("admin:boots_boot_add")
    assert client.get(add).status_code == 200
    response = client.post(add, {"serial": "LU-9", "code": "90 21", "note": ""})
    assert response.status_code == 422
    assert Boot.objects.count() == 0
    client.post(add, {"serial": "LU-9", "code": "9021", "note": "new"})
    boot = Boot.objects.get()
    assert (boot.serial, boot.note, read_code(boot)) == ("LU-9", "new", "9021")
    response = client.post(add, {"serial": "lu-9", "code": "9022", "note": ""})
    assert "There is a boot with this serial number already." in response.content.decode()
    assert "9022" not in response.content.decode()


def test_code_stands_in_one_answer_and_the_look_is_recorded(client_of, clerk):
    boot = make_boot("5577-K")
    client = client_of(clerk)
    look = of_boot("look", boot)
    for address in (look, of_boot("change", boot), reverse("admin:boots_boot_changelist"), of_boot("set_code", boot)):
        assert "5577-K" not in client.get(address).content.decode()
    assert not AuditEntry.objects.filter(action="boot.code_seen").exists()
    answer = client.post(look)
    assert "5577-K" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert AuditEntry.objects.get(action="boot.code_seen").actor == clerk
    assert "5577-K" not in client.get(of_boot("change", boot)).content.decode()


def test_code_is_set_and_never_shown_back(client_of, clerk):
    boot = make_boot("1111")
    client = client_of(clerk)
    response = client.post(of_boot("set_code", boot), {"code": "1111"})
    assert response.status_code == 422
    assert "1111" not in response.content.decode()
    client.post(of_boot("set_code", boot), {"code": "2222"})
    boot.refresh_from_db()
    assert read_code(boot) == "2222"


def test_sticker_is_found_by_the_scanner_and_printed(client_of, clerk):
    boot, other = make_boot(), make_boot()
    client = client_of(clerk)
    page = client.get(of_boot("sticker", boot)).content.decode()
    address = reverse("boots:sticker", args=[boot.tag])
    assert address in page
    found = client.get(reverse("admin:boots_boot_changelist"), {"q": f"https://parking.example{address}"})
    assert boot.serial in found.content.decode()
    assert of_boot("change", other) not in found.content.decode()


def test_lost_on_the_shelf_and_found(client_of, clerk):
    boot = make_boot()
    client = client_of(clerk)
    client.post(of_boot("lose", boot), {"reason": "Stolen from the van"})
    boot.refresh_from_db()
    assert (boot.status, boot.has_code) == (BootStatus.LOST, False)
    client.post(of_boot("find", boot))
    boot.refresh_from_db()
    assert boot.status == BootStatus.AVAILABLE
    client.post(of_boot("describe", boot), {"is_out_of_service": "on", "note": "Bent"})
    boot.refresh_from_db()
    assert (boot.is_out_of_service, boot.note) == (True, "Bent")


# Putting on


def test_boot_is_put_on_by_typing_both_numbers(client_of, officer, resident):
    boot, ticket = make_boot(), make_ticket(resident, offence=make_offence(is_boot_eligible=True))
    client = client_of(officer)
    typed = reverse("admin:boots_boot_put_on_typed")
    assert client.get(typed).status_code == 200
    data = {"boot": boot.serial.lower(), "ticket": ticket.full_number.lower(), "lot": "", "place": "Row C"}
    response = client.post(typed, {**data, "photos": [picture(), picture()]})
    booting = Booting.objects.get()
    assert response.url == of_booting("change", booting)
    assert (booting.boot, booting.ticket, booting.place, booting.put_on_by) == (boot, ticket, "Row C", officer)
    assert BootPhoto.objects.filter(booting=booting, moment="put_on").count() == 2
    photo = BootPhoto.objects.first()
    assert client.get(reverse("admin:boots_booting_photo", args=[photo.code])).status_code == 200
    again = client.post(typed, data)
    assert again.status_code == 422
    assert "not available" in again.content.decode()


@pytest.mark.parametrize("data", [{"boot": "none"}, {"ticket": "TT-1"}, {"boot": "", "ticket": ""}, {"boot": "\0"}])
def test_what_is_not_there_is_said(client_of, officer, resident, data):
    boot, ticket = make_boot(), make_ticket(resident, offence=make_offence(is_boot_eligible=True))
    sent = {"boot": boot.serial, "ticket": ticket.number, **data}
    response = client_of(officer).post(reverse("admin:boots_boot_put_on_typed"), sent)
    assert response.status_code == 422
    assert not Booting.objects.exists()


def test_own_ticket_is_for_a_colleague(client_of, officer):
    boot, ticket = make_boot(), make_ticket(officer, offence=make_offence(is_boot_eligible=True))
    response = client_of(officer).post(of_boot("put_on", boot), {"boot": boot.serial, "ticket": ticket.number})
    assert response.status_code == 422
    assert not Booting.objects.exists()


# Bringing back


def test_boot_comes_back_scanned_with_damage(client_of, clerk, resident):
    booting = make_released(resident)
    client = client_of(clerk)
    scan = reverse("admin:boots_booting_find_returned")
    sticker = f"https://parking.example{reverse('boots:sticker', args=[booting.boot.tag])}"
    back = client.post(scan, {"boot": sticker}).url
    assert back == of_booting("back", booting)
    assert "Your own password" in client.get(back).content.decode()
    data = {"condition": "damaged", "note": "Bent arm", "kept": "5.00", "new_code": "8181"}
    refused = client.post(back, {**data, "password": "wrong", "photos": [picture()]})
    assert refused.status_code == 422
    assert refused.content.decode().count("Please enter this again.") == 2
    assert client.post(back, {**data, "password": PASSWORD, "photos": [picture()]}).status_code == 302
    booting.refresh_from_db()
    assert (booting.ending, booting.condition, booting.ended_by) == (Ending.RETURNED, "damaged", clerk)
    assert booting.boot.status == BootStatus.AVAILABLE
    assert booting.boot.is_out_of_service
    assert read_code(booting.boot) == "8181"
    assert Refund.objects.get().amount == Decimal("15.00")
    assert Deposit.objects.get().status == DepositStatus.CLOSED
    assert BootPhoto.objects.get().moment == "return"
    page = client.get(of_booting("change", booting)).content.decode()
    assert "8181" not in page
    assert "Boot returned" in page
    assert client.post(scan, {"boot": booting.boot.serial}).status_code == 422


def test_taken_off_by_hand_and_more_time_and_lost(client_of, clerk, resident):
    client = client_of(clerk)
    on = make_booting(resident)
    assert client.post(reverse("admin:boots_booting_find_returned"), {"boot": on.boot.serial}).url == of_booting(
        "change", on
    )
    client.post(of_booting("take_off", on), {"reason": "Wrong car", "new_code": ""})
    on.refresh_from_db()
    assert (on.ending, on.boot.has_code) == (Ending.TAKEN_OFF, False)
    out = make_released(resident)
    until = timezone.localtime(out.return_by + dt.timedelta(hours=10)).strftime("%Y-%m-%dT%H:%M")
    client.post(of_booting("more_time", out), {"until": until})
    assert Message.objects.filter(template="boots/more_time").exists()
    client.post(of_booting("send_again", out))
    assert Message.objects.filter(template="boots/code").count() == 2
    why = {"reason": "He threw it into the lake"}
    # A deposit is kept with it.
    assert client.post(of_booting("lose", out), {**why, "password": "wrong"}).status_code == 422
    client.post(of_booting("lose", out), {**why, "password": PASSWORD})
    out.refresh_from_db()
    assert (out.ending, out.boot.status) == (Ending.LOST, BootStatus.LOST)


def test_only_what_is_possible_is_offered(client_of, clerk, resident):
    client = client_of(clerk)
    on, out = make_booting(resident), make_released(resident)
    page = client.get(of_booting("change", on)).content.decode()
    assert of_booting("take_off", on) in page
    assert of_booting("back", on) not in page
    page = client.get(of_booting("change", out)).content.decode()
    assert of_booting("back", out) in page
    assert of_booting("take_off", out) not in page


# Lists, figures, the rule


def test_list_names_what_is_late_and_the_first_page_counts(client_of, clerk, resident):
    set_policy(late_rule="nothing")
    on = make_booting(resident)
    late = make_released(resident)
    let_pass(late, hours=30)
    take_steps()
    client = client_of(clerk)
    page = client.get(LIST, {"queue": "late"}).content.decode()
    assert late.boot.serial in page
    assert on.boot.serial not in page
    page = client.get(LIST, {"queue": "on"}).content.decode()
    assert on.boot.serial in page
    assert late.boot.serial not in page
    assert figures(client) == {f"{LIST}": "2", f"{LIST}?queue=late": "1"}
    Booting.objects.filter(pk=late.pk).update(problem_at=timezone.now())
    assert figures(client)[f"{LIST}?queue=problem"] == "1"


def test_list_is_searched_as_numbers_are_written(client_of, clerk, resident):
    booting, other = make_booting(resident), make_booting()
    client = client_of(clerk)
    ticket, boot = booting.ticket, booting.boot
    sticker = f"https://parking.example{reverse('boots:sticker', args=[boot.tag])}"
    for typed in (ticket.number, ticket.full_number.lower(), ticket.plate, boot.serial.lower(), boot.tag, sticker):
        page = client.get(LIST, {"q": typed}).content.decode()
        assert of_booting("change", booting) in page, typed
        assert of_booting("change", other) not in page, typed


def figures(client) -> dict[str, str]:
    """Return the numbers about boots on the office's first page, by what they lead to."""
    shown = client.get(reverse("admin:index")).context["to_do"]
    return {figure.link: figure.value for figure in shown if figure.link.startswith(LIST)}


def test_lists_cost_the_same_with_three_rows(client_of, administrator, resident):
    client = client_of(administrator)
    counts = []
    for _rows in range(3):
        make_released(resident)
        make_booting(resident)
        for address in (LIST, reverse("admin:boots_boot_changelist")):
            client.get(address)
            with CaptureQueriesContext(connection) as found:
                assert client.get(address).status_code == 200
            counts.append(len(found))
    assert counts[:2] == counts[2:4] == counts[4:]


def test_rule_refuses_what_does_not_fit(client_of, administrator):
    client = client_of(administrator)
    policy = reverse("admin:boots_bootpolicy_change", args=[1])
    assert client.get(reverse("admin:boots_bootpolicy_changelist")).url == policy
    assert client.get(policy).status_code == 200
    good = {"return_hours": 24, "reminder_hours": 3, "late_rule": "nothing", "late_hours": 24, "lost_days": 14}
    good |= {"deposit": "30.00", "unpaid_above": "", "email": ""}
    for wrong, words in [
        ({"late_rule": "fine"}, "Choose the offence whose fine it is."),
        ({"late_rule": "forfeit", "deposit": ""}, "none can be kept"),
        ({"late_rule": "forfeit", "late_hours": 400}, "must be over before the boot counts as lost"),
        ({"deposit": "0"}, "Leave it empty"),
        ({"return_hours": 0}, "greater than or equal to 1"),
        ({"return_hours": 3}, "A reminder must come after the code"),
    ]:
        response = client.post(policy, {**good, **wrong})
        assert response.status_code == 200
        assert words in response.content.decode(), wrong
    assert client.post(policy, good).status_code == 302
    assert BootPolicy.objects.get().deposit == Decimal("30.00")


def test_pictures_are_added_and_deleted(client_of, administrator):
    client = client_of(administrator)
    add = reverse("admin:boots_bootpicture_add")
    assert client.post(add, {"english": "Turn", "french": "", "position": 1}).status_code == 422
    text = SimpleUploadedFile("a.jpg", b"<script>", "image/jpeg")
    assert client.post(add, {"picture": text, "position": 1}).status_code == 422
    assert client.post(add, {"picture": picture(), "english": "Turn", "position": 1}).status_code == 302
    assert str(BootPicture.objects.get().caption) == "Turn"
    made = make_picture()
    gone = reverse("admin:boots_bootpicture_delete", args=[made.pk])
    client.post(gone, {"post": "yes"})
    assert BootPicture.objects.count() == 1


# Who may


def test_each_deed_needs_its_right(client_of, resident, officer):
    boot, on, out = make_boot(), make_booting(resident), make_released(resident)
    lost = make_boot()
    lose_from_shelf(boot=lost, reason="Gone", actor=officer)
    deeds = [of_boot(name, boot) for name in ("set_code", "look", "put_on", "sticker", "describe", "lose")]
    deeds += [
        of_booting("take_off", on),
        *(of_booting(name, out) for name in ("back", "lose", "more_time", "send_again")),
    ]
    deeds += [of_boot("find", lost), reverse("admin:boots_booting_find_returned")]
    deeds += [reverse("admin:boots_boot_add"), reverse("admin:boots_boot_put_on_typed")]
    for role in (APPEALS_OFFICER, CASHIER):
        client = client_of(make_user(role=role))
        before = AuditEntry.objects.count()
        for address in deeds:
            assert client.get(address).status_code == 403, (role, address)
            assert client.post(address, {"reason": "Because"}).status_code == 403, (role, address)
        assert AuditEntry.objects.count() == before
    client = client_of(officer)
    refused = {address for address in deeds if client.get(address).status_code == 403}
    assert refused == {*(of_boot(name, boot) for name in ("set_code", "sticker", "describe")), deeds[-2]}


def test_photos_are_for_who_sees_the_boots(client_of, resident, clerk):
    booting = make_booting(resident)
    (photo,) = keep_photos(booting=booting, photos=[picture_file()], moment="put_on", actor=clerk)
    address = reverse("admin:boots_booting_photo", args=[photo.code])
    assert client_of(clerk).get(address).status_code == 200
    assert client_of(make_user(role=APPEALS_OFFICER)).get(address).status_code == 403
    assert client_of(resident).get(address).status_code == 302
