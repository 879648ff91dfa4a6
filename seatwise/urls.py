"""Every address of the product."""

from allauth.account import views as allauth
from django.contrib.auth.decorators import login_not_required
from django.urls import path, re_path

from seatwise.views import (
    adding,
    authorizing,
    byfile,
    gate,
    health,
    info,
    members,
    people,
    service_settings,
    spend,
    syncing,
    usage,
)

urlpatterns = [
    path("", spend.page, name="spend"),
    path("services/add/", adding.choose, name="add_service"),
    path("services/add/<slug:key>/", adding.add, name="add"),
    path("services/<slug:key>/", info.page, name="info"),
    path("services/<slug:key>/members/", members.page, name="members"),
    path("services/<slug:key>/usage/", usage.page, name="usage"),
    path("services/<slug:key>/settings/", service_settings.page, name="service_settings"),
    path("services/<slug:key>/authorize/", authorizing.authorize, name="authorize"),
    path("services/<slug:key>/authorizations/<int:pk>/", authorizing.outcome, name="outcome"),
    path("services/<slug:key>/sync/", syncing.sync_now, name="sync_now"),
    path("services/<slug:key>/progress/", syncing.progress, name="progress"),
    path("services/<slug:key>/revoke/", service_settings.revoke, name="revoke"),
    path("services/<slug:key>/file/", byfile.upload, name="upload_members"),
    path("services/<slug:key>/file/review/", byfile.review, name="review_members"),
    path("services/<slug:key>/file/apply/", byfile.apply, name="apply_members"),
    path("services/<slug:key>/file/aside/", byfile.put_aside, name="put_members_aside"),
    path("services/<slug:key>/file/sample/", byfile.sample, name="members_sample"),
    path("services/<slug:key>/erase/", service_settings.erase, name="erase"),
    path("oauth/<slug:key>/callback/", authorizing.callback, name="callback"),
    path("users/", people.page, name="users"),
    path("users/add/", people.add, name="add_user"),
    path("users/<int:pk>/role/", people.change_role, name="change_role"),
    path("users/<int:pk>/active/", people.set_active, name="set_active"),
    path("users/<int:pk>/link/", people.link, name="one_time_link"),
    path("healthz", health.page, name="healthz"),
    path("setup/", gate.first_run, name="first_run"),
    path("login/", login_not_required(allauth.login), name="account_login"),
    path("logout/", login_not_required(allauth.logout), name="account_logout"),
    path("inactive/", login_not_required(allauth.account_inactive), name="account_inactive"),
    path("signup/", gate.closed, name="account_signup"),
    path("reauthenticate/", allauth.reauthenticate, name="account_reauthenticate"),
    path("password/", allauth.password_change, name="account_change_password"),
    path("password/lost/", gate.lost_password, name="account_reset_password"),
    path("password/lost/sent/", gate.lost_password, name="account_reset_password_done"),
    path(
        "password/set/",
        login_not_required(allauth.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/set/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        login_not_required(allauth.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
]
