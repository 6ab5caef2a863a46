"""What the schedules of Procedures and Actions mean."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeops.lab.core.cron import Cron, CronError, parse_cron
from homeops.lab.core.english_schedule import EnglishError, english_to_cron
from homeops.lab.core.maintenance import in_maintenance

MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))

PHRASES = {
    "every 15 seconds": "0/15 * * * * ?",
    "Every 15 minutes": "0 0/15 * * * ?",
    "Run every minute": "0 * * * * ?",
    "Run every 3 hours": "0 0 0/3 * * ?",
    "every day at 4:00 pm": "0 0 16 */1 * ?",
    "every day at 3am": "0 0 3 */1 * ?",
    "Every day at 01:00": "0 0 1 */1 * ?",
    "every 5 day at 4:30 pm": "0 30 16 */5 * ?",
    "Run every 4 days": "0 0 0 */4 * ?",
    "At midnight": "0 0 0 * * ?",
    "Run at noon every Sunday": "0 0 12 ? * SUN",
    "Every Sunday at 04:30": "0 30 4 ? * SUN",
    "7pm every Thursday": "0 0 19 ? * THU",
    "Run every 2 second on Monday thursday": "0/2 * * ? * MON,THU",
    "Run at 6:00 pm every Monday through Friday": "0 0 18 ? * MON-FRI",
    "Run every hour only on weekends": "0 0 * ? * SAT,SUN",
    "Run every 5 minutes Monday through Thursday between 6:00 am and 9:00 am": "0 0/5 6-9 ? * MON-THU",
    "Run at midnight on the 1st and 15th of the month": "0 0 0 1,15 * ?",
    "Run every 2nd day of the month": "0 0 0 2 * ?",
    "Run every day from January to March": "0 0 0 */1 JAN-MAR ?",
    "every 5 day at 4:30 pm only in September": "0 30 16 */5 SEP ?",
    "Every day at 25:00": "0 0 25 */1 * ?",
    "tomorrow": "0 * * * * ?",
}


@pytest.mark.parametrize("phrase", PHRASES)
def test_english_becomes_the_pattern_that_core_makes_of_it(phrase: str) -> None:
    assert english_to_cron(phrase) == PHRASES[phrase]


def test_words_without_meaning_are_refused_and_wrong_times_are_named() -> None:
    with pytest.raises(EnglishError, match="InvalidInput"):
        english_to_cron("nonsense words")
    with pytest.raises(EnglishError, match=r"please correct the time before PM\. value: 13"):
        english_to_cron("every day at 13 pm")


def agrees(cron: Cron, moment: datetime) -> bool:
    """Whether a moment matches, said without the search."""
    weekday = moment.isoweekday() % 7
    return (
        moment.second in cron.seconds
        and moment.minute in cron.minutes
        and moment.hour in cron.hours
        and moment.month in cron.months
        and moment.day in cron.days
        and weekday in cron.weekdays
    )


@given(
    moment=MOMENTS,
    pattern=st.sampled_from(["*/7 * * * * *", "0 */20 3-5 * * *", "30 15 10 1,15 * ?", "0 0 1 ? FEB MON-FRI"]),
)
def test_the_next_run_is_the_first_match_after_the_moment(moment: datetime, pattern: str) -> None:
    cron = parse_cron(pattern)
    found = cron.next_after(moment)
    assert found is not None
    assert found > moment
    assert agrees(cron, found)
    assert not any(
        agrees(cron, found - timedelta(seconds=back)) and found - timedelta(seconds=back) > moment
        for back in range(1, 600)
    )


@given(moment=MOMENTS)
def test_the_last_day_and_the_first_monday_are_what_they_say(moment: datetime) -> None:
    last = parse_cron("0 0 1 L * *").next_after(moment)
    monday = parse_cron("0 0 1 ? * MON#1").next_after(moment)
    assert last is not None
    assert (last + timedelta(days=1)).day == 1
    assert monday is not None
    assert (monday.weekday(), monday.day <= 7) == (0, True)


def test_a_time_of_day_is_that_of_the_time_zone() -> None:
    berlin = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    found = parse_cron("@daily").next_after(berlin)
    assert found is not None
    assert found.astimezone(UTC) == datetime(2026, 7, 1, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "pattern", ["0 1 * * *", "61 0 1 * * *", "nonsense", "0 0 1 * * * 9999", "0 0 1 */0 * *", "0 0 1 * * MON#6"]
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(CronError):
        parse_cron(pattern)


def test_a_year_that_is_over_never_comes() -> None:
    assert parse_cron("0 0 1 * * * 2020").next_after(datetime(2026, 1, 1, tzinfo=UTC)) is None


def window(**changes: Any) -> dict[str, Any]:
    """An enabled daily window of an hour from 03:00 in UTC, with some fields changed."""
    plain = {"name": "w", "enabled": True, "schedule_type": "Daily", "day_of_week": "", "date": "", "timezone": "UTC"}
    return plain | {"hour": 3, "minute": 0, "duration_minutes": 60} | changes


@pytest.mark.parametrize(
    ("clock", "changes", "open_"),
    [
        ("2026-01-05T03:30", {}, True),
        ("2026-01-05T04:30", {}, False),
        ("2026-01-05T03:30", {"enabled": False}, False),
        ("2026-01-05T02:30", {"timezone": "Europe/Berlin"}, True),
        ("2026-01-05T03:30", {"timezone": "Mars/Base"}, False),
        ("2026-01-05T03:30", {"schedule_type": "Weekly", "day_of_week": "mon"}, True),
        ("2026-01-05T03:30", {"schedule_type": "Weekly", "day_of_week": "Sun"}, False),
        ("2026-01-05T03:30", {"schedule_type": "OneTime", "date": "2026-01-05"}, True),
        ("2026-01-05T03:30", {"schedule_type": "OneTime", "date": "soon"}, False),
        ("2026-01-05T00:10", {"hour": 23, "minute": 30}, True),
    ],
)
def test_a_maintenance_window_is_open_in_its_own_time(clock: str, changes: dict[str, Any], open_: bool) -> None:
    moment = int(datetime.fromisoformat(f"{clock}+00:00").timestamp() * 1000)
    assert in_maintenance([window(**changes)], moment, "") == open_
