"""A compose file for another directory: what is edited, what stays to the letter, and what cannot be moved."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from homeops.imports.compose_text import NotForAnotherDirectory, Place, edited

TEXT = """\
# Comments stay.
x-common: &common
  restart: always
services:
  web:
    <<: *common
    image: "nginx:1"
    env_file: ./web.env  # the site's
    environment:
      # Kept with its comment.
      MODE: prod
      PASSWORD: hunter2
    volumes:
      - .:/site:ro
      - "../media:/media"
      - data:/data
      - ~/home:/home
      - type: bind
        source: ./long
        target: /long
      - /abs:/abs
  db:
    image: postgres:17
    build: ./db
    environment:
      - TOKEN=abc
secrets:
  key: { file: ./key.txt }
volumes:
  data:
    driver_opts: { device: ./disk, o: bind, type: none }
"""


def moves(key: str, _: str) -> bool:
    return key in ("PASSWORD", "TOKEN")


def own_file(service: str) -> str:
    return f"{service}.own.env"


SERVICES = {"web": {"volumes": [{"type": "bind", "source": "/home/me/home", "target": "/home"}]}}
ENV_FILES = {"/opt/app/web.env": "web.env", "/opt/app/old/prod": "prod.env"}
PLACE = Place("/opt/app", SERVICES, ENV_FILES, moves, own_file)


def test_relative_paths_become_those_of_the_old_directory() -> None:
    now = yaml.safe_load(edited(TEXT, PLACE).text)
    assert now["services"]["web"]["volumes"] == [
        "/opt/app:/site:ro",
        "/opt/media:/media",
        "data:/data",
        "/home/me/home:/home",
        {"type": "bind", "source": "/opt/app/long", "target": "/long"},
        "/abs:/abs",
    ]
    assert now["services"]["db"]["build"] == "/opt/app/db"
    assert now["secrets"] == {"key": {"file": "/opt/app/key.txt"}}
    assert now["volumes"]["data"]["driver_opts"]["device"] == "/opt/app/disk"


def test_entries_move_into_an_env_file_that_counts_for_more_than_the_others() -> None:
    found = edited(TEXT, PLACE)
    web, db = (yaml.safe_load(found.text)["services"][name] for name in ("web", "db"))
    assert web["env_file"] == ["./web.env", {"path": "web.own.env", "format": "raw"}]
    assert web["environment"] == {"MODE": "prod"}
    assert (db["env_file"], "environment" in db) == ([{"path": "db.own.env", "format": "raw"}], False)
    assert [(moved.service, moved.key) for moved in found.moved] == [("web", "PASSWORD"), ("db", "TOKEN")]
    assert "hunter2" not in found.text + repr(found.moved)


def test_lines_that_need_no_edit_stay_to_the_letter() -> None:
    before, after = TEXT.splitlines(), edited(TEXT, PLACE).text.splitlines()
    untouched = [line for line in before if not any(word in line for word in ("./", ".:/", "~/", "PASSWORD", "TOKEN"))]
    assert set(untouched) <= set(after)
    assert edited("services: {a: {image: b}}\n", PLACE).text == "services: {a: {image: b}}\n"


@pytest.mark.parametrize(
    ("env_file", "became"),
    [
        ("env_file: [web.env]", ["web.env", {"path": "web.own.env", "format": "raw"}]),
        ("env_file:\n      - web.env\n      - path: b.env\n        required: false", ["web.env"]),
        ("env_file: old/prod", ["prod.env", {"path": "web.own.env", "format": "raw"}]),
    ],
)
def test_env_files_are_written_in_every_form(env_file: str, became: list[object]) -> None:
    text = f"services:\n  web:\n    {env_file}\n    environment:\n      PASSWORD: x\n    image: a\n"
    found = edited(text, PLACE)
    service = yaml.safe_load(found.text)["services"]["web"]
    assert service["env_file"][: len(became)] == became
    assert service["env_file"][-1] == {"path": "web.own.env", "format": "raw"}
    assert (service["image"], "environment" in service) == ("a", False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("include: [a.yaml]\nservices: {}\n", "it includes other files"),
        ("services:\n  a: {extends: {file: b.yaml, service: c}}\n", "service a extends one of another file"),
        ("services:\n  a:\n    environment: {PASSWORD: x}\n", "the environment of a stands on one line"),
        (
            "x-env: &env\n  PASSWORD: x\nservices:\n  a:\n    environment: *env\n",
            "the environment of a is shared with other services",
        ),
        (
            "x-all: &all\n  environment:\n    PASSWORD: x\nservices:\n  a:\n    <<: *all\n",
            "the environment of a is shared with other services",
        ),
        ("- a\n", "it is not a mapping"),
        ("a: [\n", "it is not YAML"),
    ],
)
def test_what_cannot_stand_elsewhere_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(NotForAnotherDirectory) as refused:
        edited(text, PLACE)
    assert str(refused.value) == why


def test_compose_counts_the_edited_file_as_the_same(tool: Callable[[str], list[str]], tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new" / "deeper"
    for directory in (old, new):
        directory.mkdir(parents=True)
    text = TEXT.replace("~/home", "./home")
    place = Place(str(old), {}, {str(old / "web.env"): "web.env"}, moves, own_file)
    (old / "compose.yaml").write_text(text)
    (new / "compose.yaml").write_text(edited(text, place).text)
    for directory in (old, new):
        (directory / "web.env").write_text("PASSWORD=of the file\nMORE=1\n")
    (new / "web.own.env").write_text("PASSWORD=hunter2\n")
    (new / "db.own.env").write_text("TOKEN=abc\n")

    def counted(directory: Path) -> str:
        command = [*tool("docker-compose"), "-p", "app", "-f", str(directory / "compose.yaml"), "config", "--hash", "*"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert counted(new) == counted(old)
    (new / "db.own.env").write_text("TOKEN=other\n")
    assert counted(new) != counted(old)
