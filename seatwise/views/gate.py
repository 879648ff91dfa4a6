"""Before anybody is signed in: the first admin, and who can help with a lost password."""

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from seatwise import accounts
from seatwise.models import User

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class FirstAdminForm(forms.Form):
    name = forms.CharField(max_length=150)
    email = forms.EmailField(label="E-mail")
    password = forms.CharField(widget=forms.PasswordInput, strip=False)

    def clean(self) -> None:
        given = self.cleaned_data
        if "password" not in given:
            return
        likeness = User(name=given.get("name", ""), email=given.get("email", ""))
        try:
            validate_password(given["password"], likeness)
        except ValidationError as error:
            self.add_error("password", error)


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def first_run(request: HttpRequest) -> HttpResponse:
    """Creates the first admin and signs them in; afterwards it only leads to sign-in."""
    if User.objects.exists():
        return redirect("spend")
    form = FirstAdminForm(request.POST or None)
    if not form.is_valid():
        return render(request, "first_run.html", {"form": form}, status=400 if form.errors else 200)
    try:
        admin = accounts.create_first_admin(**form.cleaned_data)
    except accounts.AlreadySetUp:
        messages.error(request, "Somebody else was faster: the first admin exists. Sign in.")
        return redirect("account_login")
    login(request, admin, backend=BACKEND)
    return redirect("spend")


first_run.before_first_run = True  # type: ignore[attr-defined]


@login_not_required
@require_safe
def lost_password(request: HttpRequest) -> HttpResponse:
    """Seatwise sends no e-mail: an admin hands over a link."""
    return render(request, "account/password_reset.html")


@login_not_required
@require_safe
def closed(request: HttpRequest) -> HttpResponse:
    """Nobody signs up by themselves."""
    return render(request, "account/signup_closed.html")
