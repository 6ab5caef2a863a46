"""A stack that leaves its host or its compose project: its volumes stay where it was, so that has to be said.

Komodo itself takes nothing down on the host that a stack leaves: its containers would run on there, seen by nobody. A
change of the compose project is held to the same rule, because it happens without being meant: whoever takes
``renamed_from`` away and pins no ``project_name`` starts a database with an empty volume. Its old containers are taken
down by the next deploy.
"""

from collections.abc import Mapping
from typing import Any

from homeops.errors import DeployFailed, HomeopsError, Problem
from homeops.komodo import session, stacks
from homeops.komodo.props import FORMER_HOST, MOVED_FROM
from homeops.komodo.session import Core
from homeops.komodo.stacks import Tell
from homeops.model.kinds import STACK

DOWN_SECONDS = 600.0
"""How long the containers of a stack may take to stop on the host that it leaves."""


def refusal(olds: Mapping[str, Any], news: Mapping[str, Any]) -> Problem | None:
    """Why a stack must not go from one declaration to the other; None when it may.

    ``news`` may hold MOVED_FROM, the host that it may leave, and FORMER_HOST, the name that its host had. A Core that
    does not answer is no error: then nothing is known of what would stay behind.
    """
    (host, project), (new_host, new_project) = _place(olds), _place(news)
    moves = host not in (new_host, news.get(FORMER_HOST))
    if not host or news.get(MOVED_FROM) == host or not (moves or project != new_project):
        return None
    left = _left_behind(str(olds["name"]), project)
    if left is None:
        return None
    where = f'stack "{news["name"]}"'
    if moves:
        return Problem(
            where,
            f"would move from {host} to {new_host or 'no host'}: {left} stay on {host}, and it would start empty",
            f'copy what it needs and give moved_from="{host}"; if the host has another name now, give the host '
            f'renamed_from="{host}"',
        )
    return Problem(
        where,
        f"would leave its compose project {project} for {new_project}: {left} stay with {project}, and it would start "
        "empty",
        f'give project_name="{project}"; if they shall stay behind: moved_from="{host}"',
    )


def leave(core: Core, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any], tell: Tell) -> None:
    """Before a stack moves: take it down on the host where Core has it, or say how, when that host is dead.

    Raises DeployFailed when its containers cannot be stopped; then it has not moved.
    """
    host, new_host = _place(olds)[0], _place(news)[0]
    there = stacks.standing(core, id_) if host != new_host else None
    # A host that got another name has it in Core by now, so what Core says is compared with what is declared.
    if there is None or there.server in ("", new_host):
        return
    name, project = str(news["name"]), there.project or _place(olds)[1]
    if not there.reached:
        tell(
            f'warning: stack "{name}" moves to {new_host}, but its old host {there.server} is {there.server_state}: '
            f"what runs there goes on, or starts again with it\n  hint: on {there.server}: docker compose -p {project} "
            "down"
        )
        return
    if there.state == "down":
        return
    tell(f'stack "{name}": stopping it on {there.server} (docker compose -p {project} down); {stacks.VOLUMES_STAY}')
    stacks.wait_until_idle(core, id_, name, tell)
    from homeops.komodo.updates import follow, update_of

    begun = update_of(core.client.execute("DestroyStack", {"stack": id_}))
    update = follow(core.client, begun.id, deadline=DOWN_SECONDS)
    if not update.success:
        log = update.failed
        said = (log.stderr.strip() or log.stdout.strip()) if log else "Komodo logged no reason"
        raise DeployFailed(
            Problem(f'stack "{name}"', f"could not be stopped on {there.server}, so it was not moved\n{said}")
        )


def _place(props: Mapping[str, Any]) -> tuple[str, str]:
    """Host and compose project."""
    config: Mapping[str, Any] = props.get("config") or {}
    return str(config.get("server_id") or ""), str(config.get("project_name") or props["name"])


def _left_behind(name: str, project: str) -> str | None:
    """What stays behind, in words; None when the stack never ran."""
    try:
        core = session.reachable_core()
        there = stacks.standing(core, core.catalogue.id_of(STACK.name, name))
        if there is None or there.never_ran:
            return None
        volumes = stacks.volumes(core, there, there.project or project)
    except HomeopsError as error:
        session.give_up_asking(error)
        volumes = []
    return f"its volumes ({', '.join(volumes)}) and bind mounts" if volumes else "its named volumes and bind mounts"
