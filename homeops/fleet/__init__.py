"""This homelab: what the owner edits. One module a kind; a stack is one declaration in stacks.py and a directory."""

from homeops.fleet.builds import builder, periphery_custom
from homeops.fleet.hosts import HOSTS
from homeops.fleet.procedures import procedures
from homeops.fleet.stacks import STACKS
from homeops.fleet.sync import sync
from homeops.fleet.tags import TAGS
from homeops.fleet.variables import variables
from homeops.model.fleet import Fleet
from homeops.model.site import Site


def declare(site: Site) -> Fleet:
    """The fleet for an environment."""
    return Fleet(
        hosts=HOSTS,
        stacks=STACKS,
        builders=(builder,),
        builds=(periphery_custom(site),),
        procedures=procedures(site),
        syncs=(sync,),
        variables=variables(site),
        tags=TAGS,
    )
