"""The custom Periphery image (Periphery with sops, age and the decrypt hook), and where it is built."""

from homeops.fleet.hosts import server04
from homeops.hosts.periphery_compose import IMAGE as PERIPHERY_IMAGE
from homeops.model.conventions import registry_of
from homeops.model.resources import Build, Builder
from homeops.model.site import Site

builder = Builder("server04-builder", description="Builds on server04", tags=["build"], hosts=[server04])


def periphery_custom(site: Site) -> Build:
    """The build of the Periphery image that container hosts run; its versions are those of the settings."""
    return Build(
        "periphery-custom",
        description="Periphery with sops and age",
        tags=["build", "komodo"],
        builder=builder,
        directory="docker/periphery",
        image_name=PERIPHERY_IMAGE.rpartition("/")[2],
        image_registry=[registry_of(PERIPHERY_IMAGE)],
        args={
            "PERIPHERY_TAG": site.versions.komodo,
            "SOPS_VERSION": site.versions.sops,
            "SOPS_SHA256": site.versions.sops_sha256,
            "AGE_VERSION": site.versions.age,
            "AGE_SHA256": site.versions.age_sha256,
        },
        # The image's version is Komodo's, which the argument above says; Komodo's own counter would say nothing.
        auto_increment_version=False,
        include_version_tags=False,
    )
