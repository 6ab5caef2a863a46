"""The first key: made from the first admin's password, kept where the program looks, for its owner only."""

from collections.abc import Generator
from pathlib import Path

import pytest

from homeops.errors import KomodoError, KomodoUnauthorized
from homeops.komodo.credentials import PROFILE_FILE, Access, Credentials, Given, find_access
from homeops.komodo.first_key import check_profile, create_key, is_accepted, keep, known_access
from homeops.lab.core.core import Core
from homeops.lab.http import CoreServer

PASSWORD = "changeme"


@pytest.fixture
def address() -> Generator[str]:
    """A Core that has only its first admin."""
    with CoreServer(Core()) as server:
        yield server.address


def test_the_key_of_the_first_admin_is_accepted_and_one_that_nobody_made_is_not(address: str) -> None:
    made = create_key(address, "admin", PASSWORD, "homeops")
    assert is_accepted(Access(address, made, "here"))
    assert not is_accepted(Access(address, Credentials(made.key, "S_another_S"), "here"))


def test_a_wrong_password_says_that_the_database_is_older_and_not_what_it_was(address: str) -> None:
    with pytest.raises(KomodoUnauthorized, match="does not know its admin admin") as caught:
        create_key(address, "admin", "not-the-password", "homeops")
    assert "its database is older" in str(caught.value)
    assert "not-the-password" not in str(caught.value)


def test_what_is_kept_is_found_again_and_only_its_owner_can_read_it(address: str, tmp_path: Path) -> None:
    check_profile(tmp_path, address)
    file = keep(Access(address, create_key(address, "admin", PASSWORD, "homeops"), "here"), tmp_path)
    assert file == tmp_path / PROFILE_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    found = find_access({}, tmp_path, Given(address=address))
    assert is_accepted(found)
    assert known_access(address, tmp_path, {}) == found


def test_what_stands_in_the_profile_already_stays(tmp_path: Path) -> None:
    address = "http://komodo.test:9120"
    file = tmp_path / PROFILE_FILE
    file.parent.mkdir(parents=True)
    file.write_text(f'# mine\nhost = "{address}"\ntable_borders = "Horizontal"\nkey = "K_old_K"\nsecret = "S_old_S"\n')
    check_profile(tmp_path, address)
    keep(Access(address, Credentials("K_new_K", "S_new_S"), "here"), tmp_path)
    assert file.read_text() == (
        f'# mine\nhost = "{address}"\ntable_borders = "Horizontal"\nkey = "K_new_K"\nsecret = "S_new_S"\n'
    )


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ('host = "https://work.test"\n', "is for https://work.test"),
        ('default_profile = "home"\n[[profile]]\nname = "home"\n', "is for several Cores"),
        ("host = \n", "cannot be read"),
    ],
)
def test_a_profile_for_another_core_is_refused_before_there_is_a_key(profile: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / PROFILE_FILE
    file.parent.mkdir(parents=True)
    file.write_text(profile)
    with pytest.raises(KomodoError, match=told):
        check_profile(tmp_path, "http://komodo.test:9120")
    assert file.read_text() == profile


def test_half_a_pair_in_the_environment_is_an_error_and_no_key_at_all_is_none(tmp_path: Path) -> None:
    assert known_access("http://komodo.test:9120", tmp_path, {}) is None
    with pytest.raises(KomodoError, match="but not KOMODO_API_SECRET"):
        known_access("http://komodo.test:9120", tmp_path, {"KOMODO_API_KEY": "K_a_K"})
