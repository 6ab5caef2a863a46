"""The inputs of a declared object: what a run registers, and what Komodo's own is compared with."""

from homeops.komodo.props import Props, as_props
from homeops.model.canonical import canonical
from homeops.model.graph import Resource
from homeops.model.wire import minimal


def inputs_of(declared: Resource) -> Props:
    """An object of the graph as Pulumi takes it: canonical, without what is default."""
    config: Props = minimal(canonical(declared.config))
    return as_props(declared.name, config, declared.description, declared.tags, declared.template)
