"""Where this machine's apt takes Debian's packages from: the lab takes them from there too."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True, slots=True)
class Mirror:
    """A source of packages: its address, the release that it is for, and the keys that sign it."""

    address: str
    suite: str
    keyring: str = KEYRING


def debian_mirror(root: Path = Path("/")) -> Mirror | None:
    """The mirror of the Debian release that this machine runs; None when it runs another system or has no such one."""
    release = _release(root / "etc/os-release")
    if release.get("ID") != "debian" or not (suite := release.get("VERSION_CODENAME")):
        return None
    for file in sorted([root / "etc/apt/sources.list", *(root / "etc/apt").glob("sources.list.d/*")]):
        if not file.is_file():
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        lines = text.splitlines()
        for mirror, components in _stanzas(lines) if file.suffix == ".sources" else _lines(lines):
            if mirror.suite == suite and "main" in components:
                return mirror
    return None


def _release(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    pairs = (line.partition("=") for line in file.read_text(encoding="utf-8").splitlines())
    return {name: value.strip("\"'") for name, equals, value in pairs if equals}


def _stanzas(lines: Iterable[str]) -> Iterator[tuple[Mirror, list[str]]]:
    """The deb822 form (sources.list(5)); a continued field is of no interest here and ends at its first line."""
    stanza: dict[str, str] = {}
    for line in [*lines, ""]:
        if line.startswith(("#", " ", "\t")):
            continue
        name, colon, value = line.partition(":")
        if colon:
            stanza[name.strip().lower()] = value.strip()
        elif not line.strip() and stanza:
            if "deb" in stanza.get("types", "").split() and stanza.get("enabled", "yes") != "no":
                signed = stanza.get("signed-by", "")
                keyring = signed if signed.startswith("/") else KEYRING
                for address in stanza.get("uris", "").split():
                    for suite in stanza.get("suites", "").split():
                        yield Mirror(address, suite, keyring), stanza.get("components", "").split()
            stanza = {}


def _lines(lines: Iterable[str]) -> Iterator[tuple[Mirror, list[str]]]:
    """The form of one line for a source: ``deb [option=value ...] address suite component ...``."""
    for line in lines:
        words = line.partition("#")[0].replace("[", " [ ").replace("]", " ] ").split()
        if not words or words[0] != "deb":
            continue
        options: list[str] = []
        if "]" in words:
            options, words = words[2 : words.index("]")], ["deb", *words[words.index("]") + 1 :]]
        if len(words) > 3:
            signed = [option.removeprefix("signed-by=") for option in options if option.startswith("signed-by=/")]
            yield Mirror(words[1], words[2], signed[0] if signed else KEYRING), words[3:]
