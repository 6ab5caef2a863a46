"""``ListSchedules`` (api/read/schedule.rs)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import answers
from homeops.lab.core.list_items import list_items
from homeops.lab.core.resource_lists import page_of, visible
from homeops.lab.core.resource_queries import found_by_name
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


@answers("read", "ListSchedules")
def list_schedules(core: "Core", caller: Document, params: Document) -> Any:
    """All Procedures and Actions that have a schedule, also those in which it is switched off."""
    query: Document = {
        "names": [],
        "terms": params["terms"],
        "tags": params["tags"],
        "tag_behavior": params["tag_behavior"],
        "templates": "Include",
        "specific": {"scheduled": True},
    }
    schedules: list[Document] = []
    for kind in ("Action", "Procedure"):
        documents = visible(core, caller, kind, found_by_name(core, kind, query))
        for document, item in zip(documents, list_items(core, kind, documents), strict=True):
            config, info = document["config"], item["info"]
            schedules.append(
                {
                    "target": {"type": kind, "id": item["id"]},
                    "name": item["name"],
                    "enabled": config["schedule_enabled"],
                    "schedule_format": config["schedule_format"],
                    "schedule": config["schedule"],
                    "schedule_timezone": config["schedule_timezone"],
                    "tags": item["tags"],
                    "last_run_at": info["last_run_at"],
                    "next_scheduled_run": info["next_scheduled_run"],
                    "schedule_error": info["schedule_error"],
                }
            )
    schedules.sort(key=_SORTS[params["sort_by"]], reverse=params["sort_desc"])
    return page_of(core, params, schedules)


_SORTS: dict[str, Callable[[Document], Any]] = {
    "Name": lambda schedule: schedule["name"],
    "Schedule": lambda schedule: (schedule["schedule"], schedule["name"]),
    "NextRun": lambda schedule: (
        schedule["next_scheduled_run"] is None,
        schedule["next_scheduled_run"] or 0,
        schedule["name"],
    ),
    "Enabled": lambda schedule: (schedule["enabled"], schedule["name"]),
}
