"""Executions of several resources at once, which a pattern means: each is one execution of its own."""

import re
from collections.abc import Sequence
from fnmatch import translate
from typing import TYPE_CHECKING

from homeops.lab.core.dispatch import answers
from homeops.lab.core.executions import KINDS, start
from homeops.lab.core.komodo_types import split_texts
from homeops.lab.core.references import permitted
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.resource_queries import found_by_name
from homeops.lab.core.state import Document
from homeops.lab.core.wide_query import wide_query

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


def matching(names: Sequence[str], pattern: str) -> set[str]:
    """The names that a pattern means: wildcards, or a regex between backslashes; several split by commas or lines."""
    found: set[str] = set()
    for part in split_texts(pattern):
        if len(part) > 1 and part.startswith("\\") and part.endswith("\\"):
            try:
                expression = re.compile(part[1:-1])
            except re.error as reason:
                raise Refusal("Regex matching string invalid", [str(reason)]) from reason
            found |= {name for name in names if expression.search(name)}
        else:
            wildcard = re.compile(translate(part.replace("[", "[[]")))
            found |= {name for name in names if wildcard.match(name)}
    return found


def batch_targets(core: "Core", caller: Document, kind: str, params: Document) -> list[str]:
    """The names of the resources that a batch means, of those that the caller may execute."""
    query = wide_query(tags=params.get("tags", ()))
    found = [
        document["name"]
        for document in found_by_name(core, kind, query)
        if _executable(core, caller, kind, document["_id"]["$oid"])
    ]
    wanted = matching(found, params["pattern"])
    return [name for name in found if name in wanted]


def _executable(core: "Core", caller: Document, kind: str, resource_id: str) -> bool:
    try:
        permitted(core, caller, kind, resource_id, "Execute")
    except Refusal:
        return False
    return True


BATCHES = {
    "BatchDeployStack": "DeployStack",
    "BatchDeployStackIfChanged": "DeployStackIfChanged",
    "BatchPullStack": "PullStack",
    "BatchDestroyStack": "DestroyStack",
    "BatchDeploy": "Deploy",
    "BatchDestroyDeployment": "DestroyDeployment",
    "BatchRunBuild": "RunBuild",
    "BatchCloneRepo": "CloneRepo",
    "BatchPullRepo": "PullRepo",
    "BatchBuildRepo": "BuildRepo",
    "BatchRunProcedure": "RunProcedure",
    "BatchRunAction": "RunAction",
}
DEFAULTS: dict[str, Document] = {
    "DeployStack": {"services": [], "stop_time": None},
    "DeployStackIfChanged": {"stop_time": None},
    "PullStack": {"services": []},
    "RestartStack": {"services": []},
    "DestroyStack": {"services": [], "remove_orphans": False, "stop_time": None},
    "Deploy": {"stop_signal": None, "stop_time": None},
    "DestroyDeployment": {"signal": None, "time": None},
    "RunAction": {"args": None},
}
"""The parameters of executions that are started from within, apart from their target."""


def _register_batch(request: str, single: str) -> None:
    def handler(core: "Core", caller: Document, params: Document) -> list[Document]:
        kind = KINDS[single]
        items: list[Document] = []
        for name in batch_targets(core, caller, kind.kind, params):
            try:
                started = start(core, caller, single, DEFAULTS.get(single, {}) | {kind.key: name})
                items.append({"status": "Ok", "data": started})
            except Refusal as reason:
                error = {"error": reason.error, "trace": reason.trace}
                items.append({"status": "Err", "data": {"name": name, "error": error}})
        return items

    answers("execute", request)(handler)


for _request, _single in BATCHES.items():
    _register_batch(_request, _single)
