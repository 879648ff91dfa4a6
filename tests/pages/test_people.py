"""Users & roles: letting people in, by a link that works once, and never locking everybody out."""

import re

from django.test import Client

from seatwise.models import User
from seatwise.models.user import Role

NEW_PASSWORD = "a very different passphrase"


def handed_over(page: str) -> str:
    found = re.search(r'id="handover-link">https?://[^/]+(/[^<]+)<', page)
    assert found is not None, "no link is shown"
    return found[1]


def add(client: Client, **given: str) -> str:
    form = {"name": "Grace Hopper", "email": "Grace@Example.com", "role": "viewer"} | given
    return client.post("/users/add/", form, follow=True).content.decode()


def set_password(link: str) -> int:
    """As somebody with a fresh browser; 200 means that it was not accepted."""
    client = Client()
    page = client.get(link, follow=True)
    form = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    return client.post(
        page.redirect_chain[-1][0] if page.redirect_chain else link, form
    ).status_code


def test_an_added_person_comes_in_by_the_link_and_only_once(as_admin: Client) -> None:
    link = handed_over(add(as_admin))
    assert set_password(link) == 302
    form = {"login": "grace@example.com", "password": NEW_PASSWORD}
    assert Client().post("/login/", form)["Location"] == "/"
    assert "does not work any more" in Client().get(link, follow=True).content.decode()


def test_the_link_is_shown_once(as_admin: Client) -> None:
    add(as_admin)
    assert "handover-link" not in as_admin.get("/users/").content.decode()


def test_the_same_address_in_other_letters_is_the_same_person(as_admin: Client) -> None:
    add(as_admin)
    assert "is there already" in add(as_admin, email="GRACE@example.com")
    assert User.objects.count() == 2


def test_the_last_admin_stays_one(as_admin: Client, admin: User, viewer: User) -> None:
    for path, form in (("role", {"role": "viewer"}), ("active", {"active": "no"})):
        page = as_admin.post(f"/users/{admin.pk}/{path}/", form, follow=True).content.decode()
        assert "last active admin" in page
        admin.refresh_from_db()
        assert admin.is_admin


def test_with_a_second_admin_the_first_may_go(as_admin: Client, admin: User, viewer: User) -> None:
    as_admin.post(f"/users/{viewer.pk}/role/", {"role": "admin"})
    as_admin.post(f"/users/{admin.pk}/role/", {"role": "viewer"})
    admin.refresh_from_db()
    viewer.refresh_from_db()
    assert (admin.role, viewer.role) == (Role.VIEWER, Role.ADMIN)


def test_a_deactivated_person_is_out_at_once_and_can_be_let_in_again(
    as_admin: Client, as_viewer: Client, viewer: User
) -> None:
    as_admin.post(f"/users/{viewer.pk}/active/", {"active": "no"})
    assert as_viewer.get("/")["Location"].startswith("/login/")
    as_admin.post(f"/users/{viewer.pk}/active/", {"active": "yes"})
    assert as_viewer.get("/").status_code == 200


def test_a_role_that_does_not_exist_changes_nothing(as_admin: Client, viewer: User) -> None:
    as_admin.post(f"/users/{viewer.pk}/role/", {"role": "owner"})
    viewer.refresh_from_db()
    assert viewer.role == Role.VIEWER


def test_a_viewer_sees_the_list_and_no_buttons(as_viewer: Client, admin: User) -> None:
    page = as_viewer.get("/users/").content.decode()
    assert "ada@example.com" in page
    assert "Deactivate" not in page
    assert "ask Ada Admin" in page


def row_of(page: str, email: str) -> str:
    return next(row for row in page.split("<tr>") if email in row)


def test_whoever_never_signed_in_is_invited_and_not_active(as_admin: Client, viewer: User) -> None:
    page = as_admin.get("/users/").content.decode()
    assert ">Invited</span>" in row_of(page, viewer.email)
    assert ">Active</span>" in row_of(page, "ada@example.com")


def test_the_only_admin_has_no_button_that_would_be_refused(as_admin: Client, viewer: User) -> None:
    own = row_of(as_admin.get("/users/").content.decode(), "ada@example.com")
    assert "the only admin" in own
    assert "Make somebody else an admin before you go" in own
    assert "<form" not in own
    assert "Deactivate" not in own
    User.objects.filter(pk=viewer.pk).update(role=Role.ADMIN)
    own = row_of(as_admin.get("/users/").content.decode(), "ada@example.com")
    assert "the only admin" not in own
    assert "Another admin can change this" in own


def test_nobody_is_deactivated_without_being_asked(as_admin: Client, viewer: User) -> None:
    page = as_admin.get("/users/").content.decode()
    assert f'href="?deactivate={viewer.pk}"' in row_of(page, viewer.email)
    assert "<button" not in row_of(page, viewer.email).partition("Deactivate")[2].split("</tr>")[0]
    asked = re.compile(rf'id="deactivate-{viewer.pk}"[^>]* open data-modal')
    assert not asked.search(page)
    assert asked.search(as_admin.get(f"/users/?deactivate={viewer.pk}").content.decode())


def test_what_was_added_is_told_once_with_the_link(as_admin: Client) -> None:
    page = add(as_admin)
    assert page.count("Grace Hopper was added") == 1
    assert page.count("notice--ok") == 1
    someone = User.objects.get(email="grace@example.com")
    again = as_admin.post(f"/users/{someone.pk}/link/", follow=True).content.decode()
    assert "Hand this link to Grace Hopper" in again
