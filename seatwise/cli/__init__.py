"""The `seatwise` command.

Everything heavy is imported inside the commands, so `seatwise --help` stays quick and
Django is set up only after the database is there.
"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Who holds a seat, in which role, when last seen, and what the service is used for.",
)
rules_app = typer.Typer(
    no_args_is_help=True, help="What could be saved, and whether that is right."
)
keys_app = typer.Typer(no_args_is_help=True, help="Keys that seal the vendors' tokens.")
app.add_typer(rules_app, name="rules")
app.add_typer(keys_app, name="keys")
installation_app = typer.Typer(
    no_args_is_help=True, help="Whether this installation may sync: copies and restored backups."
)
app.add_typer(installation_app, name="installation")

Host = Annotated[str, typer.Option(help="Address to listen on; fd://N is a socket handed over.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]
Seed = Annotated[int, typer.Option(min=0, help="Which simulated company to make up.")]


@app.command("demo")
def demo_command(
    once: Annotated[
        bool, typer.Option("--once", help="Connect, sync, print the result, and exit.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: 8000, or the next free one.")] = 0,
    seed: Seed = 1,
) -> None:
    """Everything in one go, with a simulated vendor to connect to. Forgets all at its end."""
    from seatwise.cli import demo

    raise typer.Exit(demo.once(port, seed) if once else demo.stay(port, seed))


@app.command("serve")
def serve_command(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """The web pages and a worker, with the embedded database unless another is set."""
    from seatwise.cli.listening import listen, name_the_port
    from seatwise.cli.serve import serve

    with listen(host, port) as listener:
        name_the_port(listener)
        raise typer.Exit(serve(listener))


@app.command("web")
def web_command(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """The web pages alone."""
    from seatwise.cli.listening import listen, name_the_port
    from seatwise.cli.prepare import prepared

    with listen(host, port) as listener:
        name_the_port(listener)
        with prepared("web"):
            from seatwise.cli.web import run

            run(listener)


@app.command("worker")
def worker_command() -> None:
    """Background work alone; any number of workers may run, on any number of machines."""
    from seatwise.cli.prepare import prepared

    with prepared("worker", stays=True):
        from seatwise import tasks

        tasks.run_worker()


@app.command("sync")
def sync_command(
    connection: Annotated[
        str, typer.Argument(help="A service's key, for example from its address; all if left out.")
    ] = "",
) -> None:
    """Reads connected services now, with a progress bar. Exit code 1 if one did not finish."""
    from seatwise.cli.prepare import prepared

    with prepared("sync", stays=True):
        from seatwise import installation
        from seatwise.cli.follow import sync_now

        if installation.hindrance():
            raise typer.Exit(1)  # why, was told at the start
        raise typer.Exit(sync_now(connection))


@app.command("pull")
def pull_command(
    vendor: Annotated[str, typer.Argument(help="Which vendor's account to read.")],
    out: Annotated[Path, typer.Option(file_okay=False, help="The folder to write into.")],
    api_key_env: Annotated[
        str, typer.Option(metavar="NAME", help="The environment variable with an API key.")
    ] = "",
    bearer_env: Annotated[
        str, typer.Option(metavar="NAME", help="The environment variable with an access token.")
    ] = "",
    base_url: Annotated[
        str, typer.Option(metavar="URL", help="The vendor's API; its usual address if left out.")
    ] = "",
    months: Annotated[int, typer.Option(min=1, max=36, help="Months of usage.")] = 12,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The first day not to read; now if left out."),
    ] = None,
    zone: Annotated[str, typer.Option(help="In which months begin and end.")] = "UTC",
    form: Annotated[str, typer.Option("--format", help="jsonl, csv or parquet.")] = "jsonl",
    only: Annotated[str, typer.Option(help="Of members, licenses, usage, activity.")] = "",
    activity_days: Annotated[
        int, typer.Option(min=1, max=3650, help="How far back to look for who was last seen.")
    ] = 90,
    state: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keeps what was read; the next pull goes on from it."),
    ] = None,
    home_code: Annotated[
        str,
        typer.Option(
            metavar="DIGITS", help="Calling code of home, as 49: tells calls abroad apart."
        ),
    ] = "",
    request_log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Writes each request, a line of JSON each.")
    ] = None,
) -> None:
    """Reads an account into files, with no database and no server.

    Exit code 0: all was read. 3: something could not be, see run.json. 1: failed. 2: misused.
    """
    from seatwise.cli import pull

    code = pull.carry_out(
        vendor,
        api_key_env=api_key_env,
        bearer_env=bearer_env,
        base_url=base_url,
        months=months,
        until=until,
        zone=zone,
        out=out,
        form=form,
        only=only,
        activity_days=activity_days,
        state=state,
        home_code=home_code,
        request_log=request_log,
    )
    raise typer.Exit(code)


@app.command("sandbox")
def sandbox_command(
    vendor: Annotated[str, typer.Argument(help="Which vendor to simulate.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8912,
    seed: Seed = 1,
    users: Annotated[int, typer.Option(help="People of the first account.")] = 250,
    incidents: Annotated[
        int | None, typer.Option(help="Of the first account, over all months.")
    ] = None,
    months: Annotated[int, typer.Option(help="Months of history, the present one too.")] = 14,
    accounts: Annotated[int, typer.Option(help="How many accounts there are.")] = 2,
    plan: Annotated[str, typer.Option(help="free, professional, business or enterprise.")] = (
        "business"
    ),
    latency_ms: Annotated[int, typer.Option(help="Milliseconds before every answer.")] = 0,
    rate_limit: Annotated[int, typer.Option(help="Requests a minute for each caller.")] = 960,
    now: Annotated[
        str, typer.Option(help="Stop the accounts' clock, for example at 2026-11-23T12:00:00Z.")
    ] = "",
    control_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="For faults and the truth; off if left out."),
    ] = None,
    scenario: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, readable=True, help="Faults from the start on."),
    ] = None,
    people: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """A simulated vendor to connect to: OAuth, people, usage, all made up from a seed."""
    from seatwise import sandbox as vendors
    from seatwise.cli import simulated

    if vendor not in vendors.VENDORS:
        raise typer.BadParameter(f"there is {', '.join(vendors.VENDORS)}.", param_hint="VENDOR")
    if people is not None:
        typer.echo("seatwise: --people is now called --users and will go away.", err=True)
        users = people
    wishes = simulated.wishes(
        seed=seed,
        users=users,
        incidents=incidents,
        months=months,
        accounts=accounts,
        plan=plan,
        latency_ms=latency_ms,
        rate_limit=rate_limit,
        now=now,
    )
    simulated.serve(vendor, wishes, port, control_port, scenario)


@app.command("backup")
def backup_command(
    file: Annotated[Path, typer.Argument(help="The file to make.")],
    force: Annotated[bool, typer.Option("--force", help="In the place of a file there.")] = False,
) -> None:
    """Everything but the keys into one file, while all goes on. Exit code 1 if it was not made."""
    from seatwise.cli.prepare import prepared

    with prepared("backup", migrate=False):
        from seatwise.cli import backup

        raise typer.Exit(backup.make(file, force=force))


@app.command("restore")
def restore_command(
    file: Annotated[Path, typer.Argument(help="A file that `seatwise backup` made.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Lose what the database holds; asks first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Puts a backup into the database, all or nothing; syncing is paused then, until `adopt`."""
    from seatwise.cli.prepare import prepared

    with prepared("restore", migrate=False):
        from seatwise.cli import backup

        raise typer.Exit(backup.restore(file, replace=replace, yes=yes))


