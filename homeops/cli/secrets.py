"""``homeops secrets``: the group. Its commands stand in ``secrets_*.py``."""

import typer

from homeops.cli import secrets_check, secrets_files, secrets_rotate

commands = typer.Typer(name="secrets", help="Secret files: SOPS with age keys.", no_args_is_help=True)
commands.command("list")(secrets_files.list_files)
commands.command("view")(secrets_files.view)
commands.command("set")(secrets_files.set_key)
commands.command("edit")(secrets_files.edit)
commands.command("encrypt")(secrets_files.encrypt)
commands.command("updatekeys")(secrets_files.updatekeys)
commands.command("rotate")(secrets_rotate.rotate)
commands.command("check")(secrets_check.check)
