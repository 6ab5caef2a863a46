"""When Procedures and Actions run by themselves (bin/core/src/schedule.rs)."""

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from homeops.lab.core.cron import CronError, parse_cron
from homeops.lab.core.english_schedule import EnglishError, english_to_cron
from homeops.lab.core.executions_logs import error_text
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


class NoOccurrenceError(ValueError):
    """A schedule that never comes; the arguments are the error and its cause, as Core tells them."""


def next_run(core: "Core", document: Document, after: int | None = None) -> tuple[int | None, str | None]:
    """When a Procedure or Action runs next after a time in ms (None: now), or why it never does, as it is shown.

    Neither for one without a schedule, and for one whose schedule is switched off.
    """
    config = document["config"]
    if not config["schedule_enabled"] or not config["schedule"]:
        return None, None
    moment = core.now() if after is None else after
    try:
        found = _next(config, moment, config["schedule_timezone"] or core.settings.timezone)
    except NoOccurrenceError as reason:
        error, *trace = reason.args
        return None, error_text(str(error), [str(cause) for cause in trace])
    return found, None


def _next(config: Document, moment: int, zone_name: str) -> int:
    text: str = config["schedule"]
    refusal = "Invalid CRON schedule"
    if config["schedule_format"] == "English":
        try:
            text = english_to_cron(text)
        except EnglishError as reason:
            raise NoOccurrenceError(f"Failed to parse english to cron | {reason}") from reason
        refusal = f"English expression produced invalid CRON schedule | produced: {text}"
    try:
        cron = parse_cron(text)
    except CronError as reason:
        raise NoOccurrenceError(refusal, str(reason)) from reason
    now = datetime.fromtimestamp(moment / 1000, UTC).astimezone(time_zone(zone_name))
    found = cron.next_after(now)
    if found is None:
        raise NoOccurrenceError("Failed to find next run time", "CronScheduler time search limit exceeded.")
    return int(found.timestamp() * 1000)


def time_zone(name: str) -> tzinfo | None:
    """A time zone by name; None, that of this machine, for an empty one. Raises NoOccurrenceError."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as reason:
        raise NoOccurrenceError("Failed to parse timezone", "failed to parse timezone") from reason
