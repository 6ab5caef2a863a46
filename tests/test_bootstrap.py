"""The key of a new Core: made once with the admin of Core's own secrets, kept, and found again by the next run."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from homeops.bootstrap import Bootstrap
from homeops.errors import HomeopsError
from homeops.komodo.credentials import KEY, PROFILE_FILE, SECRET
from homeops.komodo.first_key import is_accepted
from homeops.lab.core.core import Core
from homeops.lab.core.settings import Settings
from homeops.lab.http import CoreServer
from homeops.model.fleet import Fleet
from tests.recovery.fleet import Homelab, Tool, encrypt, homelab, new_key

ADMIN = "KOMODO_INIT_ADMIN_USERNAME=admin\nKOMODO_INIT_ADMIN_PASSWORD=changeme\n"


@pytest.fixture
def core() -> Core:
    """A Core that has only its first admin."""
    return Core()


@pytest.fixture
def server(core: Core) -> Generator[CoreServer]:
    """Where it answers."""
    with CoreServer(core) as server:
        yield server


class New:
    """A homelab whose Core has just begun, and what its operator was told."""

    def __init__(self, place: Path, server: CoreServer, tool: Tool) -> None:
        hook = Path(__file__).parents[1] / "docker/periphery/scripts/sops-decrypt.sh"
        reach = {"address": "127.0.0.1"}
        self.lab: Homelab = homelab(place / "checkout", hook, reach=reach, core=server.address)
        self.home = place / "home"
        self.home.mkdir()
        self.tool = tool
        self.recipient = new_key(tool, place / "key.txt")
        self.told: list[str] = []
        self.environ = {
            "PATH": f"{Path(tool('sops')[0]).parent}:{os.environ['PATH']}",
            "SOPS_AGE_KEY_FILE": str(place / "key.txt"),
        }

    def secrets(self, text: str) -> None:
        """Encrypt the secrets of Core's stack."""
        encrypt(self.tool, self.lab.files, self.recipient, {".sops.env": text})

    def bootstrap(self, **environ: str) -> Bootstrap:
        """Ready to work."""
        lab, fleet = self.lab, Fleet(hosts=[])
        environment = {**self.environ, **environ}
        return Bootstrap(
            fleet, lab.graph, lab.site, lab.root, environment, self.home, self.told.append, self.told.append
        )


@pytest.fixture
def new(tmp_path: Path, server: CoreServer, tool: Tool) -> New:
    """The homelab."""
    made = New(tmp_path, server, tool)
    made.secrets(ADMIN)
    return made


def test_the_key_is_made_once_and_found_again(new: New, core: Core) -> None:
    first = new.bootstrap().key()
    keys = set(core.state.api_keys)
    assert first.credentials.key in keys
    assert new.bootstrap().key().credentials == first.credentials
    assert set(core.state.api_keys) == keys
    assert new.told == [
        f"API key: made for admin, kept in {new.home / PROFILE_FILE}",
        f"API key: the one of ~/{PROFILE_FILE} is accepted",
    ]
    assert new.bootstrap().core_public_key(first) == core.public_key


def test_nothing_secret_is_told(new: New) -> None:
    made = new.bootstrap().key()
    for secret in (made.credentials.key, made.credentials.secret, "changeme"):
        assert not any(secret in line for line in new.told)
        assert secret not in repr(made)


def test_a_kept_key_that_a_new_core_does_not_know_is_made_anew(new: New, core: Core) -> None:
    old = new.bootstrap().key()
    del core.state.api_keys[old.credentials.key]
    fresh = new.bootstrap().key()
    assert fresh.credentials != old.credentials
    assert new.bootstrap().key().credentials == fresh.credentials


def test_a_key_of_the_environment_that_is_not_accepted_is_not_replaced_behind_its_owners_back(new: New) -> None:
    with pytest.raises(HomeopsError, match=f"does not accept {KEY} of the environment"):
        new.bootstrap(**{KEY: "K_other_K", SECRET: "S_other_S"}).key()
    assert not (new.home / PROFILE_FILE).exists()


def test_secrets_without_an_admin_are_named(new: New) -> None:
    new.secrets("KOMODO_INIT_ADMIN_USERNAME=admin\nOTHER=1\n")
    with pytest.raises(HomeopsError, match=r"KOMODO_INIT_ADMIN_PASSWORD not in docker/stacks/core/\.sops\.env"):
        new.bootstrap().key()


def test_a_password_is_taken_as_it_stands_and_a_wrong_one_is_not_shown(tmp_path: Path, tool: Tool) -> None:
    odd = "a#b = 'c' $d #e \\f"
    with CoreServer(Core(Settings(admin_password=odd))) as server:
        new = New(tmp_path, server, tool)
        new.secrets(ADMIN)
        with pytest.raises(HomeopsError, match="does not know its admin admin") as caught:
            new.bootstrap().key()
        assert "changeme" not in str(caught.value)
        new.secrets(f"KOMODO_INIT_ADMIN_USERNAME=admin\nKOMODO_INIT_ADMIN_PASSWORD={odd}\n")
        assert is_accepted(new.bootstrap().key())
