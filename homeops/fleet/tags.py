"""Tags and their colours: what a thing is for; the tags of hosts are their names."""

from homeops.model.resources import Tag

COLORS = {
    "control-plane": "Red",
    "komodo": "Purple",
    "media": "Amber",
    "remote-access": "Cyan",
    "kubernetes": "Blue",
    "apps": "Green",
    "build": "Orange",
    "storage": "Teal",
    "network": "Sky",
    "security": "Rose",
    "monitoring": "Lime",
    "maintenance": "Yellow",
    "deploy": "Indigo",
}
HOST_TAGS = ("nvr", "kasm", "omni", "server04", "seaweedfs")

TAGS = (
    *(Tag(name, color=color) for name, color in COLORS.items()),
    *(Tag(name) for name in HOST_TAGS),
)