@rules_app.command("test")
def rules_test(
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="A day of the past; on examples if left out."),
    ] = None,
    service: Annotated[str, typer.Option(help="A service's key; all if left out.")] = "",
) -> None:
    """Runs each rule on what it must find and must not, or on a day of the past. Exit code 1 where
    a rule is wrong, or nothing is known of that day."""
    from rich.console import Console

    from seatwise.cli import rules

    console = Console()
    if on is None:
        raise typer.Exit(0 if rules.on_examples(console) else 1)
    from seatwise.cli.prepare import prepared

    with prepared("rules test", migrate=False):
        raise typer.Exit(0 if rules.on_day(console, on.date(), service) else 1)


@keys_app.command("new")
def new_key() -> None:
    """Prints a fresh key for SEATWISE_ENCRYPTION_KEYS."""
    from seatwise.vault import new_key as make

    typer.echo(make())


@keys_app.command("status")
def keys_status() -> None:
    """Which keys are set, what each has sealed, and which may be removed."""
    _of_keys("status")


@keys_app.command("rotate")
def rotate_keys() -> None:
    """Seals everything with the first key, while syncs run; after a stop, run it again."""
    _of_keys("rotate")


@keys_app.command("accept")
def accept_keys(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Gives up what a lost key has sealed; those services are then integrated again."""
    _of_keys("accept", yes=yes)


@installation_app.command("status")
def installation_status() -> None:
    """Whether this installation may sync. Exit code 1 if not."""
    _of_installation("status")


@installation_app.command("pause")
def pause_installation(
    why: Annotated[str, typer.Argument(help="A sentence, shown on every page.")] = "",
) -> None:
    """Nothing is synced or renewed until `seatwise installation adopt`."""
    _of_installation("pause", why=why)


@installation_app.command("adopt")
def adopt_installation(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """This installation goes on syncing; where it is a copy, its original must never again."""
    _of_installation("adopt", yes=yes)


def _of_keys(verb: str, **options: bool) -> NoReturn:
    from seatwise.cli.prepare import prepared

    with prepared("keys", check=False):
        from seatwise.cli import keys

        raise typer.Exit(getattr(keys, verb)(**options))


def _of_installation(verb: str, **options: bool | str) -> NoReturn:
    from seatwise.cli.prepare import prepared

    with prepared("installation", check=False):
        from seatwise.cli import standing

        raise typer.Exit(getattr(standing, verb)(**options))


@app.command(
    "manage",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def manage_command(context: typer.Context) -> None:
    """Django's own commands, with the database made ready first."""
    manage(context.args)


def manage(arguments: list[str]) -> None:
    """Carries out one of Django's commands; what `manage.py` calls too."""
    from seatwise.cli.prepare import prepared

    with prepared("manage", migrate=False):
        from django.core.management import execute_from_command_line

        execute_from_command_line([sys.argv[0], *arguments])
