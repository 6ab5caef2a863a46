"""The compose commands of one deploy as Periphery runs them (bin/periphery/src/api/compose.rs)."""

from homeops.lab.core.agents import Deployed, Replacers, project_name
from homeops.lab.core.agents_stack_files import compose_paths
from homeops.lab.core.agents_work import AgentWork, one_line
from homeops.lab.core.checkouts import Outcome
from homeops.lab.core.executions_interpolation import masked
from homeops.lab.core.executions_logs import log
from homeops.lab.core.places import Place
from homeops.lab.core.state import Document, now_ms


class ComposeRun:
    """The compose commands of one deploy: same project, files and env files."""

    def __init__(
        self,
        agent: AgentWork,
        stack: Document,
        directory: Place,
        env_file: str | None,
        replacers: Replacers,
        project: str = "",
    ) -> None:
        config = stack["config"]
        files = " -f ".join(compose_paths(stack))
        extra = [file["path"] for file in config["additional_env_files"] if file["path"] != env_file]
        env_files = "".join(f" --env-file {path}" for path in [*extra, *([env_file] if env_file else [])])
        self._base = f"docker compose -p {project or project_name(stack, fresh=True)} -f {files}{env_files}"
        self._wrapper = one_line(config["compose_cmd_wrapper"])
        self._wrapped = config["compose_cmd_wrapper_include"] or ["up"]
        self._agent, self._directory, self._replacers = agent, directory, replacers

    def __call__(self, stage: str, verb: str, arguments: str) -> tuple[Document, Outcome]:
        """Run one; its log entry with secrets masked, and how it ended."""
        text = f"{self._base} {verb}{arguments}"
        if self._wrapper and verb in self._wrapped:
            if "[[COMPOSE_COMMAND]]" not in self._wrapper:
                refused = (
                    "compose_cmd_wrapper is configured but does not contain [[COMPOSE_COMMAND]] placeholder. "
                    "The placeholder is required to inject the compose command."
                )
                return log("Compose Command Wrapper", stderr=refused, success=False), Outcome(1, "", refused)
            text = self._wrapper.replace("[[COMPOSE_COMMAND]]", text)
        start = now_ms()
        outcome = self._agent.composed(text, self._directory)
        entry = log(
            stage,
            masked(text, self._replacers),
            stdout=masked(outcome.stdout, self._replacers),
            stderr=masked(outcome.stderr, self._replacers),
            success=outcome.exit == 0,
            start=start,
        )
        return entry, outcome

    def logged(self, result: Deployed, stage: str, verb: str, arguments: str) -> bool:
        """Run, keep the log entry, say whether it worked."""
        entry, _ = self(stage, verb, arguments)
        result.logs.append(entry)
        return entry["success"]
