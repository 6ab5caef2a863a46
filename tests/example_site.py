"""Settings of an imaginary homelab, for tests that declare a fleet of their own."""

from typing import Any

from homeops.model.site import Site, Versions


def example_settings(*hosts: str) -> dict[str, Any]:
    """Settings as in Pulumi.<stack>.yaml, without their namespace; ``hosts`` get addresses of this machine."""
    return {
        "komodo": {"address": "http://core.example:9120", "url": "https://core.example"},
        "network": {"domain": "example.org", "dnsServer": "127.0.0.1", "acmeEmail": "admin@example.org"},
        "repository": {"name": "someone/fleet"},
        "versions": {
            "komodo": "9.8.7",
            "peripheryImageTag": "9.8.7",
            "sops": "9.8.7",
            "sopsSha256": "0" * 64,
            "age": "9.8.7",
            "ageSha256": "0" * 64,
        },
        "hosts": {host: {"address": f"127.0.0.{number}"} for number, host in enumerate(hosts, start=1)},
    }


def example_versions(**others: str) -> Versions:
    """The versions of those settings, some of them others."""
    return Versions.model_validate({**example_settings()["versions"], **others})


def example_site(*hosts: str) -> Site:
    """The site of those settings."""
    return Site.model_validate(example_settings(*hosts))
