"""What is wrong with what is read: all that can be read is read all the same, and the rest is told where it stands."""

from pathlib import Path

import pytest

from homeops.errors import HomeopsError
from homeops.imports.from_toml import from_toml
from homeops.imports.report import Sort
from homeops.imports.written import write
from homeops.model.graph import Resource
from tests.imports.packages import Package, made_of, written

SERVER = '[[server]]\nname = "one"\nconfig.address = "https://127.0.0.1:8120"\n'


def stack(name: str, *more: str, config: str = "") -> str:
    head = "".join(f"{line}\n" for line in more)
    return f'\n[[stack]]\nname = "{name}"\n{head}[stack.config]\nserver = "one"\n{config}\n'


def package_of(directory: Path, **files: str | bytes) -> Package:
    place = directory / "toml"
    place.mkdir()
    for name, text in files.items():
        (place / f"{name}.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return written(made_of(from_toml([place])), directory)


def names(package: Package, kind: str = "Stack") -> set[str]:
    return {resource.name for resource in package.graph.of(kind)}


def told(package: Package, sort: Sort) -> list[str]:
    return [str(note) for note in package.made.notes if note.sort is sort]


def test_a_syntax_error_and_a_file_that_is_no_text_hide_nothing_else(tmp_path: Path) -> None:
    package = package_of(
        tmp_path,
        a=SERVER + stack("web") + '\n[[stack]]\nname = "broken\n' + stack("later"),
        b=b'[[stack]]\nname = "caf\xe9"\n',
        c=stack("db"),
    )
    assert names(package) == {"web", "later", "db"}
    findings = told(package, Sort.FINDING)
    assert findings[0].startswith("a.toml:12:8: not TOML: ")
    assert '\n    name = "broken\n' in f"{findings[0]}\n"
    assert findings[1].startswith("b.toml:2:12: not UTF-8 (byte 0xe9); ")


def test_where_nothing_is_declared_there_is_nothing_to_write(tmp_path: Path) -> None:
    with pytest.raises(HomeopsError, match="this directory holds no TOML file"):
        from_toml([tmp_path])
    (tmp_path / "empty.toml").write_text("# nothing\n")
    with pytest.raises(HomeopsError, match="declares nothing"):
        from_toml([tmp_path])


def test_a_place_that_is_mistyped_is_an_error_however_much_the_others_declare(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(SERVER)
    (tmp_path / "notes.md").write_text("# notes\n")
    for name, what in (("gone.toml", "there is no such file or directory"), ("notes.md", "is not a TOML file")):
        with pytest.raises(HomeopsError) as wrong:
            from_toml([tmp_path, tmp_path / name])
        assert str(wrong.value) == (
            f"{tmp_path / name}: {what}; nothing was read\n  hint: name a directory, or a file that ends in .toml"
        )


def test_an_execution_that_komodo_does_not_know_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    stages = '[[procedure]]\nname = "p"\n[[procedure.config.stage]]\nname = "s"\n'
    rows = 'executions = [{ execution.type = "DeployStak", execution.params = { stack = "web" } }]\n'
    package = package_of(tmp_path, a=SERVER + stack("web") + stages + rows)
    assert names(package) == {"web"}
    assert 'did you mean "DeployStack"?' in "".join(told(package, Sort.FINDING))


def test_stacks_that_wait_for_each_other_stop_to_where_the_circle_closes(tmp_path: Path) -> None:
    circle = stack("a", 'after = ["b"]') + stack("b", 'after = ["c"]') + stack("c", 'after = ["a", "gone"]')
    package = package_of(tmp_path, a=SERVER + circle)
    after = {resource.name: resource.after for resource in package.graph.of("Stack")}
    assert after == {"a": ("b",), "b": ("c",), "c": ()}
    assert [text.partition("\n")[0] for text in told(package, Sort.LOST)] == [
        'a.toml:19: stack "c": after gone: no such stack was read, and Komodo does not wait for it either',
        'a.toml:19: stack "c": after a, which closes a circle: a -> b -> c -> a',
    ]


def test_what_is_declared_in_two_files_is_taken_from_the_first(tmp_path: Path) -> None:
    first, other = stack("web", config="auto_pull = false"), stack("web", config="auto_pull = true")
    package = package_of(tmp_path, a=SERVER + first, b=other, c=first)
    (web,) = package.graph.of("Stack")
    assert not getattr(web.config, "auto_pull")  # noqa: B009 - of a Stack
    assert told(package, Sort.LOST) == [
        'b.toml:2: stack "web": declared already at a.toml:5, otherwise; that one is taken\n  hint: compare the two'
    ]
    assert told(package, Sort.FINDING) == ['c.toml:2: stack "web": declared already at a.toml:5, the same way']


def test_a_compose_file_of_two_megabytes_is_carried_over_whole(tmp_path: Path) -> None:
    compose = "services:\n" + "".join(f"  app{number}:\n    image: nginx:1.27\n" for number in range(60_000))
    assert len(compose) > 2_000_000
    package = package_of(tmp_path, a=SERVER + stack("big", config=f'file_contents = """\n{compose}"""'))
    (big,) = package.graph.of("Stack")
    assert getattr(big.config, "file_contents") == compose  # noqa: B009 - of a Stack


def test_what_names_something_that_nobody_declared_is_left_out_or_gets_a_stand_in(tmp_path: Path) -> None:
    run = '[[procedure]]\nname = "p"\nconfig.stage = [{ name = "s", executions = [{ execution.type = "RunSync"'
    run += ', execution.params.sync = "elsewhere" }] }]\n'
    package = package_of(tmp_path, a=stack("web", config='linked_repo = "code"') + run)
    assert names(package, "Server") == {"one"}
    assert names(package, "Repo") == {"code"}
    assert not names(package, "Procedure")
    (left_out,) = told(package, Sort.LEFT_OUT)
    assert 'procedure "p": stages[0].executions[0].execution.sync "elsewhere" is not a declared' in left_out
    assert [text.partition(",")[0] for text in told(package, Sort.COMPLETE)][:2] == [
        'server "one": named by web',
        'repo "code": named by web',
    ]


def test_names_are_those_that_komodo_stores(tmp_path: Path) -> None:
    package = package_of(tmp_path, a=SERVER + stack("My Web", 'after = ["My DB"]') + stack("My DB"))
    assert {resource.name: resource.after for resource in package.graph.of("Stack")} == {
        "my_db": (),
        "my_web": ("my_db",),
    }
    assert len(told(package, Sort.CHANGED)) == 2


AWKWARD = ("class", "2fast", "漢字", 'a "quoted" \\ name', "Ünïcode", "hosts", "STACKS", "none", "-", "a-b", "a_b")


def test_any_name_makes_a_module_and_a_variable(tmp_path: Path) -> None:
    servers = "".join(f"[[server]]\nname = '{name}'\n" for name in AWKWARD)
    stacks = "".join(
        f"[[stack]]\nname = 's{number}'\nconfig.server = '{name}'\n" for number, name in enumerate(AWKWARD)
    )
    package = package_of(tmp_path, a=servers + stacks)
    assert names(package, "Server") == set(AWKWARD)
    assert len(names(package)) == len(AWKWARD)


def test_a_comment_is_no_word_to_any_tool_and_no_secret(tmp_path: Path) -> None:
    text = "# noqa\n# type: ignore\n# password = hunter2\n#\t\x85 odd\n" + SERVER
    package = package_of(tmp_path, a=text)
    hosts = package.made.files["hosts.py"]
    assert "# > noqa\n# > type: ignore\n# password = ...\n" in hosts
    assert any(
        text.startswith("a.toml:3: a comment looks as if it holds a secret") for text in told(package, Sort.LOST)
    )


def test_nothing_is_written_over_what_is_there(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "mine.py").write_text("mine")
    with pytest.raises(HomeopsError, match="holds files already, and nothing was written"):
        write(there, {"__init__.py": ""})
    assert [file.name for file in there.iterdir()] == ["mine.py"]
    with pytest.raises(HomeopsError, match="is no directory, and nothing was written"):
        write(there / "mine.py", {"__init__.py": ""})
    with pytest.raises(HomeopsError, match="cannot be written"):
        write(there / "mine.py" / "below", {"__init__.py": ""})
    assert sorted(file.name for file in tmp_path.iterdir()) == ["there"]


def test_thousands_of_resources(tmp_path: Path) -> None:
    """A tenth of ten thousand, which take ten times as long."""
    package = package_of(tmp_path, a=SERVER + "".join(stack(f"s{number}", "# one") for number in range(1000)))
    assert len(package.graph.of("Stack")) == 1000


def test_secrets_that_cannot_be_taken_out_of_a_text_leave_the_resource_out(tmp_path: Path) -> None:
    config = 'skip_secret_interp = true\nenvironment = "DB_PASSWORD=hunter2"'
    run = '[[procedure]]\nname = "p"\nconfig.stage = [{ name = "s", executions = [{ execution.type = "RunAction"'
    run += ', execution.params = { action = "a", args = { apiToken = "hunter2" } } }] }]\n[[action]]\nname = "a"\n'
    described = stack("db", 'description = "PASSWORD=hunter2"')
    package = package_of(tmp_path, a=SERVER + stack("web", config=config) + described + run)
    assert names(package) == {"db"}
    assert not names(package, "Procedure")
    assert "environment looks as if it holds a secret" in told(package, Sort.LEFT_OUT)[0]
    assert "stages.executions.execution.args looks as if" in told(package, Sort.LEFT_OUT)[1]
    assert "hunter2" not in "".join(package.made.files.values()) + "".join(map(str, package.made.notes))


def test_a_secret_in_a_text_becomes_a_secret_variable(tmp_path: Path) -> None:
    config = 'environment = """\nTZ=Etc/UTC\nDB_PASSWORD=hunter2\n"""\nwebhook_secret = "hunter3"\n'
    package = package_of(tmp_path, a=SERVER + stack("web", config=config))
    (web,) = package.graph.of("Stack")
    variables = {one.name: one.config for one in package.graph.of("Variable")}
    assert getattr(web.config, "environment") == "TZ=Etc/UTC\nDB_PASSWORD=[[WEB_DB_PASSWORD]]\n"  # noqa: B009
    assert getattr(variables["WEB_DB_PASSWORD"], "value") == "env:WEB_DB_PASSWORD"  # noqa: B009
    assert getattr(web.config, "webhook_secret") == "env:STACK_WEB_WEBHOOK_SECRET"  # noqa: B009
    assert set(package.made.exports) == {"WEB_DB_PASSWORD", "STACK_WEB_WEBHOOK_SECRET"}
    everything = "".join([*package.made.files.values(), package.made.settings, *map(str, package.made.notes)])
    assert "hunter" not in everything


def test_what_komodo_puts_in_is_no_secret(tmp_path: Path) -> None:
    package = package_of(tmp_path, a=SERVER + stack("web", config='webhook_secret = "[[HOOK]]"'))
    (web,) = package.graph.of("Stack")
    assert getattr(web.config, "webhook_secret") == "[[HOOK]]"  # noqa: B009
    assert not package.made.exports


def test_a_declaration_never_means_something_else(tmp_path: Path) -> None:
    """Fields that a convention of homeops would fill are said explicitly where Komodo has its default."""
    package = package_of(tmp_path, a=SERVER + stack("web", config='repo = "someone/fleet"'))
    (web,) = package.graph.of("Stack")
    (one,) = package.graph.of("Server")
    found = {name: getattr(web.config, name) for name in ("project_name", "file_paths", "repo", "branch")}
    assert found == {"project_name": "", "file_paths": [], "repo": "someone/fleet", "branch": "main"}
    assert isinstance(one, Resource)
    assert getattr(one.config, "enabled") is False  # noqa: B009
