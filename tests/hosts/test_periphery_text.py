"""What is written on a host for Periphery, as text."""

import subprocess
import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from homeops.fleet.builds import PERIPHERY_IMAGE
from homeops.fleet.hosts import HOSTS
from homeops.hosts.periphery import periphery
from homeops.hosts.periphery_compose import IMAGE, compose_text, project
from homeops.hosts.periphery_shell import PUBLIC_KEY
from homeops.hosts.periphery_systemd import config_text, unit_text
from homeops.model.host import ContainerPeriphery, DockerDns, Host, SystemdPeriphery
from homeops.model.site import Site
from tests.example_site import example_settings, example_site

DIGEST = f"sha256:{'d' * 64}"
ODD_KEY = "MCow$BQ'Yx\"="
"""A key that would break out of quotes if anything forgot to quote it."""


def site(public_key: str | None = None, **versions: str) -> Site:
    settings = example_settings("one")
    settings["versions"] |= versions
    if public_key:
        settings["komodo"]["publicKey"] = public_key
    return Site.model_validate(settings)


def service(text: str) -> dict[str, Any]:
    return yaml.safe_load(text)["services"]["periphery"]


def composed(site: Site, *dns: str) -> dict[str, Any]:
    return service(compose_text("/root/komodo-periphery/compose.yaml", site, dns, "/etc/sops/age/keys.txt")[0])


def test_the_image_that_hosts_run_is_the_one_that_is_built() -> None:
    assert IMAGE == PERIPHERY_IMAGE


def test_the_image_is_by_digest_where_there_is_one_else_by_tag() -> None:
    assert composed(site(peripheryImageDigest=DIGEST))["image"] == f"{IMAGE}@{DIGEST}"
    assert composed(site(peripheryImageTag="latest"))["image"] == f"{IMAGE}:latest"


def test_core_is_checked_by_its_key_where_the_key_is_known() -> None:
    assert "PERIPHERY_CORE_PUBLIC_KEYS" not in composed(site())["environment"]
    # Compose makes one dollar of two.
    assert composed(site(ODD_KEY))["environment"]["PERIPHERY_CORE_PUBLIC_KEYS"] == ODD_KEY.replace("$", "$$")
    assert "core_public_keys" not in tomllib.loads(config_text(site()))
    assert tomllib.loads(config_text(site(ODD_KEY)))["core_public_keys"] == [ODD_KEY]


def test_the_agents_own_key_is_on_the_host_where_its_public_half_is_looked_for() -> None:
    place = f"file:{PUBLIC_KEY.removesuffix('.pub')}.key"
    made = composed(site())
    assert made["environment"]["PERIPHERY_PRIVATE_KEY"] == place
    assert any(PUBLIC_KEY.startswith(f"{mount.partition(':')[0]}/") for mount in made["volumes"])
    assert tomllib.loads(config_text(site()))["private_key"] == place


def test_only_a_host_whose_docker_dns_does_not_forward_names_a_dns_server() -> None:
    names = [host.name for host in HOSTS]
    for host in HOSTS:
        wanted = periphery(host, example_site(*names)).wanted
        if isinstance(host.periphery, ContainerPeriphery):
            assert wanted["dns"] == ("127.0.0.1" if host.name == "server04" else "none")
        else:
            assert "dns" not in wanted
    assert "dns" not in composed(site())
    assert composed(site(), "192.0.2.53")["dns"] == ["192.0.2.53"]


def test_any_setting_is_seen_in_the_label_of_the_container() -> None:
    texts = [
        compose_text("/x/y/compose.yaml", each, dns, "/etc/sops/age/keys.txt")
        for each, dns in product((site(), site(ODD_KEY), site(peripheryImageDigest=DIGEST)), ((), ("192.0.2.53",)))
    ]
    assert len({settings for _, settings in texts}) == len(texts)
    for text, settings in texts:
        assert service(text)["labels"]["homeops.settings"] == settings


def test_the_age_key_is_read_only_where_the_hook_looks_for_it() -> None:
    service = composed(site())
    assert "/etc/sops/age:/etc/sops/age:ro" in service["volumes"]
    assert service["environment"]["SOPS_AGE_KEY_FILE"] == "/etc/sops/age/keys.txt"
    assert "SOPS_AGE_KEY_FILE=/etc/sops/age/keys.txt" in unit_text("/etc/komodo/x.toml", "/etc/sops/age/keys.txt")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("~/komodo-periphery/compose.yaml", "komodo-periphery"),
        ("/srv/My Agent/compose.yaml", "myagent"),
        ("/_-x/compose.yaml", "x"),
        ("/compose.yaml", "periphery"),
    ],
)
def test_the_project_is_what_compose_makes_of_the_directory(path: str, name: str) -> None:
    assert project(path) == name


def test_without_a_checksum_a_service_has_its_version_only_shown() -> None:
    host = Host("one", periphery=SystemdPeriphery(path="/etc/komodo/periphery.config.toml"))
    shown = periphery(host, site())
    assert "binary" not in shown.wanted
    assert shown.reported["version"] == "9.8.7"
    held = periphery(host, site(peripherySha256="a" * 64))
    assert held.wanted["version"] == "9.8.7"
    assert held.wanted["binary"] == "sha256:aaaaaaaaaaaa"


def test_scripts_are_clean_shell(tmp_path: Path, shellcheck: str) -> None:
    hosts = (
        Host(
            "one", periphery=ContainerPeriphery(path="~/with space/compose.yaml"), quirks=[DockerDns(reason="because")]
        ),
        Host("one", periphery=ContainerPeriphery(path="/root/periphery/compose.yaml")),
        Host("one", periphery=SystemdPeriphery(path="/etc/komodo/with space.toml")),
    )
    for place, host in enumerate(hosts):
        requirement = periphery(host, site(ODD_KEY, peripherySha256="a" * 64))
        (tmp_path / f"{place}-probe").write_text(requirement.probe)
        (tmp_path / f"{place}-apply").write_text(requirement.apply)
    for shell in ("sh", "dash"):
        checked = subprocess.run(
            [shellcheck, f"--shell={shell}", *sorted(map(str, tmp_path.iterdir()))],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (checked.returncode, checked.stdout) == (0, "")
