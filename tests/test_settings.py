"""Bad settings stop the start with one line that names the setting."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journey import programs

GOOD = {
    "SEATWISE_SECRET_KEY": "x" * 50,
    "SEATWISE_ENCRYPTION_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
}


def start(*command: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """Runs a command that reads all settings, with the real database of this test run."""
    kept = {name: os.environ[name] for name in ("PATH", "SEATWISE_DATABASE_URL")}
    return subprocess.run(
        [sys.executable, "-m", "seatwise", "manage", *(command or ["check"])],
        env={name: value for name, value in {**kept, **GOOD, **changed}.items() if value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_good_settings_start() -> None:
    done = start()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SEATWISE_SECRET_KEY", ""),
        ("SEATWISE_SECRET_KEY", "too short"),
        ("SEATWISE_ENCRYPTION_KEYS", ""),
        ("SEATWISE_ENCRYPTION_KEYS", "no key"),
        ("SEATWISE_BASE_URL", "seatwise.example.com"),
        ("SEATWISE_BASE_URL", "https://example.com/below"),
        ("SEATWISE_BILLING_ZONE", "Mars/Olympus"),
        ("SEATWISE_DATABASE_URL", "nonsense"),
        ("SEATWISE_PAGERDUTY_API_URL", "http://not-loopback.example"),
        ("SEATWISE_ALLOWED_HOSTS_FILE", "/there/is/no/such/file"),
        ("SEATWISE_ALLOWED_HOSTS_FILE", sys.executable),  # not UTF-8
        ("SEATWISE_DATABASE_URL", "postgresql://user@host"),
        ("SEATWISE_BILLING_ZONE", "Europe"),
        ("SEATWISE_BASE_URL", "http://[bad"),
        ("SEATWISE_BASE_URL", "https://u:p@x?a=b"),
        ("SEATWISE_BASE_URL", "https://x:99999"),
        ("SEATWISE_PAGERDUTY_IDENTITY_URL", "https://[x"),
        ("SEATWISE_PAGERDUTY_IDENTITY_URL", "https://"),
        ("SEATWISE_LOG_LEVEL", "LOUD"),
        ("SEATWISE_HOME_CODE", "Germany"),
        ("SEATWISE_PAGERDUTY_REFRESH_GRACE", "half a minute"),
        ("SEATWISE_SMTP_URL", "mail.example.com"),
        ("SEATWISE_SMTP_URL", "smtp://mail.example.com:99999"),
        ("SEATWISE_SMTP_URL", "smtp://user:secret@mail.example.com?starttls=no"),
        ("SEATWISE_SMTP_URL", "smtp://mail.example.com?starttls=perhaps"),
        ("SEATWISE_MAIL_FROM", "Seatwise"),
    ],
)
def test_a_bad_setting_stops_the_start_with_one_line_that_names_it(name: str, value: str) -> None:
    done = start(**{name: value})
    assert done.returncode == 1
    assert done.stderr.count("\n") <= 1, done.stderr
    assert done.stderr.startswith(f"seatwise: {name} ")


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("y" * 50 + "\n", encoding="utf-8")
    done = start(SEATWISE_SECRET_KEY="", SEATWISE_SECRET_KEY_FILE=str(path))
    assert done.returncode == 0, done.stderr


def test_a_setting_and_its_file_together_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("y" * 50, encoding="utf-8")
    done = start(SEATWISE_SECRET_KEY_FILE=str(path))
    assert done.returncode == 1
    assert done.stderr.startswith("seatwise: SEATWISE_SECRET_KEY and SEATWISE_SECRET_KEY_FILE ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("folder", "code"), [("with space", 1), ("with%41", 0)])
def test_a_data_directory_works_or_is_refused_with_one_line(folder: str, code: int) -> None:
    with programs.home() as where:
        where.chmod(0o755)
        done = start(SEATWISE_DATABASE_URL="", SEATWISE_DATA_DIR=str(where / folder))
        assert done.returncode == code, done.stderr
        assert done.stderr.startswith("seatwise: SEATWISE_DATA_DIR " if code else "")
        assert done.stderr.count("\n") == code


@pytest.mark.skipif(os.geteuid() != 0, reason="only root could open a closed folder")
def test_root_does_not_open_a_closed_folder_above_the_data_directory() -> None:
    with programs.home() as where:
        where.chmod(0o700)
        done = start(SEATWISE_DATABASE_URL="", SEATWISE_DATA_DIR=str(where / "data"))
        assert done.returncode == 1
        assert f"SEATWISE_DATA_DIR must not lie in {where}, " in done.stderr
        assert where.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("level", "told"), [("", False), ("WARNING", False), ("INFO", True)])
def test_requests_are_told_from_the_level_info_on_and_never_with_whole_addresses(
    level: str, told: bool
) -> None:
    names = ("seatwise.requests", "httpx2", "httpcore2.http11")
    code = "import logging\n" + "\n".join(
        f"logging.getLogger({name!r}).info('of {name}')" for name in names
    )
    done = start("shell", "-c", code, SEATWISE_LOG_LEVEL=level)
    assert done.returncode == 0, done.stderr
    assert ("of seatwise.requests" in done.stderr) == told
    assert "of http" not in done.stderr


@pytest.mark.parametrize(
    ("url", "means"),
    [
        ("smtp://mail.example.com", "mail.example.com 587 use_tls"),
        ("smtp://u%40x:p%2Fw@mail.example.com:25", "mail.example.com 25 use_tls u@x p/w"),
        ("smtp://mail.example.com:25?starttls=no", "mail.example.com 25"),
        ("smtps://u:pw@mail.example.com", "mail.example.com 465 use_ssl u pw"),
        ("smtp://u:pw@127.0.0.1:2525", "127.0.0.1 2525 u pw"),
    ],
)
def test_a_mail_server_is_named_by_one_address(url: str, means: str, tmp_path: Path) -> None:
    """And a password is sent without TLS to no other machine."""
    path = tmp_path / "smtp"
    path.write_text(f"{url}\n", encoding="utf-8")
    show = "from django.conf import settings; m = settings.MAIL_SERVER; print(m['host'], m['port'],"
    show += "*[n for n in ('use_tls', 'use_ssl') if m[n]], m['username'], m['password'])"
    done = start("shell", "--no-imports", "-c", show, SEATWISE_SMTP_URL_FILE=str(path))
    assert done.stdout.split() == means.split(), done.stderr
