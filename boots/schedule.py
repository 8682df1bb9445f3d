"""When what is done about a boot that is out: reminder, overdue, fine or forfeit, lost. Pure: no database, no clock."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from boots.models import Booting, LateRule


class StepKind(StrEnum):
    REMIND = "remind"
    OVERDUE = "overdue"
    PUNISH = "punish"
    LOSE = "lose"


@dataclass(frozen=True, slots=True)
class Step:
    """One deed, and the instant from which on it is due."""

    kind: StepKind
    at: dt.datetime


def next_step(booting: Booting) -> Step:
    """Return what is to be done next about a released boot that is not back. Each step is done once, in this order."""
    if booting.return_by is None:
        raise ValueError("The boot was not released.")
    end = booting.return_by
    if booting.reminded_at is None and booting.reminder_hours:
        return Step(StepKind.REMIND, end - dt.timedelta(hours=booting.reminder_hours))
    if booting.overdue_at is None:
        return Step(StepKind.OVERDUE, end)
    if booting.punished_at is None and booting.late_rule != LateRule.NOTHING:
        return Step(StepKind.PUNISH, end + dt.timedelta(hours=booting.late_hours))
    return Step(StepKind.LOSE, end + dt.timedelta(days=booting.lost_days))
