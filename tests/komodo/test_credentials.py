"""Where the address and the key come from, and that they are neither mixed nor shown."""

from pathlib import Path

import pytest

from homeops.errors import KomodoError
from homeops.komodo.credentials import PROFILE_FILE, Credentials, Given, find_access

ENVIRONMENT = {
    "KOMODO_ADDRESS": "http://env.test:9120",
    "KOMODO_API_KEY": "K_env_K",
    "KOMODO_API_SECRET": "S_env_S",
}
GIVEN = Given("http://given.test:9120", "K_given_K", "S_given_S")
PROFILES = """
default_profile = "home"
table_borders = "Horizontal"
secret = "S_top_S"

[[profile]]
name = "work"
host = "https://work.test"
key = "K_work_K"
secret = "S_work_S"

[[profile]]
name = "house"
aliases = ["h", "home"]
host = "https://home.test"
key = "K_home_K"
secret = "S_home_S"
"""


def profile(home: Path, text: str = PROFILES) -> Path:
    file = home / PROFILE_FILE
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    return home


def refusal(environ: dict[str, str], home: Path, given: Given | None = None) -> str:
    with pytest.raises(KomodoError) as raised:
        find_access(environ, home, given)
    return str(raised.value)


def test_the_environment_comes_first(tmp_path: Path) -> None:
    access = find_access(ENVIRONMENT, profile(tmp_path), GIVEN)
    assert access.address == "http://env.test:9120"
    assert access.credentials == Credentials("K_env_K", "S_env_S")


def test_then_the_default_profile_of_km_found_by_name_or_alias(tmp_path: Path) -> None:
    access = find_access({}, profile(tmp_path))
    assert access.address == "https://home.test"
    assert access.credentials == Credentials("K_home_K", "S_home_S")
    assert access.source == '~/.config/komodo/komodo.cli.toml (profile "home")'


def test_then_the_settings(tmp_path: Path) -> None:
    access = find_access({}, tmp_path, GIVEN)
    assert (access.address, access.source) == ("http://given.test:9120", "Pulumi config")
    assert access.credentials == Credentials("K_given_K", "S_given_S")


def test_values_at_the_top_of_the_profile_file_stand_where_the_profile_says_nothing(tmp_path: Path) -> None:
    home = profile(tmp_path, PROFILES.replace('secret = "S_home_S"\n', ""))
    assert find_access({}, home).credentials == Credentials("K_home_K", "S_top_S")


def test_without_a_default_profile_the_top_of_the_file_counts(tmp_path: Path) -> None:
    home = profile(tmp_path, 'host = "http://top.test"\ncli_key = "K_top_K"\ncli_secret = "S_top_S"\n')
    access = find_access({}, home)
    assert (access.address, access.credentials) == ("http://top.test", Credentials("K_top_K", "S_top_S"))


def test_variables_in_the_profile_file_are_filled_as_km_does(tmp_path: Path) -> None:
    home = profile(tmp_path, PROFILES.replace("S_home_S", "${MY_SECRET}"))
    assert find_access({"MY_SECRET": "S_mine_S"}, home).credentials.secret == "S_mine_S"


def test_a_profile_for_another_host_gives_no_key_to_the_declared_one(tmp_path: Path) -> None:
    access = find_access({}, profile(tmp_path), GIVEN)
    assert (access.address, access.source) == ("http://given.test:9120", "Pulumi config")


def test_that_the_profile_is_for_another_host_is_said_when_no_other_key_is_there(tmp_path: Path) -> None:
    message = refusal({"KOMODO_ADDRESS": "http://env.test:9120"}, profile(tmp_path))
    assert "no API key for http://env.test:9120" in message
    assert "is for https://home.test" in message


def test_a_profile_counts_for_another_port_of_its_host(tmp_path: Path) -> None:
    access = find_access({"KOMODO_ADDRESS": "http://home.test:9120"}, profile(tmp_path))
    assert access.address == "http://home.test:9120"
    assert access.credentials.key == "K_home_K"


