"""Compose files read: what is found, and what is said of a file that is wrong."""

from pathlib import Path
from textwrap import dedent

import pytest

from homeops.compose.compose_file import ComposeFile, EnvFile, Network, read_compose
from homeops.compose.short_syntax import Port, Volume
from homeops.errors import ComposeError


def read(directory: Path, text: str) -> ComposeFile:
    path = directory / "compose.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return read_compose(path)


def problems(directory: Path, text: str) -> list[str]:
    with pytest.raises(ComposeError) as error:
        read(directory, text)
    assert all(problem.where.startswith(str(directory)) for problem in error.value.problems)
    return [f"{p.where.rpartition(':')[2]}: {p.what}" for p in error.value.problems]


def test_everything_of_a_service_is_found_in_either_syntax(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        """\
        name: project
        services:
          web:
            image: example/web:1.2
            container_name: web
            restart: unless-stopped
            network_mode: host
            env_file:
              - .env
              - path: more.env
                required: false
                format: raw
            ports:
              - 8080:80
              - target: 53
                published: "5353"
                host_ip: 127.0.0.1
                protocol: udp
            volumes:
              - ./site:/srv:ro
              - data:/data
              - type: tmpfs
                target: /tmp
              - {type: bind, source: /etc/key, target: /key, read_only: true, bind: {create_host_path: false}}
            healthcheck: {test: [CMD, "true"]}
          job:
            build: .
            x-homeops: {no_healthcheck: it ends}
        volumes:
          data:
        networks:
          proxy: {external: true}
          shared: {name: shared-net}
          inner:
        """,
    )
    web, job = file.services
    assert (file.project_name, file.volumes) == ("project", ("data",))
    assert (web.image, web.container_name, web.restart, web.network_mode) == (
        "example/web:1.2",
        "web",
        "unless-stopped",
        "host",
    )
    assert web.env_files == (EnvFile(".env", True, "", 9), EnvFile("more.env", False, "raw", 10))
    assert web.ports == (Port("", "8080", "80", "tcp", 14), Port("127.0.0.1", "5353", "53", "udp", 15))
    assert web.volumes == (
        Volume("bind", "./site", "/srv", True, 20),
        Volume("volume", "data", "/data", False, 21),
        Volume("tmpfs", "", "/tmp", False, 22),  # noqa: S108
        Volume("bind", "/etc/key", "/key", True, 24, has_to_exist=True),
    )
    assert (web.healthcheck, web.build, web.line) == (True, False, 3)
    assert (job.healthcheck, job.build, job.no_healthcheck, job.image) == (False, True, "it ends", "")
    assert file.networks == (
        Network("proxy", "proxy", True, 32),
        Network("shared", "shared-net", False, 33),
        Network("inner", "", False, 34),
    )


def test_anchors_and_merge_keys_count_and_the_services_own_keys_win(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        """\
        x-base: &base {restart: always, image: "a:1", env_file: .env}
        x-more: &more {restart: "no", container_name: more}
        services:
          web:
            <<: [*base, *more]
            image: b:2
        """,
    )
    (web,) = file.services
    assert (web.image, web.restart, web.container_name) == ("b:2", "always", "more")
    assert [entry.path for entry in web.env_files] == [".env"]


@pytest.mark.parametrize(
    ("healthcheck", "there"),
    [
        ('{test: "curl localhost"}', True),
        ("{interval: 5s}", True),
        ("{disable: true, test: [CMD, x]}", False),
        ('{test: ["NONE"]}', False),
        ("", False),
    ],
)
def test_a_disabled_health_check_is_none(tmp_path: Path, healthcheck: str, there: bool) -> None:
    file = read(tmp_path, f"services:\n  web:\n    image: a:1\n    healthcheck: {healthcheck}\n")
    assert file.services[0].healthcheck is there


def test_the_restart_policy_of_a_swarm_service_counts(tmp_path: Path) -> None:
    services = read(
        tmp_path,
        """\
        services:
          a: {image: "a:1", deploy: {restart_policy: {condition: on-failure}}}
          b: {image: "b:1", deploy: {restart_policy: {delay: 5s}}}
          c: {image: "c:1", deploy: {replicas: 2}}
        """,
    ).services
    assert [service.restart for service in services] == ["on-failure", "any", ""]


