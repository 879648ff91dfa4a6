"""The programs themselves: they start, they stop, and they leave nothing behind."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from seatwise import sandbox
from seatwise.vault import new_key
from tests.journey import programs
from tests.journey.conftest import READY

SECRETS = {"SEATWISE_SECRET_KEY": "x" * 50, "SEATWISE_ENCRYPTION_KEYS": new_key()}


def gone(where: Path) -> None:
    """Everything of this data directory ends soon, by itself."""
    until = time.monotonic() + 30
    while left := programs.processes_in(where):
        assert time.monotonic() < until, left
        time.sleep(0.1)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_demo_stops_cleanly_and_leaves_no_process(stop: signal.Signals) -> None:
    with programs.home() as where:
        with programs.running("demo", where=where, until=READY, stop=stop) as demo:
            assert urllib.request.urlopen(demo.find(r"ready: (\S+)")).status == 200
        assert demo.process.returncode == 0
        assert programs.processes_in(where) == []


def test_after_a_kill_the_database_is_found_again_and_the_next_stop_is_clean() -> None:
    with programs.home() as where:
        with programs.running("demo", where=where, until=READY) as demo:
            demo.process.send_signal(signal.SIGKILL)
            demo.process.wait(30)
        with programs.running("demo", where=where, until=READY) as again:
            assert urllib.request.urlopen(again.find(r"ready: (\S+)")).status == 200
        assert again.process.returncode == 0
        gone(where)


def test_the_demo_does_the_main_job_without_a_person() -> None:
    with programs.home() as where:
        done = subprocess.run(
            [sys.executable, "-m", "seatwise", "demo", "--once", "--seed", "4"],
            env=programs.environment(where),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        for words in (
            "PagerDuty is connected: harbor-prod, US region",
            "250 members by role",
            "Account Owner",
            "Limited Stakeholder",
            "idle seats",
            "Usage by month",
        ):
            assert words in done.stdout
        assert programs.processes_in(where) == []


def test_the_embedded_database_listens_on_no_network_and_keeps_what_it_was_given() -> None:
    with programs.home() as where:
        first = _manage(where, "shell", "-c", _MAKE_AN_ADMIN)
        assert first.returncode == 0, first.stderr
        assert programs.processes_in(where) == []
        second = _manage(where, "shell", "-c", _SHOW_THE_DATABASE)
        assert second.returncode == 0, second.stderr
        assert "listens on ''" in second.stdout
        assert "ada@example.com" in second.stdout


def test_several_programs_at_once_migrate_one_database_without_stepping_on_each_other() -> None:
    with programs.home() as where:
        starts = [
            subprocess.Popen(
                [sys.executable, "-m", "seatwise", "sync"],
                env=programs.environment(where, **SECRETS),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for _ in range(3)
        ]
        for start in starts:
            said, _ = start.communicate(timeout=120)
            assert "Services: none yet" in said, said
        gone(where)


def test_the_operators_own_database_is_used_when_it_is_named() -> None:
    url = os.environ["SEATWISE_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("DROP DATABASE IF EXISTS an_operators_own")
        database.execute("CREATE DATABASE an_operators_own")
    own = url.replace("/postgres?", "/an_operators_own?")
    with programs.home() as where:
        done = _manage(where, "migrate", SEATWISE_DATABASE_URL=own)
        assert done.returncode == 0, done.stderr
        assert not (where / "postgres").exists()
    with psycopg.connect(own) as database:
        found = database.execute("SELECT to_regclass('seatwise_member')").fetchone()
        assert found is not None
        assert found[0] is not None


def test_the_sandbox_says_where_it_is_and_who_can_sign_in() -> None:
    until = "API key of harbor-eu"
    with (
        programs.home() as where,
        programs.running("sandbox", "pagerduty", "--port", "0", where=where, until=until) as vendor,
    ):
        base = vendor.find(r"(http://127\.0\.0\.1:\d+)")
        settings = sandbox.settings_for("pagerduty", base)
        assert settings["CLIENT_SECRET"] in "".join(vendor.said)
    assert vendor.process.returncode == 0


_MAKE_AN_ADMIN = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
from seatwise.models import User
User.objects.create_user("ada@example.com", "a long password", role="admin")
"""
_SHOW_THE_DATABASE = """
from django.db import connection
from seatwise.models import User
with connection.cursor() as cursor:
    cursor.execute("SHOW listen_addresses")
    print("listens on", repr(cursor.fetchone()[0]))
print(*User.objects.all().values_list("email", flat=True))
"""


