"""Users & roles: who may sign in to Seatwise, and as what."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from seatwise import accounts, alerts
from seatwise.models import User
from seatwise.models.user import Role
from seatwise.views.shell import person, require_admin

HANDOVER = "handover"  # for whom a link is to be made and shown, once; the link is kept nowhere


class AddForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for checkers only
    """Whom to let in. The password is theirs to choose."""

    class Meta:
        model = User
        fields = ("name", "email", "role")

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if User.objects.with_email(email).exists():
            raise forms.ValidationError("Somebody with this e-mail address is there already.")
        return email


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    return _page(request, AddForm())


@require_POST
@require_admin("add people")
def add(request: HttpRequest) -> HttpResponse:
    form = AddForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    newcomer = accounts.add_person(**form.cleaned_data)
    return _hand_over(request, newcomer, is_new=True)


@require_POST
@require_admin("make one-time links")
def link(request: HttpRequest, pk: int) -> HttpResponse:
    someone = _someone(pk)
    if not someone.is_active:
        messages.error(request, f"{someone} is deactivated. Let them in again first.")
        return redirect("users")
    return _hand_over(request, someone)


@require_POST
@require_admin("change roles")
def change_role(request: HttpRequest, pk: int) -> HttpResponse:
    form = RoleForm(request.POST)
    if form.is_valid():
        _tell(request, lambda: accounts.change_role(pk, Role(form.cleaned_data["role"])))
    else:
        messages.error(request, "Choose Admin or Viewer. Nothing was changed.")
    return redirect("users")


@require_POST
@require_admin("deactivate people or let them in again")
def set_active(request: HttpRequest, pk: int) -> HttpResponse:
    _tell(request, lambda: accounts.set_active(pk, request.POST.get("active") == "yes"))
    return redirect("users")


def _page(request: HttpRequest, form: AddForm, status: int = 200) -> HttpResponse:
    people = list(User.objects.for_table())
    admins = [someone for someone in people if someone.is_admin]
    asked = request.GET.get("deactivate", "")
    context = {
        "people": people,
        "only_admin": admins[0] if len(admins) == 1 else None,
        "asked_to_deactivate": next((each.pk for each in people if str(each.pk) == asked), None),
        "form": form,
        "handover": _handover(request),
        "roles": Role.choices,
        "missing_mail": alerts.missing_mail(),
        "title": "Users & roles",
    }
    return render(request, "users.html", context, status=status)


def _hand_over(request: HttpRequest, someone: User, *, is_new: bool = False) -> HttpResponse:
    request.session[HANDOVER] = [someone.pk, is_new]
    return redirect("users")


def _handover(request: HttpRequest) -> dict[str, object] | None:
    """Whom to hand which link, where one was just asked for, and whether they were just added."""
    wanted = request.session.pop(HANDOVER, None) if person(request).is_admin else None
    if not isinstance(wanted, list):
        return None
    pk, is_new = wanted
    someone = User.objects.numbered(pk)
    if someone is None:
        return None
    return {"name": str(someone), "link": accounts.one_time_link(someone), "is_new": is_new}


def _someone(pk: int) -> User:
    someone: User = get_object_or_404(User, pk=pk)
    return someone


def _tell(request: HttpRequest, change: Any) -> None:
    """Makes the change and says what came of it."""
    try:
        someone = change()
    except accounts.LastAdmin as error:
        messages.error(request, str(error))
    except User.DoesNotExist:
        raise Http404("There is no such person.") from None
    else:
        state = someone.get_role_display() if someone.is_active else "deactivated: signed out now"
        messages.success(request, f"{someone} is {state}.")
