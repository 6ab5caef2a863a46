"""Cron patterns with seconds, as Core reads them with croner: ``sec min hour day month weekday [year]``."""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

_NICKNAMES = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_YEARS = (1, 5000)
_SEARCHED_DAYS = 366 * 100


class CronError(ValueError):
    """The text is no pattern; the message is croner's."""


@dataclass(frozen=True, slots=True)
class Cron:
    """One pattern; days match when day of the month **and** weekday do, which is how Core has set up croner.

    ``nth`` are weekdays with their number in the month (``MON#1``), 0 meaning the last (``MON#L``).
    """

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    last_day: bool
    months: frozenset[int]
    weekdays: frozenset[int]
    nth: frozenset[tuple[int, int]]
    years: frozenset[int] | None

    def next_after(self, moment: datetime) -> datetime | None:
        """The first match later than a moment, in its time zone; None when there is none in the next hundred years."""
        start = (moment + timedelta(seconds=1)).replace(microsecond=0)
        for days in range(_SEARCHED_DAYS):
            day = start.date() + timedelta(days=days)
            if self._runs_on(day):
                for clock in self._times():
                    found = _at(day, clock, moment.tzinfo)
                    if found >= start:
                        return found
        return None

    def _runs_on(self, day: date) -> bool:
        if day.month not in self.months or (self.years is not None and day.year not in self.years):
            return False
        length = monthrange(day.year, day.month)[1]
        if day.day not in self.days and not (self.last_day and day.day == length):
            return False
        weekday = day.isoweekday() % 7
        number = (day.day + 6) // 7
        last = day.day + 7 > length
        return weekday in self.weekdays or (weekday, number) in self.nth or (last and (weekday, 0) in self.nth)

    def _times(self) -> Iterator[time]:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                for second in sorted(self.seconds):
                    yield time(hour, minute, second)


def _at(day: date, clock: time, zone: tzinfo | None) -> datetime:
    return datetime.combine(day, clock, zone)


def parse_cron(text: str) -> Cron:
    """The pattern that a text is; raises CronError."""
    fields = _NICKNAMES.get(text.strip().lower(), text).upper().split()
    if len(fields) not in (6, 7):
        raise CronError(
            "Invalid pattern: Pattern must have 6 or 7 fields when seconds are required and years are optional."
        )
    days = [part for part in fields[3].split(",") if part != "L"]
    plain, nth = _weekday_parts(fields[5])
    return Cron(
        seconds=_numbers(fields[0], 0, 59),
        minutes=_numbers(fields[1], 0, 59),
        hours=_numbers(fields[2], 0, 23),
        days=_numbers(",".join(days), 1, 31) if days else frozenset(),
        last_day=len(days) < len(fields[3].split(",")),
        months=_numbers(fields[4], 1, 12, _MONTHS),
        weekdays=frozenset(day % 7 for day in _numbers(plain, 0, 7, _WEEKDAYS)) if plain else frozenset(),
        nth=nth,
        years=None if len(fields) == 6 or fields[6] in ("*", "?") else _numbers(fields[6], *_YEARS),
    )


def _weekday_parts(field: str) -> tuple[str, frozenset[tuple[int, int]]]:
    plain: list[str] = []
    nth: set[tuple[int, int]] = set()
    for part in field.split(","):
        day, mark, number = part.partition("#")
        if not mark:
            plain.append(part)
            continue
        if number != "L" and not re.fullmatch("[1-5]", number):
            raise CronError("Component error: Nth specifier out of bounds.")
        which = 0 if number == "L" else int(number)
        nth |= {(weekday % 7, which) for weekday in _numbers(day, 0, 7, _WEEKDAYS)}
    return ",".join(plain), frozenset(nth)


def _numbers(field: str, lowest: int, highest: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """The numbers that a field stands for: lists of numbers, names, ranges and steps."""
    found: set[int] = set()
    for part in field.split(","):
        base, slash, step_text = part.partition("/")
        if slash and (not step_text.isdecimal() or int(step_text) == 0):
            raise CronError("Component error: Invalid step syntax.")
        first, dash, last = base.partition("-")
        if base in ("*", "?"):
            start, end = lowest, highest
        else:
            start = _number(first, lowest, highest, names)
            end = _number(last, lowest, highest, names) if dash else highest if slash else start
        if end < start:
            raise CronError("Component error: Range start must be less than or equal to its end.")
        found.update(range(start, end + 1, int(step_text) if slash else 1))
    return frozenset(found)


def _number(text: str, lowest: int, highest: int, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + lowest
    if not text.isdecimal():
        raise CronError("Component error: Invalid number.")
    if not lowest <= int(text) <= highest:
        raise CronError("Component error: Number out of bounds.")
    return int(text)
