"""Every text a document may hold fits the column it is kept in."""

from typing import Any

import pytest
from django.db.models import CharField, Model
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from seatwise.connectors.pagerduty import licenses, members, person, proof
from seatwise.connectors.pagerduty.fields import Doc, Id, Link, ReferenceDoc
from seatwise.models import Connection, LicensePool, Member, Signal, UsagePoint
from tests.connectors.accounts import connector

KEPT: list[tuple[type[BaseModel], str, type[Model], str]] = [
    (members.UserDoc, "id", Member, "external_id"),
    (members.UserDoc, "name", Member, "name"),
    (members.UserDoc, "email", Member, "email"),
    (members.UserDoc, "role", Member, "role"),
    (members.UserDoc, "job_title", Member, "job_title"),
    (members.UserDoc, "html_url", Member, "url"),
    (members.TeamDoc, "summary", Member, "teams"),
    (licenses.LicenseDoc, "id", LicensePool, "external_id"),
    (licenses.LicenseDoc, "name", LicensePool, "name"),
    (licenses.HolderDoc, "id", Member, "external_id"),
    (proof.ClaimsDoc, "account_id", Connection, "account_id"),
    (proof.ClaimsDoc, "subdomain", Connection, "account_name"),
    (person.MeDoc, "role", Connection, "granted_role"),
    (ReferenceDoc, "id", Member, "external_id"),
]
LENGTHS = st.integers(0, 700)
STARTS = st.sampled_from(["", "P", "ä", "\x00", "\ud800", "https://h.pagerduty.com/", "😀"])


def column(model: type[Model], name: str) -> int:
    found: Any = model._meta.get_field(name)
    held = getattr(found, "base_field", found)
    assert isinstance(held, CharField)
    assert held.max_length
    return held.max_length


@pytest.mark.fault(60)
@pytest.mark.parametrize(("doc", "field", "model", "name"), KEPT)
@given(start=STARTS, length=LENGTHS)
def test_a_text_of_any_length_fits_its_column_or_is_no_row(
    doc: type[Doc], field: str, model: type[Model], name: str, start: str, length: int
) -> None:
    given_id = {"id": "P1"} if "id" in doc.model_fields else {}
    try:
        read = doc.model_validate({**given_id, field: start + "x" * length})
    except ValidationError:
        assert field == "id"
        return
    value = getattr(read, field)
    assert len(value) <= column(model, name)
    value.encode("utf-8")


def test_what_would_be_wrong_when_cut_is_left_out() -> None:
    long = {"id": "P1", "email": f"{'a' * 400}@x.example", "name": "n" * 600}
    long["html_url"] = "https://h.pagerduty.com/" + "x" * 500
    user = members.UserDoc.model_validate(long)
    assert (user.email, user.html_url, user.name) == ("", "", "n" * 500)
    assert ReferenceDoc(id="P" * 101, type="user_reference").user_id == ""
    assert len(TypeAdapter(Id).validate_python("P" * 100)) == 100
    with pytest.raises(ValidationError):
        TypeAdapter(Id).validate_python("P" * 101)
    fits = "https://h.pagerduty.com/".ljust(column(Signal, "url"), "x")
    assert TypeAdapter(Link).validate_python(fits) == fits


@pytest.mark.parametrize(("name", "email"), [("n" * 500, "a@x.example"), ("Ada", "a" * 320)])
def test_who_gave_the_grant_fits_its_column(name: str, email: str) -> None:
    who = person.MeDoc(name=name, email=email).who
    assert len(who) <= column(Connection, "granted_by")
    assert who.startswith("a")


def test_the_words_of_the_connector_itself_fit() -> None:
    pagerduty = connector()
    assert max(map(len, pagerduty.sources)) <= column(Signal, "source")
    assert max(map(len, pagerduty.sources)) <= column(Member, "last_seen_source")
    assert max(len(metric.key) for metric in pagerduty.metrics) <= column(UsagePoint, "metric")
    assert max(len(metric.source) for metric in pagerduty.metrics) <= column(UsagePoint, "source")
    # The longest proof: a verb and the largest number an incident can have.
    assert len(f"wrote a note on incident #{'9' * 15}") <= column(Member, "last_seen_proof")
