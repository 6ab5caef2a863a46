"""Reads about the runs of Builds (api/read/build.rs)."""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import answers
from homeops.lab.core.references import permitted
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_DAYS = 30


@answers("read", "GetBuildMonthlyStats")
def get_build_monthly_stats(core: "Core", _caller: Document, params: Document) -> Any:
    """How many Builds ran and for how many hours, by day; a page is 30 days, the first ends with today."""
    today = core.now() - core.now() % _DAY_MS
    first = today - (params["page"] * _DAYS + _DAYS - 1) * _DAY_MS
    days = [{"time": 0.0, "count": 0.0, "ts": float(first + number * _DAY_MS)} for number in range(_DAYS)]
    for update in core.state.updates.values():
        number = (update["start_ts"] - first) // _DAY_MS
        if update["operation"] == "RunBuild" and update["end_ts"] is not None and 0 <= number < _DAYS:
            days[number]["count"] += 1.0
            days[number]["time"] += (update["end_ts"] - update["start_ts"]) / _HOUR_MS
    return {
        "total_time": sum(day["time"] for day in days),
        "total_count": sum(day["count"] for day in days),
        "days": days,
    }


@answers("read", "ListBuildVersions")
def list_build_versions(core: "Core", caller: Document, params: Document) -> Any:
    """The versions that a Build has made, the newest first."""
    build = permitted(core, caller, "Build", params["build"], "Read")
    target = {"type": "Build", "id": build["_id"]["$oid"]}
    wanted = {part: params[part] for part in ("major", "minor", "patch") if params[part] is not None}
    found = [
        {"version": dict(update["version"]), "ts": update["start_ts"]}
        for update in reversed(core.state.updates.values())
        if update["operation"] == "RunBuild"
        and update["target"] == target
        and update["status"] == "Complete"
        and update["success"]
        and any(update.get("version", {}).values())
        and wanted.items() <= update["version"].items()
    ]
    return found[: params["limit"]] if params["limit"] else found
