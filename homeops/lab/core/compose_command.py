"""A ``docker compose`` command line, taken apart."""

import shlex
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """``docker compose -p P -f F ... VERB arguments``, taken apart."""

    project: str
    files: list[str]
    env_files: list[str]
    verb: str
    arguments: list[str]
    resolve: bool

    def services(self) -> list[str]:
        """The services named at the end, after the options."""
        if "--" in self.arguments:
            return self.arguments[self.arguments.index("--") + 1 :]
        valued = ("--timeout", "--tail", "--wait-timeout", "--scale")
        return [
            word
            for before, word in zip(["", *self.arguments], self.arguments, strict=False)
            if not word.startswith("-") and before not in valued
        ]

    def option(self, name: str) -> str | None:
        """The value of an option."""
        for word, following in zip(self.arguments, [*self.arguments[1:], ""], strict=False):
            if word == name:
                return following
            if word.startswith(f"{name}="):
                return word.partition("=")[2]
        return None


def parse_command(text: str) -> Command:
    """Take a compose command line apart."""
    words = shlex.split(text)
    start = next((i for i, word in enumerate(words) if word == "compose"), -1)
    project, resolve = "", "--no-env-resolution" not in words
    files: list[str] = []
    env_files: list[str] = []
    rest = [word for word in words[start + 1 :] if word != "--no-env-resolution"]
    while rest and rest[0].startswith("-"):
        flag, value, *rest = rest
        match flag:
            case "-p":
                project = value
            case "-f":
                files.append(value)
            case "--env-file":
                env_files.append(value)
            case _:
                pass
    verb, *arguments = rest
    return Command(project, files, env_files, verb, arguments, resolve)
