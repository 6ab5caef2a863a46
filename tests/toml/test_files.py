"""Directories of declarations: what cannot be read, what stands twice, and what would never end."""

from pathlib import Path

import pytest

from homeops.komodo.toml.files import read_files
from homeops.komodo.toml.findings import Effect
from homeops.komodo.toml.reader import Reading


def written(directory: Path, **files: str | bytes) -> Path:
    for name, contents in files.items():
        file = directory / f"{name.replace('__', '/')}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    return directory


def found(reading: Reading) -> list[str]:
    return [str(finding) for finding in reading.findings]


def test_everything_below_a_directory_is_read_in_the_order_of_its_paths(tmp_path: Path) -> None:
    written(tmp_path, a='[[server]]\nname = "s"', deep__down__b='[[stack]]\nname = "w"')
    (tmp_path / "notes.txt").write_text("not toml [[")
    reading = read_files(tmp_path)
    assert [one.resource.where for one in reading.declared] == ['a.toml:1: server "s"', 'deep/down/b.toml:1: stack "w"']
    assert not reading.findings


def test_a_file_that_is_not_utf_8_is_told_and_hides_no_other(tmp_path: Path) -> None:
    written(tmp_path, a=b'[[server]]\nname = "caf\xe9"', b='[[server]]\nname = "s"')
    reading = read_files(tmp_path)
    assert [one.name for one in reading.resources] == ["s"]
    assert found(reading) == [
        "a.toml:2:12: not UTF-8 (byte 0xe9); Komodo rejects the whole file, and a sync with such a file does nothing\n"
        "  hint: save the file as UTF-8"
    ]


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    written(tmp_path, a='[[server]]\nname = "s"')
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("")
    reading = read_files(tmp_path, ["empty", "gone", "a.txt", "a.toml"])
    assert [text.partition("\n")[0] for text in found(reading)] == [
        "empty: this directory holds no TOML file; a sync with delete = true removes everything",
        f"gone: there is no such file or directory; {Effect.REJECTED.value}",
        f"a.txt: this is not a TOML file; {Effect.REJECTED.value}",
    ]
    assert len(reading.resources) == 1


def test_a_file_that_is_named_twice_is_read_once_and_told(tmp_path: Path) -> None:
    written(tmp_path, k__a='[[server]]\nname = "s"')
    reading = read_files(tmp_path, ["k/a.toml", "k"])
    assert len(reading.resources) == 1
    assert found(reading)[0].startswith("k/a.toml: the file is read twice, by itself and with its directory; the sync")


def test_names_that_stand_twice_across_files(tmp_path: Path) -> None:
    one = '[[stack]]\nname = "w"\n[stack.config]\nserver = "s"\n'
    written(tmp_path, a=one, b="\n" + one, c=one.replace('"s"', '"t"'), d='[[server]]\nname = "w"')
    assert found(read_files(tmp_path)) == [
        'b.toml:2: stack "w": declared already at a.toml:1, the same way; the sync fails at it and goes on\n'
        "  hint: take one of them out",
        'c.toml:1: stack "w": declared already at a.toml:1, otherwise than here; every sync changes something again\n'
        "  hint: take one of them out",
    ]


@pytest.mark.parametrize(
    ("kind", "name", "stored"), [("stack", "My.App", "my_app"), ("server", " s ", "s"), ("repo", "my repo", "my_repo")]
)
def test_names_that_komodo_rewrites(tmp_path: Path, kind: str, name: str, stored: str) -> None:
    written(tmp_path, a=f'[[{kind}]]\nname = "{name}"')
    (text,) = found(read_files(tmp_path))
    assert text == (
        f'a.toml:1: {kind} "{name}": Komodo stores this name as "{stored}", and so creates and deletes it in turns; '
        f'every sync changes something again\n  hint: call it "{stored}"'
    )


def test_a_variable_of_another_name_than_komodo_takes(tmp_path: Path) -> None:
    written(tmp_path, a='[[variable]]\nname = "PI-HOLE"')
    (text,) = found(read_files(tmp_path))
    assert text.startswith('a.toml:1: variable "PI-HOLE": a variable\'s name is letters, digits and _')


def test_a_circle_of_after_across_files_only_where_it_deploys(tmp_path: Path) -> None:
    stack = '[[stack]]\nname = "{}"\ndeploy = {}\nafter = ["{}"]\n'
    written(
        tmp_path, a=stack.format("a", "true", "b"), b=stack.format("b", "true", "c"), c=stack.format("c", "true", "a")
    )
    assert found(read_files(tmp_path)) == [
        'a.toml:1: stack "a": a circle of after: a -> b -> c -> a; '
        "a sync that deploys them never ends, and Core may\n  hint: take one of these out of after"
    ]
    written(tmp_path, c=stack.format("c", "false", "a"))
    assert found(read_files(tmp_path)) == []


def test_ten_thousand_resources_and_a_text_of_two_megabytes(tmp_path: Path) -> None:
    many = "".join(f'[[stack]]\nname = "s{n}"\n[stack.config]\nserver = "h"\nauto_pul = true\n' for n in range(10_000))
    text = "services: \\ {}\n" * 130_000
    written(tmp_path, a=many, b=f'[[stack]]\nname = "big"\n[stack.config]\nfile_contents = """\n{text}"""\n')
    reading = read_files(tmp_path)
    assert len(reading.declared) == 10_001
    assert len(reading.findings) == 10_000
    assert reading.findings[-1].line == 50_000
    assert getattr(reading.resources[-1].config, "file_contents", "") == text
