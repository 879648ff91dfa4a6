"""Erasing a person where a file waits that may name them."""

import pytest
from django.utils import timezone

from seatwise import history
from seatwise.models import Connection, Member, StagedRecord, SyncRun, Upload, User
from seatwise.models.connection import State
from tests.pages import rows


@pytest.fixture
def vera(db: None) -> Member:
    """Has left, by the newest file."""
    account = rows.connection(rows.service(), account_id="file", state=State.BY_FILE)
    return rows.member(account, "Vera", external_id="vera@x.example", left_at=timezone.now())


@pytest.mark.parametrize("state", [State.BY_FILE, State.DISCONNECTED])
def test_an_upload_that_nobody_has_read_is_asked_about_first(
    vera: Member, admin: User, state: State
) -> None:
    """Also where they were of an account that is gone: the file may name them all the same."""
    Connection.objects.update(state=state)
    waits = Upload.objects.create(
        service=vera.connection.service,
        name="team.csv",
        data=b"email\nvera@x.example\n",
        uploaded_at=timezone.now(),
    )
    with pytest.raises(history.FileWaits, match="A file waits whose columns nobody chose: "):
        history.erase(vera, by=admin)
    vera.refresh_from_db()
    assert vera.name == "Vera"
    waits.delete()
    history.erase(vera, by=admin)
    vera.refresh_from_db()
    assert vera.name == "Erased person"


def test_an_upload_of_another_service_keeps_nobody(vera: Member, admin: User) -> None:
    other = rows.service("zoom", "Zoom")
    Upload.objects.create(service=other, name="x", data=b"x", uploaded_at=timezone.now())
    history.erase(vera, by=admin)
    vera.refresh_from_db()
    assert vera.name == "Erased person"


@pytest.mark.parametrize("kind", ["seat", "never", "seen", "gone", "given back"])
def test_nothing_that_is_staged_by_a_members_id_names_them_any_more(
    vera: Member, admin: User, kind: str
) -> None:
    run = SyncRun.objects.create(connection=vera.connection, created_at=timezone.now())
    for each, key in ((kind, vera.external_id), (kind, "else"), ("license", vera.external_id)):
        StagedRecord.objects.create(run=run, kind=each, key=key, data={})
    history.erase(vera, by=admin)
    left = set(run.staged.values_list("kind", "key"))
    assert left == {(kind, "else"), ("license", "vera@x.example")}  # whose key is no member's