def test_a_key_of_the_environment_may_go_to_the_declared_address(tmp_path: Path) -> None:
    environ = ENVIRONMENT | {"KOMODO_ADDRESS": ""}
    assert find_access(environ, tmp_path, GIVEN).address == "http://given.test:9120"


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("KOMODO_API_SECRET", "the environment has KOMODO_API_KEY but not KOMODO_API_SECRET"),
        ("KOMODO_API_KEY", "the environment has KOMODO_API_SECRET but not KOMODO_API_KEY"),
    ],
)
def test_half_a_pair_is_an_error_that_names_the_other_half(tmp_path: Path, missing: str, message: str) -> None:
    environ = {name: value for name, value in ENVIRONMENT.items() if name != missing}
    # A whole pair elsewhere does not hide the mistake.
    assert message in refusal(environ, profile(tmp_path), GIVEN)


def test_half_a_pair_in_a_profile_is_named_with_its_file(tmp_path: Path) -> None:
    home = profile(tmp_path, 'host = "http://top.test"\nkey = "K_top_K"\n')
    assert "~/.config/komodo/komodo.cli.toml has key but not secret" in refusal({}, home)


def test_half_a_pair_in_the_settings_is_named(tmp_path: Path) -> None:
    assert "Pulumi config has komodoKey but not komodoSecret" in refusal({}, tmp_path, Given("http://a.test", "K_a_K"))


def test_nothing_at_all_says_what_to_set(tmp_path: Path) -> None:
    message = refusal({}, tmp_path)
    assert message.startswith("komodo: no API key\n  hint: export KOMODO_ADDRESS=")


def test_a_key_without_an_address_says_so(tmp_path: Path) -> None:
    environ = ENVIRONMENT | {"KOMODO_ADDRESS": ""}
    assert "no address is known" in refusal(environ, tmp_path)


def test_a_misspelt_default_profile_names_the_nearest(tmp_path: Path) -> None:
    home = profile(tmp_path, PROFILES.replace('default_profile = "home"', 'default_profile = "hoem"'))
    message = refusal({}, home)
    assert 'there is no such profile; did you mean "home"?' in message
    assert "profiles: h, home, house, work" in message


@pytest.mark.parametrize("text", ["host = ", "\x00", 'key = "K_a_K"\nkey = "K_b_K"'])
def test_a_broken_profile_file_is_named_and_not_quoted(tmp_path: Path, text: str) -> None:
    message = refusal({}, profile(tmp_path, text))
    assert message.startswith("~/.config/komodo/komodo.cli.toml: cannot be read: ")
    assert "K_a_K" not in message


def test_an_unreadable_profile_is_no_matter_when_the_environment_has_everything(tmp_path: Path) -> None:
    assert find_access(ENVIRONMENT, profile(tmp_path, "broken")).credentials.key == "K_env_K"


@pytest.mark.parametrize("secret", ["S_a\nb_S", "S_a b_S", "S_ä_S", " "])
def test_what_could_not_be_sent_as_a_header_is_refused_and_not_shown(tmp_path: Path, secret: str) -> None:
    message = refusal(ENVIRONMENT | {"KOMODO_API_SECRET": secret}, tmp_path)
    assert "the API secret is empty, or has blanks" in message
    assert "S_" not in message.splitlines()[0]


def test_line_ends_around_a_key_do_not_matter(tmp_path: Path) -> None:
    assert find_access(ENVIRONMENT | {"KOMODO_API_KEY": "K_env_K\n"}, tmp_path).credentials.key == "K_env_K"


def test_printing_shows_neither_half(tmp_path: Path) -> None:
    access = find_access(ENVIRONMENT, tmp_path)
    shown = f"{access} {access!r} {access.credentials} {GIVEN!r}"
    for hidden in ("K_env_K", "S_env_S", "K_given_K", "S_given_S"):
        assert hidden not in shown
