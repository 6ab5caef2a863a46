"""For whom secret files are encrypted, and bringing that to what the rules say."""

from dataclasses import dataclass
from pathlib import Path

from homeops.errors import Problem, SecretsError
from homeops.secrets.documents import read_document
from homeops.secrets.files import shown
from homeops.secrets.policy import POLICY_FILE, Policy
from homeops.secrets.sops import Sops


@dataclass(frozen=True, slots=True)
class Readers:
    """Who may read a file, and who may by its rule."""

    now: frozenset[str]
    wanted: frozenset[str]

    @property
    def added(self) -> list[str]:
        """Who is to be able to read it and is not."""
        return sorted(self.wanted - self.now)

    @property
    def removed(self) -> list[str]:
        """Who is able to read it and is not to be."""
        return sorted(self.now - self.wanted)


def readers(path: Path, policy: Policy, root: Path) -> Readers:
    """Who may read a file; raises SecretsError where no rule is for it, or it is not encrypted."""
    name = shown(path, root)
    wanted = policy.recipients(name)
    if wanted is None:
        raise SecretsError(
            Problem(name, f"no rule of {POLICY_FILE} says who may read it", f"add a rule to {POLICY_FILE}")
        )
    document = read_document(path)
    if not document.metadata:
        raise SecretsError(Problem(name, "is not encrypted", f"homeops secrets encrypt {name}"))
    return Readers(document.recipients, wanted)


def bring_to_rule(sops: Sops, path: Path, policy: Policy) -> Readers:
    """Encrypt a file for exactly those that its rule names; what it was before and is now.

    Values keep their ciphertext when somebody is added, so that nothing is redeployed. When somebody is removed, all
    are encrypted anew: who could read the file may have kept its data key.
    """
    found = readers(path, policy, sops.root)
    if found.removed:
        # Those that stay are there before the others go: the file is readable for the former in between.
        if found.added:
            sops.updatekeys(path, found.now | found.wanted)
        sops.rotate(path, remove=found.removed)
    elif found.added:
        sops.updatekeys(path, found.wanted)
    return found
