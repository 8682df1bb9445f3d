"""Stored files that belong to no row: what killed processes left behind."""

import datetime as dt
import logging
from collections.abc import Callable, Sequence

from django.core.files.storage import default_storage
from django.utils import timezone

log = logging.getLogger(__name__)
# An upload takes minutes at the most: what has no row after a day never gets one.
ORPHAN_AGE = dt.timedelta(days=1)
SWEEP_BATCH = 500
# More than this in one sweep is not a few killed processes but the wrong database beside the right files.
MOST_ORPHANS = 200


def stored_files(folder: str) -> list[str]:
    """Return the names of all files in the folder, as rows name them."""
    try:
        _folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return []
    return [f"{folder}/{name}" for name in sorted(names)]


def sweep_folder(folder: str, kept: Callable[[Sequence[str]], set[str]], *, now: dt.datetime | None = None) -> int:
    """Delete the folder's files that no row names, once they are a day old; returns how many.

    `kept` returns those of some names that a row names.
    """
    limit = (now or timezone.now()) - ORPHAN_AGE
    paths, orphans = stored_files(folder), []
    for start in range(0, len(paths), SWEEP_BATCH):
        batch = paths[start : start + SWEEP_BATCH]
        named = kept(batch)
        orphans += [path for path in batch if path not in named and default_storage.get_modified_time(path) < limit]
    if len(orphans) > MOST_ORPHANS:
        log.error("%d files in %s belong to no row: too many to delete without being asked", len(orphans), folder)
        return 0
    for path in orphans:
        default_storage.delete(path)
    return len(orphans)