def test_variables_are_found_in_values_with_their_line_and_not_in_comments_and_keys(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        """\
        services:
          web: # ${COMMENT}
            image: a:${TAG:?set it}
            environment:
              $KEY: ${A:-${B}} costs $$5
        """,
    )
    assert [(v.name, v.operator, v.line) for v in file.interpolations] == [
        ("TAG", ":?", 3),
        ("A", ":-", 5),
        ("B", "", 5),
    ]


def test_values_with_tags_of_compose_are_read(tmp_path: Path) -> None:
    file = read(tmp_path, "services:\n  web:\n    image: a:1\n    ports: !reset []\n    env_file: !override [.env]\n")
    assert file.services[0].ports == ()
    assert [entry.path for entry in file.services[0].env_files] == [".env"]


def test_all_problems_of_a_file_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    assert problems(
        tmp_path,
        """\
        services:
          web:
            image: [a]
            ports: 80
            env_file:
              - required: false
            volumes:
              - source: data
            environment:
              A: ${1}
          web: {image: b}
        """,
    ) == [
        "10: compose knows no such form: ${1}",
        "11: web stands here a second time; first on line 2",
    ]
    assert problems(
        tmp_path,
        """\
        services:
          web:
            image: [a]
            ports: 80
            env_file:
              - required: false
            volumes:
              - source: data
            healthcheck: never
          api: nothing
        """,
    ) == [
        "3: services.web.image: want a text",
        "4: services.web.ports: want a list",
        "6: services.web.env_file: an entry without path",
        "8: services.web.volumes: an entry without type",
        "9: services.web.healthcheck: want a mapping",
        "10: services.api: want a mapping",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("# only a comment\n", "the file is empty"),
        ("- a\n", "not a compose file: want a mapping"),
        ("services:\n  web: [\n", "not YAML: expected the node content"),
        ("services:\n\tweb: {}\n", "not YAML: found character '\\t'"),
        ("a: 1\n---\nb: 2\n", "not YAML: but found another document"),
        ("services: {web: {image: *unknown}}\n", "not YAML: found undefined alias"),
        ("services: []\n", "services: want a mapping"),
        ("services: {web: {image: '${A:-b'}}\n", "${A is not closed"),
    ],
)
def test_a_file_that_is_no_compose_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ComposeError, match=r"compose\.yaml") as error:
        read(tmp_path, text)
    assert said in str(error.value)


def test_a_missing_file_is_refused_with_the_names_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").touch()
    with pytest.raises(ComposeError) as error:
        read_compose(tmp_path / "compose.yaml")
    assert str(error.value) == (
        f"{tmp_path}/compose.yaml: no such compose file\n  hint: in {tmp_path}: docker-compose.yml"
    )
    with pytest.raises(ComposeError, match="there is no directory"):
        read_compose(tmp_path / "absent" / "compose.yaml")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ComposeError, match="cannot read the compose file"):
        read_compose(tmp_path / "compose.yaml")


def test_a_service_is_found_by_name_or_its_nearest_name_is_told(tmp_path: Path) -> None:
    file = read(tmp_path, "services: {frigate: {image: 'a:1'}, mqtt: {image: 'b:1'}}\n")
    assert file.service("mqtt").image == "b:1"
    with pytest.raises(ComposeError, match='no service "frigat"; did you mean "frigate"') as error:
        file.service("frigat")
    assert error.value.problems[0].hint == "services: frigate, mqtt"


def test_variables_without_a_value_are_inherited_in_either_syntax(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        """\
        services:
          a:
            environment:
              - GIVEN=1
              - TOKEN
          b:
            environment:
              GIVEN: "1"
              EMPTY: ""
              TOKEN:
        """,
    )
    inherited = {service.name: [(name.name, name.line) for name in service.inherited] for service in file.services}
    assert inherited == {"a": [("TOKEN", 5)], "b": [("TOKEN", 10)]}


def test_the_secrets_that_a_service_needs_are_what_it_says_or_unknown(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        """\
        services:
          says:
            x-homeops:
              secrets: [TOKEN,
                        PASSWORD]
          needs_none:
            x-homeops: {secrets: []}
          silent:
            image: example/web
        """,
    )
    needed = {service.name: service.secrets for service in file.services}
    assert needed == {"says": (("TOKEN", 4), ("PASSWORD", 5)), "needs_none": (), "silent": None}


def test_files_of_configs_and_secrets_are_found(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        """\
        configs:
          app: {file: ./app.json}
          inline: {content: text}
        secrets:
          token: {file: token.yaml}
          other: {environment: TOKEN}
        """,
    )
    assert file.files == ("./app.json", "token.yaml")