def _manage(where: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seatwise", "manage", *arguments],
        env=programs.environment(where, **SECRETS, **settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_second_demo_in_the_same_place_is_refused_and_the_first_goes_on() -> None:
    with (
        programs.home() as where,
        programs.running("demo", where=where, until=READY) as first,
    ):
        second = subprocess.run(
            [sys.executable, "-m", "seatwise", "demo"],
            env=programs.environment(where),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 1
        assert "runs in" in second.stderr
        assert second.stderr.count("\n") == 1
        assert urllib.request.urlopen(first.find(r"ready: (\S+)")).status == 200


@pytest.mark.parametrize(
    "arguments", [["demo"], ["serve"], ["web"], ["sandbox", "pagerduty"]], ids=lambda each: each[0]
)
def test_a_port_in_use_is_named(arguments: list[str]) -> None:
    with socket.socket() as taken, programs.home() as where:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = subprocess.run(
            [sys.executable, "-m", "seatwise", *arguments, "--port", port],
            env=programs.environment(where, **SECRETS),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert refused.returncode == 1
        assert refused.stderr == (
            f"seatwise: --host 127.0.0.1 --port {port} cannot be listened on: "
            "Address already in use.\n"
        )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
@pytest.mark.parametrize("program", ["demo", "serve"])
def test_a_program_stopped_while_it_starts_leaves_no_process(
    program: str, stop: signal.Signals
) -> None:
    after = random.uniform(0.2, 2.0)
    with programs.home() as where:
        start = subprocess.Popen(
            [sys.executable, "-m", "seatwise", program, "--port", str(programs.free_port())],
            env=programs.environment(where, **SECRETS),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            with suppress(subprocess.TimeoutExpired):
                start.wait(after)
            start.send_signal(stop)
            start.wait(60)
            assert programs.processes_in(where) == [], f"{stop.name} after {after:.3f} s"
        finally:
            start.kill()  # does nothing to one that has ended
            start.wait()


def test_a_half_written_list_of_users_does_not_keep_the_database_from_starting() -> None:
    with programs.home() as where:
        assert _manage(where, "check").returncode == 0
        (where / "postgres" / ".handle_pids.json").write_text("[12, 3", encoding="utf-8")
        done = _manage(where, "check")
        assert done.returncode == 0, done.stderr
        assert programs.processes_in(where) == []


def test_a_monitor_is_answered_by_any_name_and_without_tls() -> None:
    port = programs.free_port()
    with (
        programs.home() as where,
        programs.running(
            "serve",
            "--host",
            "::1",
            "--port",
            str(port),
            where=where,
            until=READY,
            stop=signal.SIGTERM,
            SEATWISE_BASE_URL="https://seatwise.example.com",
            **SECRETS,
        ),
    ):
        probe = urllib.request.Request(
            f"http://[::1]:{port}/healthz", headers={"Host": "10.1.2.3:8000"}
        )
        assert urllib.request.urlopen(probe).read() == b"ok\n"


def test_a_signal_that_comes_while_a_finalizer_runs_is_obeyed() -> None:
    """Python drops what is raised there, so the exception alone would be lost."""
    with programs.home() as where:
        done = subprocess.run(
            [sys.executable, "-c", _SIGNAL_IN_A_FINALIZER],
            env=programs.environment(where, **SECRETS),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Exception ignored" in done.stderr  # it was dropped indeed
        assert "stopped" in done.stdout
        assert programs.processes_in(where) == []


_SIGNAL_IN_A_FINALIZER = """
import os, signal
from seatwise.cli.prepare import prepared
from seatwise.cli.processes import Supervisor

class Last:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)

with prepared(migrate=False):
    Last()
    with Supervisor() as programs:
        print("stopped", programs.wait())
"""
