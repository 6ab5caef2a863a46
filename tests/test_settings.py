"""Settings: what is wrong with them is said exactly, and all at once."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from homeops.errors import SettingsError
from homeops.settings import add_setting, load_settings
from tests.example_site import example_settings


def write(root: Path, stack: str, settings: dict[str, Any]) -> None:
    """Settings with their namespace, as Pulumi's file holds them."""
    document = {"config": {f"homeops:{key}": value for key, value in settings.items()}}
    (root / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")


def error_of(root: Path, stack: str = "prod") -> str:
    with pytest.raises(SettingsError) as raised:
        load_settings(stack, root)
    return str(raised.value)


def test_settings_are_read_with_their_defaults(tmp_path: Path) -> None:
    write(tmp_path, "prod", example_settings("nvr"))
    site = load_settings("prod", tmp_path)
    assert site.hosts["nvr"].address == "127.0.0.1"
    assert site.hosts["nvr"].ssh_user == "root"
    assert site.repository.branch == "main"
    assert (site.adopt, site.deploy, site.timezone) == ("equal", True, "Etc/UTC")


def test_a_missing_file_names_the_nearest_one(tmp_path: Path) -> None:
    write(tmp_path, "prod", example_settings())
    write(tmp_path, "lab", example_settings())
    assert error_of(tmp_path, "prd") == (
        "Pulumi.prd.yaml: there is no such file, so Pulumi stack prd has no settings"
        '; did you mean "prod"?\n'
        "  hint: copy Pulumi.prod.yaml (settings here: lab, prod)"
    )


def test_a_missing_file_where_there_is_none(tmp_path: Path) -> None:
    assert error_of(tmp_path) == (
        "Pulumi.prod.yaml: there is no such file, so Pulumi stack prod has no settings\n"
        "  hint: copy Pulumi.prod.yaml (settings here: none)"
    )


def test_every_wrong_key_is_named_at_once(tmp_path: Path) -> None:
    settings = example_settings("nvr", "omni")
    settings["hosts"]["nvr"] = {"adress": "127.0.0.1", "sshPort": "ssh"}
    settings["hosts"]["omni"]["sshuser"] = "root"
    settings["komodo"]["address"] = "core.example:9120"
    settings["versions"]["komodo"] = 2.10
    settings["timezon"] = "Etc/UTC"
    settings["adopt"] = "always"
    del settings["repository"]
    write(tmp_path, "prod", settings)
    assert error_of(tmp_path).splitlines() == [
        "Pulumi.prod.yaml: homeops:komodo.address: not of the right form (it is 'core.example:9120')",
        "Pulumi.prod.yaml: homeops:repository is missing",
        "Pulumi.prod.yaml: homeops:versions.komodo: Input should be a valid string (it is 2.1)",
        '  hint: write it in quotes: "2.1"',
        "Pulumi.prod.yaml: homeops:hosts.nvr.address is missing",
        "Pulumi.prod.yaml: homeops:hosts.nvr.sshPort: Input should be a valid integer, unable to parse string as an "
        "integer (it is 'ssh')",
        'Pulumi.prod.yaml: homeops:hosts.nvr.adress: unknown key; did you mean "address"?',
        'Pulumi.prod.yaml: homeops:hosts.omni.sshuser: unknown key; did you mean "sshUser"?',
        "Pulumi.prod.yaml: homeops:adopt: Input should be 'equal' or 'overwrite' (it is 'always')",
        'Pulumi.prod.yaml: homeops:timezon: unknown key; did you mean "timezone"?',
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Pulumi.prod.yaml: there is no block config: with settings\n  hint: compare Pulumi.prod.yaml"),
        ("config:\n", "Pulumi.prod.yaml: there is no block config: with settings\n  hint: compare Pulumi.prod.yaml"),
        ("- a\n", "Pulumi.prod.yaml: there is no block config: with settings\n  hint: compare Pulumi.prod.yaml"),
        (
            "config:\n  homeops:hosts: {nvr: [}\n",
            "Pulumi.prod.yaml:2:25: not readable YAML (expected the node content, but found '}')",
        ),
        (
            "config:\n  homeops:hosts:\n    nvr: {address: a}\n    nvr: {address: b}\n",
            'Pulumi.prod.yaml:4:5: not readable YAML (the key "nvr" stands here twice)',
        ),
        (
            "config:\n  hosts: {}\n  homeop:versions: {}\n  aws:region: x\n",
            "Pulumi.prod.yaml: hosts: unknown key\n  hint: write homeops:hosts\n"
            "Pulumi.prod.yaml: homeop:versions: unknown key\n  hint: write homeops:versions",
        ),
        (
            "config:\n  homeops:like: prod\n",
            "Pulumi.prod.yaml: homeops:like must name another Pulumi stack (it is 'prod')",
        ),
        ("config:\n  homeops:like: 3\n", "Pulumi.prod.yaml: homeops:like must name another Pulumi stack (it is 3)"),
    ],
)
def test_a_file_that_is_not_settings(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text(text, encoding="utf-8")
    assert error_of(tmp_path) == message


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_bytes(b"config: \xff\n")
    assert error_of(tmp_path) == "Pulumi.prod.yaml: not readable YAML (invalid start byte)"


def test_a_directory_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").mkdir()
    assert error_of(tmp_path) == "Pulumi.prod.yaml: cannot be read (Is a directory)"


def test_a_stack_like_another_says_only_what_differs(tmp_path: Path) -> None:
    write(tmp_path, "prod", example_settings("nvr", "omni"))
    write(tmp_path, "lab", {"like": "prod", "hosts": {"nvr": {"address": "127.9.9.9"}}, "deploy": False})
    prod, lab = load_settings("prod", tmp_path), load_settings("lab", tmp_path)
    assert lab.hosts["nvr"].address == "127.9.9.9"
    assert lab.hosts["omni"] == prod.hosts["omni"]
    assert lab.versions == prod.versions
    assert (prod.deploy, lab.deploy) == (True, False)


def test_stacks_that_are_like_each_other(tmp_path: Path) -> None:
    write(tmp_path, "a", {"like": "b"})
    write(tmp_path, "b", {"like": "a"})
    assert error_of(tmp_path, "a") == "Pulumi.b.yaml: homeops:like must name another Pulumi stack (it is 'a')"


def test_a_wrong_key_of_the_other_stack_is_named_too(tmp_path: Path) -> None:
    write(tmp_path, "prod", {**example_settings(), "deploi": True})
    write(tmp_path, "lab", {"like": "prod"})
    assert error_of(tmp_path, "lab") == 'Pulumi.lab.yaml: homeops:deploi: unknown key; did you mean "deploy"?'


def test_credentials_of_the_client_are_no_settings_of_the_site(tmp_path: Path) -> None:
    secret = {"secure": "v1:abc"}
    write(tmp_path, "prod", {**example_settings(), "komodoKey": secret, "komodoSecret": secret})
    assert "secure" not in repr(load_settings("prod", tmp_path))


def test_a_long_wrong_value_is_cut_short(tmp_path: Path) -> None:
    write(tmp_path, "prod", {**example_settings(), "timezone": ["Europe/Berlin"] * 40})
    assert len(error_of(tmp_path)) < 200


def test_the_settings_of_this_repository_are_right(root: Path) -> None:
    prod, lab = load_settings("prod", root), load_settings("lab", root)
    assert set(prod.hosts) == set(lab.hosts) == {"komodo", "nvr", "kasm", "omni", "server04", "seaweedfs"}
    assert prod.versions == lab.versions


def test_the_rehearsal_reaches_nothing_but_this_machine(root: Path) -> None:
    lab = load_settings("lab", root)
    text = lab.model_dump_json()
    assert "192.168." not in text
    assert "sharmamohit.com" not in text
    assert all(host.address.startswith("127.") for host in lab.hosts.values())
    assert lab.komodo.address.startswith("http://127.0.0.1:")


SITE = """\
# ours
config:
  homeops:komodo:
    # where Core is
    address: http://komodo.test:9120
    url: https://komodo.test  # the UI

  # a note on what follows
  homeops:network: {domain: test}
"""


def test_a_setting_is_added_to_its_block_and_nothing_else_changes(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.home.yaml"
    file.write_text(SITE)
    assert add_setting("home", tmp_path, "komodo", "publicKey", "MCow+/=") == file
    told = "    url: https://komodo.test  # the UI\n"
    assert file.read_text() == SITE.replace(told, f"{told}    publicKey: MCow+/=\n")
    assert yaml.safe_load(file.read_text())["config"]["homeops:komodo"]["publicKey"] == "MCow+/="


@pytest.mark.parametrize("block", ["network", "versions"])
def test_a_setting_without_a_block_of_lines_is_left_to_its_owner(block: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.home.yaml"
    file.write_text(SITE)
    with pytest.raises(SettingsError, match=f"homeops:{block} is no block of lines"):
        add_setting("home", tmp_path, block, "publicKey", "MCow")
    assert file.read_text() == SITE


def test_a_setting_is_added_where_the_file_ends_without_a_line_end(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.home.yaml"
    file.write_text("config:\n  homeops:komodo:\n    address: http://komodo.test:9120")
    add_setting("home", tmp_path, "komodo", "publicKey", "MCow")
    assert file.read_text() == "config:\n  homeops:komodo:\n    address: http://komodo.test:9120\n    publicKey: MCow\n"


@pytest.mark.parametrize("off", [False, "false"])
def test_hosts_are_not_managed_where_the_settings_say_false(off: object, tmp_path: Path) -> None:
    write(tmp_path, "prod", {**example_settings("nvr"), "ssh": {"canary": "nvr"}})
    write(tmp_path, "rehearsal", {"like": "prod", "ssh": off})
    assert load_settings("prod", tmp_path).ssh is not None
    assert load_settings("rehearsal", tmp_path).ssh is None
