"""The six hosts. Addresses and SSH users are facts of the site: Pulumi.<stack>.yaml."""

from homeops.model.host import AgeKey, ApparmorMask, ContainerPeriphery, DockerDns, Host, NativeSops, SystemdPeriphery

AGE_KEY = AgeKey(reason="Periphery decrypts secrets with it; where SSH is not root's, it was once left with that user")

ROOT_COMPOSE = "/root/komodo-periphery/compose.yaml"
USER_COMPOSE = "~/komodo-periphery/compose.yaml"

komodo = Host(
    "komodo",
    description="Komodo Core and its own Periphery (Proxmox LXC container 200)",
    tags=["control-plane"],
    role="Komodo Core (self-managed) and systemd Periphery",
    # A service of systemd survives the redeploy of Core, and so can bring Core back.
    periphery=SystemdPeriphery(path="/etc/komodo/periphery.config.toml"),
    quirks=[
        AGE_KEY,
        ApparmorMask(
            reason="an unprivileged LXC container cannot read AppArmor's profiles, so Docker's integration of it fails",
        ),
        NativeSops(reason="the systemd Periphery runs the decrypt hook on the host itself, not in the custom image"),
    ],
)

nvr = Host(
    "nvr",
    description="Video recording",
    tags=["media"],
    role="Video recording",
    periphery=ContainerPeriphery(path=ROOT_COMPOSE),
    quirks=[AGE_KEY],
)

kasm = Host(
    "kasm",
    description="Remote desktop (KASM)",
    tags=["remote-access"],
    role="Remote desktop (KASM)",
    periphery=ContainerPeriphery(path=ROOT_COMPOSE),
    quirks=[AGE_KEY],
    unmanaged={"KASM Workspaces": "its installer manages it; only Newt, the tunnel agent, is ours on this host"},
)

omni = Host(
    "omni",
    description="Talos Kubernetes management",
    tags=["kubernetes"],
    role="Talos K8s management",
    periphery=ContainerPeriphery(path=ROOT_COMPOSE),
    quirks=[AGE_KEY],
)

server04 = Host(
    "server04",
    description="App server and build server",
    tags=["apps", "build"],
    role="App server and build server",
    periphery=ContainerPeriphery(path=USER_COMPOSE),
    quirks=[
        AGE_KEY,
        DockerDns(
            reason="Docker's embedded DNS does not forward on this host, and a git clone inside the container fails",
        ),
    ],
)

seaweedfs = Host(
    "seaweedfs",
    description="Object storage",
    tags=["storage"],
    role="Object storage",
    periphery=ContainerPeriphery(path=USER_COMPOSE),
    quirks=[AGE_KEY],
)

HOSTS = (komodo, nvr, kasm, omni, server04, seaweedfs)
