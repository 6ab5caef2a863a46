"""Something of every kind, with fields of every class; and the same with every one of those fields changed."""

import json
from typing import Any

from tests.engine.engine import Document, changed, declared

SECRET = "correct horse battery staple"
OTHER_SECRET = "a secret nobody declared"
WEBHOOK = "https://hooks.slack.com/services/T1/B1/not-to-be-shown"
ENVIRON = {"TEST_SECRET": SECRET, "TEST_WEBHOOK": WEBHOOK, "TEST_PASSKEY": "passkey of the server"}

COMPOSE = "services:\n  web:\n    image: nginx:1.27\n"


def _stage(name: str, kind: str, **params: Any) -> Document:
    return {"name": name, "enabled": True, "executions": [{"execution": {"type": kind, "params": params}}]}


TAGS = (declared("Tag", "blue-tag", color="Blue"), declared("Tag", "red-tag", color="DarkRed"))

EVERYTHING: tuple[Document, ...] = (
    *TAGS,
    declared("Variable", "PLAIN", value="some text", description="not a secret"),
    declared("Variable", "HIDDEN", value="env:TEST_SECRET", is_secret=True),
    declared(
        "Server",
        "main-server",
        address="https://127.0.0.2:8120",
        enabled=True,
        cpu_warning=90.1,
        mem_warning=74.5,
        links=["https://a.example", "https://b.example"],
        passkey="env:TEST_PASSKEY",
        maintenance_windows=[{"name": "night", "hour": 3, "duration_minutes": 60}],
        description="where things run",
        tags=["red-tag", "blue-tag"],
    ),
    declared("Server", "spare-server", address="https://127.0.0.3:8120", enabled=True),
    declared("Swarm", "main-swarm", server_ids=["main-server"], links=["https://swarm.example"]),
    declared(
        "Stack",
        "main-stack",
        server_id="main-server",
        project_name="main",
        file_contents=f"{COMPOSE}\n\n",
        environment="TZ=Etc/UTC\nA=1",
        config_files=[{"path": "nginx.conf", "requires": "Restart"}],
        pre_deploy={"path": "hooks", "command": "true\n"},
        description="a stack",
        tags=["blue-tag"],
    ),
    declared("Stack", "template-stack", file_contents=COMPOSE, template=True),
    declared(
        "Deployment",
        "main-deployment",
        server_id="main-server",
        image={"type": "Image", "params": {"image": "nginx:1.27"}},
        ports="8080:80",
        termination_timeout=30,
        extra_args=["--memory 1g"],
        description="a container",
    ),
    declared("Builder", "url-builder", type="Url", params={"address": "https://127.0.0.9:8120"}),
    declared("Builder", "server-builder", type="Server", params={"server_ids": ["main-server"]}, tags=["red-tag"]),
    declared(
        "Builder",
        "aws-builder",
        type="Aws",
        params={"volume_gb": 30, "git_providers": [{"domain": "git.example", "accounts": [{"username": "somebody"}]}]},
    ),
    declared(
        "Build",
        "main-build",
        builder_id="server-builder",
        version={"major": 1, "minor": 2},
        image_registry=[{"domain": "ghcr.io", "account": "somebody"}],
        build_args="A=1\n",
        repo="somebody/something",
        description="an image",
    ),
    declared("Repo", "main-repo", server_id="main-server", repo="somebody/something", on_pull={"command": "make"}),
    declared(
        "Procedure",
        "main-procedure",
        stages=[_stage("first", "DeployStack", stack="main-stack"), _stage("then", "Sleep", duration_ms=100)],
        schedule="0 0 4 * * *",
        schedule_format="Cron",
        tags=["blue-tag"],
    ),
    declared("Action", "main-action", file_contents="console.log(1)\n", arguments="A = 1\n", schedule_enabled=False),
    declared(
        "Alerter",
        "main-alerter",
        enabled=True,
        endpoint={"type": "Slack", "params": {"url": "env:TEST_WEBHOOK"}},
        alert_types=["ServerUnreachable", "ServerCpu"],
        resources=[{"type": "Stack", "id": "main-stack"}],
    ),
    declared("ResourceSync", "main-sync", repo="somebody/something", resource_path=["resources"], delete=True),
    declared("UserGroup", "main-group", users=["admin"], all={"Stack": {"level": "Read", "specific": ["Logs"]}}),
)
NAMES = frozenset(f"{item['kind']} {item['name']}" for item in EVERYTHING)

