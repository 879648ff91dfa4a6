"""`seatwise sandbox`: a simulated vendor on this machine, as its options wish it to be."""

from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import typer

from seatwise import sandbox
from seatwise.cli.listening import refusal
from seatwise.sandbox.options import Options

HOST = "127.0.0.1"


def wishes(*, now: str, **wanted: Any) -> Options:
    """The options of a simulated vendor. Exit code 2 with one line when they make no sense."""
    try:
        return Options(now=_moment(now), **wanted)
    except ValueError as wrong:
        name, _, why = str(wrong).partition(" ")
        _misused(f"--{name.replace('_', '-')} {why}")


def serve(
    vendor: str, options: Options, port: int, control_port: int | None, scenario: Path | None
) -> None:
    """Runs the vendor until it is stopped, on loopback only.

    Exit code 2 with one line when the scenario is wrong, 1 when an address cannot be had.
    """
    try:
        sandbox.serve(
            vendor,
            options,
            host=HOST,
            port=port,
            control_port=control_port,
            scenario=scenario,
        )
    except OSError as error:
        if control_port:  # nothing says which of the two it is
            port_names = f"--port {port} or --control-port {control_port}"
            why = error.strerror or error
            raise SystemExit(f"seatwise: {port_names} cannot be listened on: {why}.") from None
        raise SystemExit(refusal(HOST, port, error)) from None
    except ValueError as wrong:
        _misused(str(wrong))


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("now must be a time such as 2026-11-23T12:00:00Z") from None


def _misused(sentence: str) -> NoReturn:
    typer.echo(f"seatwise: {sentence.rstrip('.')}.", err=True)
    raise typer.Exit(2)
