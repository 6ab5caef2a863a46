"""One stack deployed, from the look at its files to the look at its containers; or the reason why not.

Files first: what Core would deploy is what was previewed, or nothing is touched. Then the execution, followed to its
end over lost answers and restarts of Core. Then the containers themselves, because a finished ``compose up`` says
nothing of health. Whatever goes wrong is one problem: stack, host, stage, service, last lines of the log, what to do.
"""

from collections.abc import Sequence
from dataclasses import replace
from time import monotonic, sleep
from typing import Any, cast

from homeops.deploy import source
from homeops.deploy.containers import Look
from homeops.deploy.health import PROGRESS_SECONDS, images, listed, looks_of, services_of, standing, until_healthy
from homeops.deploy.order import DUE, Deployed, Order, Tell, containers_config, growing, tail
from homeops.deploy.queue import QUEUE
from homeops.errors import (
    DeployFailed,
    KomodoError,
    KomodoGarbled,
    KomodoLocked,
    KomodoRefused,
    KomodoUnauthorized,
    KomodoUnreachable,
    Problem,
)
from homeops.komodo.client import Client, JsonObject
from homeops.komodo.updates import Log, Update, follow, update_of

PULL_CACHE_SECONDS = 5.2
"""Neither Core nor Periphery pulls a checkout again within 5 s of the last pull; a push in that time is not seen."""

_TRIES = 3
_BUSY = "Resource is busy"
_NO_AGENT = "Cannot send command when Server is unreachable or disabled"


def deploy(client: Client, order: Order, tell: Tell, *, compare: bool = True) -> Deployed:
    """Deploy a stack and wait until it is healthy.

    ``compare``: whether the files have to be those of the fingerprint. Raises DeployFailed (Unhealthy when that is what
    failed) with everything that is known; KomodoError when Core cannot be asked.
    """
    return _Deploy(client, order, tell).run(compare=compare)


