"""The hosts of a rehearsal: whatever address of this machine a Server has, an agent answers there.

A hook that decrypts secrets is rehearsed with placeholders: the age key is on the real hosts. Other hooks are said to
have succeeded.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from homeops.compose.secret_files import SecretFile, secret_files
from homeops.lab.core.agents import Agents
from homeops.lab.core.agents_rehearsal import RehearsalAgent
from homeops.lab.core.checkouts import Outcome
from homeops.lab.core.containers_engine import Engine
from homeops.lab.core.fates import Fate
from homeops.lab.core.places import Place
from homeops.lab.core.state import Document
from homeops.model.conventions import DECRYPT

PLACEHOLDER = "rehearsal"
"""The value of every secret."""

HEALTH_SECONDS = 0.3

_ENCRYPTED = re.compile(r"ENC\[AES256_GCM,[^\]]*\]")


class PromptEngine(Engine):
    """An engine whose containers answer their health checks at once: there is nothing to wait half a minute for."""

    def _foretold(self, definition: Document) -> Fate:
        fate = super()._foretold(definition)
        return replace(fate, health_after=min(fate.health_after, HEALTH_SECONDS))


class RehearsalHost(RehearsalAgent):
    """A host whose secrets are placeholders."""

    def _shell(self, text: str, directory: Place, owner: str) -> Outcome:
        if text.strip() == DECRYPT and owner not in self.hook_failures and directory.is_dir():
            return _decrypted(Path(str(directory)))
        return super()._shell(text, directory, owner)


def _decrypted(directory: Path) -> Outcome:
    said = ""
    for secret in secret_files(directory):
        secret.plain.write_text(placeholders(secret, secret.encrypted.read_text()))
        said += f"{DECRYPT.removesuffix('.sh')}: {secret.encrypted.name} -> {secret.plain.name}\n"
    return Outcome(0, said, "") if said else Outcome(1, "", "sops-decrypt: no secret file to decrypt\n")


def placeholders(secret: SecretFile, text: str, value: Callable[[], str] = lambda: PLACEHOLDER) -> str:
    """An encrypted file as it would be decrypted, with a placeholder, or a ``value`` of its own, for each value."""
    if secret.format == "json":
        document = json.loads(text)
        document.pop("sops", None)
        text = json.dumps(document, indent=2)
    elif secret.format == "yaml":
        text = re.sub(r"(?ms)^sops:\n.*?(?=^\S|\Z)", "", text)
    else:
        text = re.sub(r"(?m)^(sops_|#ENC).*\n?", "", text)
    return _ENCRYPTED.sub(lambda _match: value(), text)


@dataclass
class LoopbackAgents(Agents):
    """Agents that come into being when a Server first has an address of this machine."""

    def reachable(self, address: str) -> bool:
        """Whether an agent answers at an address."""
        self.meet(address)
        return super().reachable(address)

    def meet(self, address: str) -> RehearsalHost | None:
        """The host at an address, if that is one of this machine's."""
        host = urlsplit(address).hostname or ""
        if not _is_loopback(host):
            return None
        known = self.by_address.get(address)
        if isinstance(known, RehearsalHost):
            return known
        directory = self.root / "hosts" / host
        directory.mkdir(parents=True, exist_ok=True)
        fresh = RehearsalHost(directory, self.repositories, PromptEngine(self.clock), self.clock)
        self.add(address, fresh)
        return fresh


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
