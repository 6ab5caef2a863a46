"""Komodo's own applier of the same declaration, which declares itself."""

from homeops.model.resources import ResourceSync

RESOURCES_DIRECTORY = "docker/komodo-resources"

sync = ResourceSync(
    "mohitsharma44/homeops",
    description="The declarations of this repository",
    tags=["komodo"],
    resource_path=[RESOURCES_DIRECTORY],
    # Undeclared objects are deleted, itself included: so it is declared here, exactly as it is.
    delete=True,
    include_variables=True,
)
