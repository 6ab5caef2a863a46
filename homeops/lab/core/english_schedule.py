"""Schedules in English words: the cron pattern that Core makes of them (what english-to-cron understands of them).

Words that mean nothing are passed over, so ``tomorrow`` is every minute: only a text without any known word is refused.
"""

import re
from dataclasses import dataclass, field

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_DAY_NAMES = "monday|tuesday|wednesday|thursday|friday|saturday|sunday|weekend|mon|tue|wed|thu|fri|sat|sun"
_MONTH_NAMES = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept|oct|nov|dec"
)
_TOKEN = re.compile(
    rf"""(?P<second>seconds?|secs?)
    |(?P<hour>hours?|hrs?)
    |(?P<minute>minutes?|mins?)
    |(?P<month>months?)
    |(?P<months>(?:(?:{_MONTH_NAMES})(?:\ ?and)?,?\ ?)+)
    |(?P<ordinal>[0-9]+(?:th|nd|rd|st))
    |(?P<clock>(?:[0-9]+:)?[0-9]+\ ?(?:am|pm)|[0-9]+:[0-9]+|noon|midnight)
    |(?P<day>days?)
    |(?P<weekdays>(?:(?:{_DAY_NAMES})(?:\ ?and)?,?\ ?)+)
    |(?P<number>[0-9]+)
    |(?P<end>to|through|ending|end|and)
    |(?P<start>between|starting|start)""",
    re.IGNORECASE | re.VERBOSE,
)


class EnglishError(ValueError):
    """The text cannot be read; the message is the error as Rust prints it."""


@dataclass
class _Reading:
    """The fields so far, and what was read and still waits for the word that it belongs to."""

    seconds: str = "0"
    minutes: str = "*"
    hours: str = "*"
    days: str = "*"
    months: str = "*"
    weekdays: str = "?"
    number: str | None = None
    ordinals: list[str] = field(default_factory=list[str])
    between: bool = False
    connected: bool = False
    last: tuple[str, str] = ("", "")

    def pattern(self) -> str:
        return " ".join((self.seconds, self.minutes, self.hours, self.days, self.months, self.weekdays))


def english_to_cron(text: str) -> str:
    """The cron pattern of six fields for a text: ``0 0 3 */1 * ?`` for ``every day at 3 am``. Raises EnglishError."""
    reading = _Reading()
    found = False
    for match in _TOKEN.finditer(text):
        found = True
        kind = str(match.lastgroup)
        _WORDS[kind](reading, match.group().strip().lower())
        reading.connected = kind == "end"
    if not found:
        raise EnglishError("InvalidInput")
    return reading.pattern()


def _take(reading: _Reading) -> str | None:
    number, reading.number = reading.number, None
    return number


def _second(reading: _Reading, _word: str) -> None:
    number = _take(reading)
    reading.seconds = f"0/{number}" if number else "*"


def _minute(reading: _Reading, _word: str) -> None:
    number = _take(reading)
    if number:
        reading.minutes = f"0/{number}"


def _hour(reading: _Reading, _word: str) -> None:
    number = _take(reading)
    reading.minutes = "0"
    if number:
        reading.hours = f"0/{number}"


def _day(reading: _Reading, _word: str) -> None:
    number = _take(reading)
    reading.weekdays = "?"
    reading.minutes = "0" if reading.minutes == "*" else reading.minutes
    reading.hours = "0" if reading.hours == "*" else reading.hours
    if reading.ordinals:
        reading.days = ",".join(reading.ordinals)
        reading.ordinals.clear()
    else:
        reading.days = f"*/{number or 1}"


def _month(reading: _Reading, _word: str) -> None:
    number = _take(reading)
    if reading.ordinals:
        reading.days = ",".join(reading.ordinals)
        reading.ordinals.clear()
    elif number:
        reading.months = number


def _month_names(reading: _Reading, words: str) -> None:
    names = _known(words, _MONTHS)
    if reading.connected and reading.last[0] == "months":
        reading.months = f"{reading.last[1]}-{names[0]}"
    else:
        reading.months = ",".join(names)
    reading.last = ("months", names[0])
    if reading.ordinals:
        reading.days = ",".join(reading.ordinals)
        reading.ordinals.clear()


def _weekday_names(reading: _Reading, words: str) -> None:
    names = _known(words, _WEEKDAYS)
    if "weekend" in words:
        names = [name for name in _WEEKDAYS if name in {*names, "SAT", "SUN"}]
    if reading.connected and reading.last[0] == "weekdays":
        reading.weekdays = f"{reading.last[1]}-{names[0]}"
    else:
        reading.weekdays = ",".join(names)
    reading.last = ("weekdays", names[0])
    reading.days = "?"


def _known(words: str, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if re.search(rf"\b{name}", words, re.IGNORECASE)]


def _clock(reading: _Reading, word: str) -> None:
    hour, minute = _clock_time(word)
    if reading.connected and reading.between and reading.last[0] == "clock":
        reading.hours = f"{reading.last[1]}-{hour}"
        return
    reading.last = ("clock", str(hour))
    if not reading.between:
        reading.hours, reading.minutes = str(hour), str(minute)


def _clock_time(word: str) -> tuple[int, int]:
    if word in ("noon", "midnight"):
        return (12 if word == "noon" else 0), 0
    hour_text, _colon, minute_text = word.rstrip("apm ").partition(":")
    hour, minute = int(hour_text), int(minute_text or 0)
    if minute >= 60:
        raise _incorrect(f"minute {minute} should be lower or equal to 60")
    for half in ("am", "pm"):
        if word.endswith(half):
            if hour > 12:
                raise _incorrect(f"please correct the time before {half.upper()}. value: {hour}")
            hour = hour % 12 + (12 if half == "pm" else 0)
    return hour, minute


def _incorrect(error: str) -> EnglishError:
    return EnglishError(f'IncorrectValue {{ state: "clock_time", error: "{error}" }}')


def _ordinal(reading: _Reading, word: str) -> None:
    reading.ordinals.append(word[:-2])


def _number(reading: _Reading, word: str) -> None:
    reading.number = word


def _start(reading: _Reading, word: str) -> None:
    reading.between = word == "between"


def _end(_reading: _Reading, _word: str) -> None:
    """What follows ends a range; ``english_to_cron`` remembers that it was said."""


_WORDS = {
    "second": _second,
    "minute": _minute,
    "hour": _hour,
    "day": _day,
    "month": _month,
    "months": _month_names,
    "weekdays": _weekday_names,
    "clock": _clock,
    "ordinal": _ordinal,
    "number": _number,
    "start": _start,
    "end": _end,
}
