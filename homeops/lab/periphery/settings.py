"""Periphery's configuration: a TOML file, and ``PERIPHERY_*`` variables, which come first (config/periphery.rs)."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

PATHS = "PERIPHERY_CONFIG_PATHS"

MISSING = {
    "core_address": "it dials no Core",
    "core_addresses": "it dials no Core",
    "passkeys": "it knows Core by its public key",
    "secrets": "it fills in no secrets",
}
"""Settings of the real one that would mean something else here if they were passed over."""


class SettingsError(ValueError):
    """A setting that cannot be used; the text names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What Periphery was told, with its own defaults for all else."""

    port: int
    bind_ip: str
    ssl_enabled: bool
    ssl_key_file: Path
    ssl_cert_file: Path
    root_directory: Path
    repo_dir: Path
    stack_dir: Path
    build_dir: Path
    private_key: str
    core_public_keys: tuple[str, ...]
    allowed_ips: tuple[IPv4Network | IPv6Network, ...]


def load_settings(paths: Sequence[Path], environ: Mapping[str, str]) -> Settings:
    """The settings of files (of a directory: those named ``*config.*``) and environment; raises SettingsError."""
    said: dict[str, Any] = {}
    for path in paths or [Path(part) for part in environ.get(PATHS, environ.get(PATHS[:-1], "")).split(",") if part]:
        for file in sorted(path.glob("*config.*")) if path.is_dir() else [path]:
            try:
                said |= tomllib.loads(file.read_text(encoding="utf-8"))
            except (OSError, ValueError) as reason:
                raise SettingsError(f"{file}: {reason}") from reason
    prefix = "PERIPHERY_"
    for name, value in environ.items():
        if name.upper().startswith(prefix):
            said[name.upper().removeprefix(prefix).lower()] = value
    if "private_key_file" in said:
        said["private_key"] = f"file:{said['private_key_file']}"
    for name, reason in MISSING.items():
        if said.get(name):
            raise SettingsError(f"{name}: this is a stand-in, and {reason}")
    if not _flag(said, "server_enabled"):
        raise SettingsError("server_enabled: this is a stand-in, and without its port nobody reaches it")
    return _settings(said)


def _settings(said: Mapping[str, Any]) -> Settings:
    root = Path(said.get("root_directory", "/etc/komodo"))
    keys = said.get("core_public_keys", said.get("core_public_key"))
    networks = _list(said.get("allowed_ips"))
    try:
        allowed = tuple(ip_network(network, strict=False) for network in networks)
    except ValueError as reason:
        raise SettingsError(f"allowed_ips: {reason}") from reason
    try:
        port = int(said.get("port", 8120))
    except ValueError as reason:
        raise SettingsError(f"port: {reason}") from reason
    return Settings(
        port=port,
        bind_ip=str(said.get("bind_ip", "[::]")),
        ssl_enabled=_flag(said, "ssl_enabled"),
        ssl_key_file=Path(said.get("ssl_key_file", root / "ssl/key.pem")),
        ssl_cert_file=Path(said.get("ssl_cert_file", root / "ssl/cert.pem")),
        root_directory=root,
        repo_dir=Path(said.get("repo_dir", root / "repos")),
        stack_dir=Path(said.get("stack_dir", root / "stacks")),
        build_dir=Path(said.get("build_dir", root / "builds")),
        private_key=str(said.get("private_key", f"file:{root / 'keys/periphery.key'}")),
        core_public_keys=tuple(_list(keys)),
        allowed_ips=allowed,
    )


def _list(value: Any) -> list[str]:
    """A list, or one text with commas."""
    parts = value.split(",") if isinstance(value, str) else [str(part) for part in value or ()]
    return [part.strip() for part in parts if part.strip()]


def _flag(said: Mapping[str, Any], name: str) -> bool:
    match str(said.get(name, "true")).lower():
        case "true":
            return True
        case "false":
            return False
        case other:
            raise SettingsError(f"{name}: {other!r} is neither true nor false")