class _Deploy:
    """One deploy under way."""

    def __init__(self, client: Client, order: Order, tell: Tell) -> None:
        self.client, self.order, self.where = client, order, order.where
        self.began = monotonic()
        self.limit = float(order.rollout["timeout"])
        self._tell = tell

    def run(self, *, compare: bool) -> Deployed:
        order = self.order
        # The turn ends with compose's work: watching containers is no work for a host.
        with QUEUE.turn(order.server, order.rollout["per_host"], order.checkout):
            document = self._previewed() if compare else self._document()
            self.id = str(document["_id"]["$oid"])
            # A stack that is pinned to a commit gets that one.
            wanted = document["config"].get("commit") or document["info"].get("latest_hash") or ""
            update, document = self._deployed_from(str(wanted), compare=compare)
            if order.restart:
                self._succeed("RestartStack")
        looks, verdicts = until_healthy(self.client, self.order, document, self.tell)
        if self.order.rollout["core"]:
            self._prove_core(str(self.order.rollout["core"]))
        seconds = round(monotonic() - self.began, 1)
        self.tell(f"deployed in {seconds:g} s, {listed(verdicts)}")
        return Deployed(
            update=update.id,
            stack=self.id,
            state="running",
            seconds=seconds,
            commit=str(document["info"].get("deployed_hash") or ""),
            images=images(self.client, self.order.stack, looks),
            services={name: verdict.words for name, verdict in verdicts.items()},
            config=containers_config(document),
        )

    def tell(self, text: str) -> None:
        """Say something of this stack."""
        self._tell(f"{self.where}: {text}")

    def failed(self, what: str, hint: str = DUE) -> DeployFailed:
        """The error."""
        return DeployFailed(self.order.problem(what, hint))

    # The files

    def _previewed(self) -> JsonObject:
        """The stack's document, with Core's view of the repository as fresh as it gets and as it was previewed."""
        document = self._refreshed()
        seen = source.seen(document, self.order.fingerprint)
        if seen.differences or seen.errors:
            self.tell("Core holds other files than were previewed; looking again after its pull cache of 5 s")
            sleep(PULL_CACHE_SECONDS)
            document = self._refreshed()
            seen = source.seen(document, self.order.fingerprint)
        if seen.differences or seen.errors:
            raise DeployFailed(source.problem(self.where, seen, document["config"]))
        return document

    def _refreshed(self) -> JsonObject:
        self.client.write("RefreshStackCache", {"stack": self.order.stack})
        return self._document()

    def _document(self) -> JsonObject:
        answer: Any = self.client.read("GetStack", {"stack": self.order.stack})
        if not isinstance(answer, dict):
            raise KomodoGarbled(Problem(self.where, "GetStack: the answer is no object"))
        return cast(JsonObject, answer)

    # The execution

    def _deployed_from(self, commit: str, *, compare: bool) -> tuple[Update, JsonObject]:
        """Deploy; once more when the agent's pull cache gave it an older commit."""
        joined = self._joined(commit) if compare else None
        if joined:
            return joined
        for again in (True, False):
            update = self._succeed("DeployStack")
            document = self._document()
            other = source.deployed(document, self.order.fingerprint).differences if compare else ()
            # What compose reads beside the files that Komodo holds can only be told by the commit.
            by_commit = not compare or any(part.startswith("file ") for part in self.order.fingerprint)
            got = str(document["info"].get("deployed_hash") or "")
            if not other and (not by_commit or not commit or _same_commit(got, commit)):
                return update, document
            if again:
                self.tell("the host deployed another commit than Core holds; again, after its pull cache of 5 s")
                sleep(PULL_CACHE_SECONDS)
        if compare:
            found = source.deployed(document, self.order.fingerprint)
            if not found.differences:
                found = replace(found, differences=(f"commit {got[:7]} instead of {commit[:7]}",))
            raise DeployFailed(source.problem(self.where, found, document["config"]))
        raise self.failed(f"the host deployed commit {got[:7]}, not {commit[:7]}")

    def _joined(self, commit: str) -> tuple[Update, JsonObject] | None:
        """A deploy that is under way already, when what it did turns out to be what is wanted here.

        An earlier run that was interrupted leaves one behind. Values of variables are nowhere in its record, so with
        variables in the configuration it is not taken for ours.
        """
        found = self._under_way("DeployStack")
        if not found:
            return None
        self.tell(f"a deploy is under way already, by {found[0]['username']}: waiting for it")
        update = self._follow(str(found[0]["id"]), monotonic() + self.limit)
        document = self._document()
        same_config = document.get("updated_at", 0) <= update.start_ts and "[[" not in str(document["config"])
        same_files = _same_commit(str(document["info"].get("deployed_hash") or ""), commit)
        if update.success and same_config and same_files:
            return update, document
        return None

    def _under_way(self, execution: str) -> list[JsonObject]:
        """Updates of this stack that go on; a cancelled Procedure leaves some that never end, and nothing is busy."""
        found = self._updates(execution, status="InProgress")
        if found:
            state: Any = self.client.read("GetStackActionState", {"stack": self.order.stack})
            if any(state.values()):
                return found
        return []

    def _succeed(self, execution: str) -> Update:
        """Execute and follow to a good end; waits for whoever keeps the stack busy."""
        until = monotonic() + self.limit
        repeated = False
        while True:
            known = [str(item["id"]) for item in self._updates(execution)]
            update = self._follow(self._started(execution, known), until)
            if update.success:
                return update
            log = update.failed
            text = f"{log.stderr} {log.stdout}" if log else ""
            if _BUSY in text:
                self._wait_while_busy(until)
            elif update.cut_short and not repeated:
                self._wait_for_host(until)
                repeated = True
            elif update.cut_short and self.order.rollout["core"]:
                self.tell("Core restarted again, so Komodo has no record of this deploy; the containers count")
                return update
            elif _NO_AGENT in text:
                raise self._no_agent()
            else:
                raise self._failure(update, log)

    def _started(self, execution: str, known: Sequence[str]) -> str:
        """Start an execution and return its Update's id, found again when the answer was lost."""
        params: JsonObject = {"stack": self.order.stack}
        for tries in range(1, _TRIES + 1):
            try:
                return update_of(self.client.execute(execution, params)).id
            except (KomodoUnauthorized, KomodoLocked):
                raise
            except (KomodoUnreachable, KomodoGarbled, KomodoRefused) as error:
                if isinstance(error, KomodoRefused) and error.status < 500:
                    raise
                self.tell(f"no answer to {execution}: looking whether it began")
                found = self._begun(execution, known)
                if found:
                    return found
                if tries == _TRIES:
                    raise
        raise AssertionError("the last try raises")

    def _begun(self, execution: str, known: Sequence[str]) -> str:
        """The Update that an execution made whose answer was lost; empty when there is none."""
        for pause in (0.5, 1.0, 2.0):
            fresh = [str(item["id"]) for item in self._updates(execution) if item["id"] not in known]
            if fresh:
                return fresh[0]
            sleep(pause)
        return ""

    def _updates(self, execution: str, **query: Any) -> list[JsonObject]:
        """The last Updates of this stack as Komodo lists them, the newest first."""
        target = {"target.type": "Stack", "target.id": self.id, "operation": execution, **query}
        answer: Any = self.client.read("ListUpdates", {"query": target})
        return list(answer["updates"])

    def _follow(self, update: str, until: float) -> Update:
        said = 0.0

        def progress(elapsed: float, known: Update | None) -> None:
            nonlocal said
            if elapsed - said >= PROGRESS_SECONDS:
                said = elapsed
                self.tell(f"{standing(self.client, self.order.stack) if known else 'Core is silent'}, {elapsed:.0f} s")

        try:
            return follow(self.client, update, deadline=until - monotonic(), on_progress=progress)
        except KomodoUnreachable as error:
            if self.order.rollout["core"]:
                raise self._no_core(error) from None
            raise
        except DeployFailed as error:
            what = f"{error.problems[0].what}; {standing(self.client, self.order.stack)}"
            raise self.failed(what, error.problems[0].hint or DUE) from None

    def _wait_while_busy(self, until: float) -> None:
        """Wait until whatever somebody else does to the stack has ended."""
        self.tell("busy: somebody works on it in Komodo; waiting")
        for pause in growing(0.5, 5.0):
            state: Any = self.client.read("GetStackActionState", {"stack": self.order.stack})
            if not any(state.values()):
                return
            if monotonic() + pause > until:
                doing = ", ".join(sorted(name for name, on in state.items() if on))
                raise self.failed(
                    f"still busy after {self.limit:.0f} s ({doing})", "see who works on it in Komodo's UI"
                )
            sleep(pause)

    def _wait_for_host(self, until: float) -> None:
        """After Core or the agent fell silent: wait until both answer and the containers stand still."""
        self.tell("Core or the agent fell silent in the middle; the host may go on by itself: waiting for it")
        before: object = None
        for pause in growing(0.5, 3.0):
            try:
                state = self._server_state()
                looks = self._all_looks() if state == "Ok" and self._agent_answers() else None
            except KomodoUnreachable as error:
                state, looks = "not known: Core is silent", None
                if monotonic() + pause > until and self.order.rollout["core"]:
                    raise self._no_core(error) from None
            standing = looks and [(look.same_run, look.state) for look in looks.values()]
            if looks is not None and standing == before:
                return
            before = standing
            if monotonic() + pause > until:
                raise self.failed(
                    f"Core or the agent fell silent in the middle of the deploy; host {self.order.server} is {state}",
                    "look at it (homeops status), then run again: the deploy is still due",
                )
            sleep(pause)

    def _agent_answers(self) -> bool:
        """Whether the agent itself does: Core takes notice of its silence later, and this it has to ask the agent."""
        try:
            self.client.read("GetStackLog", {"stack": self.order.stack, "services": [], "tail": 1})
        except KomodoUnauthorized:
            raise
        except KomodoRefused:
            return False
        return True

    def _all_looks(self) -> dict[str, Look]:
        return looks_of(self.client, self.order.stack, services_of(self.client, self.order.stack))

    def _server_state(self) -> str:
        answer: Any = self.client.read("GetServerState", {"server": self.order.server})
        return str(answer["status"])

    def _no_agent(self) -> DeployFailed:
        state = self._server_state()
        if state == "Disabled":
            return self.failed("the host is disabled in Komodo", "enable it, then run again: the deploy is still due")
        return self.failed(
            f"the host does not answer ({state}): its Periphery is down, or the way to it",
            "when the host is back, run again: the deploy is still due",
        )

    def _no_core(self, error: KomodoError) -> DeployFailed:
        return self.failed(
            f"Core did not come back after its own deploy\n    {error.problems[0].what}",
            "homeops recover core (--print shows the steps); then run again: the deploy is still due",
        )

    def _failure(self, update: Update, log: Log | None) -> DeployFailed:
        if log is None:
            return self.failed("the deploy failed and Komodo logged no reason", f"see update {update.id} in Komodo")
        return self.failed(f"{log.stage} failed\n{tail(log.stderr.strip() or log.stdout.strip())}")

    # Core itself

    def _prove_core(self, declared: str) -> None:
        """After its own deploy: Core answers with the declared version, and takes the key."""
        until = monotonic() + float(self.order.rollout["health_deadline"])
        version = ""
        for pause in growing(0.5, 3.0):
            try:
                answer: Any = self.client.read("GetVersion", {})
            except KomodoUnreachable as error:
                if monotonic() + pause > until:
                    raise self._no_core(error) from None
                sleep(pause)
            else:
                version = str(answer["version"])
                break
        if version != declared:
            raise self.failed(
                f"Core answers as {version} after its deploy, declared is {declared}: its container was not replaced",
                "does its compose file take the version from KOMODO_VERSION? then run again: the deploy is still due",
            )


def _same_commit(one: str, other: str) -> bool:
    """Komodo shortens hashes; a person may write them whole."""
    return one[:7] == other[:7]
