"""How Periphery builds images: their names and tags, and the command line (entities/build.rs)."""

from homeops.lab.core.entry_lines import entries
from homeops.lab.core.state import Document
from homeops.lab.core.toml_export import version_text


def image_tags(build: Document, commit: str | None) -> list[str]:
    """The references under which a Build's image is known."""
    config = build["config"]
    version = config["version"]
    postfix = f"-{config['image_tag']}" if config["image_tag"] else ""
    tags: list[str] = []
    for name in image_names(build):
        if config["image_tag"]:
            tags.append(f"{name}:{config['image_tag']}")
        if config["include_latest_tag"]:
            tags.append(f"{name}:latest{postfix}")
        if config["include_version_tags"]:
            numbers = version_text(version), f"{version['major']}.{version['minor']}", version["major"]
            tags += [f"{name}:{number}{postfix}" for number in numbers]
        if config["include_commit_tag"] and commit:
            tags.append(f"{name}:{commit}{postfix}")
    return tags


def image_names(build: Document) -> list[str]:
    """The names of a Build's image, one for each registry."""
    name = build["config"]["image_name"] or build["name"]
    names: list[str] = []
    for registry in build["config"]["image_registry"] or [{"domain": ""}]:
        owner = registry.get("organization") or registry.get("account")
        parts = (registry["domain"], owner, name) if registry["domain"] else (name,)
        names.append("/".join(part for part in parts if part))
    return names


def build_command(build: Document, commit: str | None) -> str:
    """The ``docker build`` of a Build; after interpolation, so with secrets in clear."""
    config = build["config"]
    words = ["docker buildx build" if config["use_buildx"] else "docker build"]
    words += [f'--build-arg {key}="{value}"' for key, value in entries(config["build_args"])]
    words.append(f'--build-arg VERSION="{version_text(config["version"])}"')
    words += [f"--secret id={key}" for key, _ in entries(config["secret_args"])]
    words += [f'--label {key}="{value}"' for key, value in entries(config["labels"])]
    words += [*config["extra_args"], *(f"-t {tag}" for tag in image_tags(build, commit))]
    if config["image_registry"]:
        words.append("--push")
    return " ".join([*words, "-f", config["dockerfile_path"], "."])
