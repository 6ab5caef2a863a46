"""Maintenance windows, in which Core raises no alerts (bin/core/src/helpers/maintenance.rs)."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from homeops.lab.core.schedules import NoOccurrenceError, time_zone
from homeops.lab.core.state import Document

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def in_maintenance(windows: Iterable[Document], moment: int, zone: str) -> bool:
    """Whether one of the windows is open at a time in ms; ``zone`` is Core's own, for windows that name none."""
    return any(_open(window, moment, zone) for window in windows)


def _open(window: Document, moment: int, zone: str) -> bool:
    if not window["enabled"]:
        return False
    try:
        local = datetime.fromtimestamp(moment / 1000, UTC).astimezone(time_zone(window["timezone"] or zone))
    except NoOccurrenceError:
        return False
    if window["schedule_type"] == "Weekly" and local.weekday() != _weekday(window["day_of_week"]):
        return False
    if window["schedule_type"] == "OneTime" and local.date() != _date(window["date"]):
        return False
    return _covers(window, local.time())


def _weekday(name: str) -> int:
    """The number of a weekday; Core reads ``sunday``, ``Sun`` and ``sun``, and takes all else for Monday."""
    return next((number for number, day in enumerate(_DAYS) if name in (day, day[:3], day[:3].title())), 0)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _covers(window: Document, now: time) -> bool:
    known = window["hour"] < 24 and window["minute"] < 60
    start = time(window["hour"], window["minute"]) if known else time()
    end = (datetime.combine(date.min, start) + timedelta(minutes=window["duration_minutes"])).time()
    # A window past midnight ends on the next day, and is looked for by the time alone.
    return now >= start or now <= end if end < start else start <= now <= end