CHANGES: dict[str, Document] = {
    "red-tag": {"color": "LightGreen"},
    "PLAIN": {"value": "another text", "description": "still no secret"},
    "HIDDEN": {"is_secret": False, "value": "public now"},
    "main-server": {
        "cpu_warning": 80.3,
        "mem_warning": 60,
        "auto_prune": False,
        "links": ["https://b.example", "https://a.example"],
        "maintenance_windows": [{"name": "night", "hour": 4, "duration_minutes": 90}],
        "description": "",
        "tags": ["blue-tag", "red-tag"],
    },
    "main-swarm": {"server_ids": ["spare-server", "main-server"], "send_unhealthy_alerts": False},
    "main-stack": {
        "server_id": "spare-server",
        "file_contents": COMPOSE.replace("1.27", "1.28"),
        "environment": "TZ=Etc/UTC\nA=2\n",
        "config_files": [{"path": "nginx.conf", "requires": "Redeploy"}, {"path": "other.conf"}],
        "pre_deploy": {"path": "hooks", "command": "false\n"},
        "auto_pull": False,
        "description": "the same stack",
        "tags": ["new-tag", "blue-tag"],
        "template": True,
    },
    "template-stack": {"template": False},
    "main-deployment": {
        "image": {"type": "Build", "params": {"build_id": "main-build"}},
        "ports": "8081:80\n",
        "termination_timeout": 45,
        "extra_args": ["--memory 2g", "--cpus 1"],
    },
    "url-builder": {"params": {"address": "https://127.0.0.8:8120"}},
    "server-builder": {"params": {"server_ids": ["main-server", "spare-server"]}},
    "aws-builder": {"params": {"volume_gb": 40}},
    "main-build": {
        "builder_id": "url-builder",
        "version": {"major": 2},
        "build_args": "A=2\nB=3\n",
        "image_registry": [],
    },
    "main-repo": {"on_pull": {"command": "make all"}, "branch": "dev"},
    "main-procedure": {"stages": [_stage("first", "Sleep", duration_ms=200)], "schedule": "0 0 5 * * *"},
    "main-action": {"file_contents": "console.log(2)", "arguments_format": "toml", "schedule_enabled": True},
    "main-alerter": {
        "endpoint": {"type": "Ntfy", "params": {"url": "env:TEST_WEBHOOK", "email": "ops@homelab.example"}},
        "alert_types": [],
        "resources": [{"type": "Server", "id": "spare-server"}],
    },
    "main-sync": {"resource_path": ["resources", "more"], "delete": False, "match_tags": ["blue-tag"]},
    "main-group": {"everyone": True, "users": [], "all": {"Build": {"level": "Execute"}}},
}

CHANGED = tuple(changed(item, **CHANGES.get(item["name"], {})) for item in EVERYTHING)
"""All but the blue tag and the spare server differs from ``EVERYTHING``."""

RENAMED_KINDS = frozenset(item["kind"] for item in EVERYTHING) - {"Variable"}


def renamed(things: tuple[Document, ...]) -> tuple[Document, ...]:
    """The same things under other names, references included; variables keep theirs."""
    text = json.dumps(things)
    for item in things:
        if item["kind"] != "Variable":
            text = text.replace(f'"{item["name"]}"', f'"new-{item["name"]}"')
    new: list[Document] = json.loads(text)
    return tuple(
        item if item["kind"] == "Variable" else item | {"former": item["name"].removeprefix("new-")} for item in new
    )
