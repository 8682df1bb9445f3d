"""Photos of boots, and pictures of how they come off. A file is stored before its row is written."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from accounts.models import User
from accounts.services.documents import NewDocument
from boots.models import Booting, BootPhoto, BootPicture, PhotoMoment
from opscom.core import audit
from opscom.core.sweeping import sweep_folder
from violations.services.files import model_names, store_file

FOLDERS: dict[str, Any] = {"boot-photos": BootPhoto, "boot-pictures": BootPicture}


def keep_photos(
    *, booting: Booting, photos: Sequence[NewDocument], moment: PhotoMoment, actor: User | None
) -> list[BootPhoto]:
    """Keep what was photographed, inside the caller's transaction."""
    kept = [store_file(BootPhoto(booting=booting, moment=moment, taken_by=actor), photo) for photo in photos]
    for photo in kept:
        photo.save()
    return kept


def add_picture(*, picture: NewDocument, caption: dict[str, str], position: int, actor: User) -> BootPicture:
    """Keep one more picture of how a boot comes off."""
    row: BootPicture = store_file(BootPicture(caption=caption, position=position), picture)
    row.save()
    audit.record("bootpicture.added", row, actor=actor)
    return row


def sweep_files(now: dt.datetime | None = None) -> int:
    """Delete the files that no row names; returns how many."""
    return sum(sweep_folder(folder, model_names(model), now=now) for folder, model in FOLDERS.items())
