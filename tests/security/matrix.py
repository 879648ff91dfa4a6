"""The access matrix: what every address answers to whom. A new address needs lines here.

One line: address name; of an object that is its `own` or `missing` (`-`: the address names none);
methods (`*`: all that no line above names); then what an anonymous visitor, a viewer and an admin
are answered: a status, `->name` for a redirect to the address of that name (without `account_`;
`->set` is where a one-time link leads), or `vendor` for one that leads to the vendor's consent.
Every request is asked for with nothing in it but a valid form token. What is `own` is said by
`kwargs_of` in the test.
"""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAFE = ("GET", "HEAD", "OPTIONS")
ROLES = ("anonymous", "viewer", "admin")
# What asks for one account by its number, in the field `account`.
OF_ONE_SHOWN = ("check", "sync_now", "revoke", "schedule")
# These also concern one whose place was taken: it can be erased, and integrated again.
OF_ONE_ACCOUNT = (*OF_ONE_SHOWN, "authorize", "let_in", "erase")
BY_FILE = {
    "upload_members",
    "member_columns",
    "review_members",
    "apply_members",
    "put_members_aside",
}

TABLE = """
spend                                -       GET,HEAD         ->login   200       200
spend                                -       *                ->login   405       405
add_service                          -       GET,HEAD         ->login   200       200
add_service                          -       *                ->login   405       405
add_own                              -       POST             ->login   403       ->add_service
add_own                              -       *                ->login   405       405
add                                  own     POST             ->login   403       ->service_settings
add                                  own     *                ->login   405       405
add                                  missing POST             ->login   403       404
add                                  missing *                ->login   405       405
info                                 own     GET,HEAD         ->login   200       200
info                                 own     *                ->login   405       405
info                                 missing GET,HEAD         ->login   404       404
info                                 missing *                ->login   405       405
members                              own     GET,HEAD         ->login   200       200
members                              own     *                ->login   405       405
members                              missing GET,HEAD         ->login   404       404
members                              missing *                ->login   405       405
member                               own     GET,HEAD         ->login   200       200
member                               own     *                ->login   405       405
member                               missing GET,HEAD         ->login   404       404
member                               missing *                ->login   405       405
service_spend                        own     GET,HEAD         ->login   200       200
service_spend                        own     *                ->login   405       405
service_spend                        missing GET,HEAD         ->login   404       404
service_spend                        missing *                ->login   405       405
contract                             own     GET,HEAD         ->login   403       200
contract                             own     POST             ->login   403       400
contract                             own     *                ->login   405       405
contract                             missing GET,HEAD,POST    ->login   403       404
contract                             missing *                ->login   405       405
confirm_reduction                    own     POST             ->login   403       400
confirm_reduction                    own     *                ->login   405       405
confirm_reduction                    missing POST             ->login   403       404
confirm_reduction                    missing *                ->login   405       405
budget                               own     POST             ->login   403       400
budget                               own     *                ->login   405       405
budget                               missing POST             ->login   403       404
budget                               missing *                ->login   405       405
add_invoice                          own     POST             ->login   403       400
add_invoice                          own     *                ->login   405       405
add_invoice                          missing POST             ->login   403       404
add_invoice                          missing *                ->login   405       405
invoice_file                         own     GET,HEAD         ->login   403       200
invoice_file                         own     POST             ->login   403       400
invoice_file                         own     *                ->login   405       405
invoice_file                         missing GET,HEAD,POST    ->login   403       404
invoice_file                         missing *                ->login   405       405
remove_invoice                       own     POST             ->login   403       ->service_spend
remove_invoice                       own     *                ->login   405       405
remove_invoice                       missing POST             ->login   403       404
remove_invoice                       missing *                ->login   405       405
focus                                own     GET,HEAD         ->login   200       200
focus                                own     *                ->login   405       405
focus                                missing GET,HEAD         ->login   404       404
focus                                missing *                ->login   405       405
focus_all                            -       GET,HEAD         ->login   200       200
focus_all                            -       *                ->login   405       405
seats                                own     GET,HEAD         ->login   200       200
seats                                own     *                ->login   405       405
seats                                missing GET,HEAD         ->login   404       404
seats                                missing *                ->login   405       405
seat_changes                         own     GET,HEAD         ->login   200       200
seat_changes                         own     *                ->login   405       405
seat_changes                         missing GET,HEAD         ->login   404       404
seat_changes                         missing *                ->login   405       405
seat_months                          own     GET,HEAD         ->login   200       200
seat_months                          own     *                ->login   405       405
seat_months                          missing GET,HEAD         ->login   404       404
seat_months                          missing *                ->login   405       405
erase_person                         own     POST             ->login   403       ->member
erase_person                         own     *                ->login   405       405
erase_person                         missing POST             ->login   403       404
erase_person                         missing *                ->login   405       405
usage                                own     GET,HEAD         ->login   200       200
usage                                own     *                ->login   405       405
usage                                missing GET,HEAD         ->login   404       404
usage                                missing *                ->login   405       405
alerts                               own     GET,HEAD         ->login   200       200
alerts                               own     *                ->login   405       405
alerts                               missing GET,HEAD         ->login   404       404
alerts                               missing *                ->login   405       405
add_alert                            own     GET,HEAD         ->login   403       200
add_alert                            own     POST             ->login   403       400
add_alert                            own     *                ->login   405       405
add_alert                            missing GET,HEAD,POST    ->login   403       404
add_alert                            missing *                ->login   405       405
edit_alert                           own     GET,HEAD         ->login   403       200
edit_alert                           own     POST             ->login   403       400
edit_alert                           own     *                ->login   405       405
edit_alert                           missing GET,HEAD,POST    ->login   403       404
edit_alert                           missing *                ->login   405       405
switch_alert                         own     POST             ->login   403       ->alerts
switch_alert                         own     *                ->login   405       405
switch_alert                         missing POST             ->login   403       404
switch_alert                         missing *                ->login   405       405
try_alert                            own     POST             ->login   403       ->alerts
try_alert                            own     *                ->login   405       405
try_alert                            missing POST             ->login   403       404
try_alert                            missing *                ->login   405       405
delete_alert                         own     POST             ->login   403       ->alerts
delete_alert                         own     *                ->login   405       405
delete_alert                         missing POST             ->login   403       404
delete_alert                         missing *                ->login   405       405
send_again                           own     POST             ->login   403       ->alerts
send_again                           own     *                ->login   405       405
send_again                           missing POST             ->login   403       404
send_again                           missing *                ->login   405       405
choose_digest                        -       POST             ->login   ->users   ->users
choose_digest                        -       *                ->login   405       405
channels                             -       GET,HEAD         ->login   403       200
channels                             -       *                ->login   405       405
add_channel                          -       POST             ->login   403       400
add_channel                          -       *                ->login   405       405
try_channel                          own     POST             ->login   403       ->channels
try_channel                          own     *                ->login   405       405
try_channel                          missing POST             ->login   403       404
try_channel                          missing *                ->login   405       405
new_channel_secret                   own     POST             ->login   403       ->channels
new_channel_secret                   own     *                ->login   405       405
new_channel_secret                   missing POST             ->login   403       404
new_channel_secret                   missing *                ->login   405       405
remove_channel                       own     POST             ->login   403       ->channels
remove_channel                       own     *                ->login   405       405
remove_channel                       missing POST             ->login   403       404
remove_channel                       missing *                ->login   405       405
savings                              own     GET,HEAD         ->login   200       200
savings                              own     *                ->login   405       405
savings                              missing GET,HEAD         ->login   404       404
savings                              missing *                ->login   405       405
savings_sum                          own     GET,HEAD         ->login   200       200
savings_sum                          own     *                ->login   405       405
savings_sum                          missing GET,HEAD         ->login   404       404
savings_sum                          missing *                ->login   405       405
decide_findings                      own     POST             ->login   403       ->savings
decide_findings                      own     *                ->login   405       405
decide_findings                      missing POST             ->login   403       404
decide_findings                      missing *                ->login   405       405
rule_limits                          own     GET,HEAD         ->login   200       200
rule_limits                          own     POST             ->login   403       ->rule_limits
rule_limits                          own     *                ->login   405       405
rule_limits                          missing GET,HEAD         ->login   404       404
rule_limits                          missing POST             ->login   403       404
rule_limits                          missing *                ->login   405       405
why_not                              own     GET,HEAD         ->login   200       200
why_not                              own     *                ->login   405       405
why_not                              missing GET,HEAD         ->login   404       404
why_not                              missing *                ->login   405       405
savings_letter                       own     GET,HEAD         ->login   200       200
savings_letter                       own     *                ->login   405       405
savings_letter                       missing GET,HEAD         ->login   404       404
savings_letter                       missing *                ->login   405       405
finding                              own     GET,HEAD         ->login   200       200
finding                              own     *                ->login   405       405
finding                              missing GET,HEAD         ->login   404       404
finding                              missing *                ->login   405       405
service_settings                     own     GET,HEAD         ->login   200       200
service_settings                     own     *                ->login   405       405
service_settings                     missing GET,HEAD         ->login   404       404
service_settings                     missing *                ->login   405       405
history                              own     GET,HEAD         ->login   200       200
history                              own     *                ->login   405       405
history                              missing GET,HEAD         ->login   404       404
history                              missing *                ->login   405       405
run                                  own     GET,HEAD         ->login   200       200
run                                  own     *                ->login   405       405
run                                  missing GET,HEAD         ->login   404       404
run                                  missing *                ->login   405       405
stop_sync                            own     POST             ->login   403       ->run
stop_sync                            own     *                ->login   405       405
stop_sync                            missing POST             ->login   403       404
stop_sync                            missing *                ->login   405       405
believe_drop                         own     POST             ->login   403       ->run
believe_drop                         own     *                ->login   405       405
believe_drop                         missing POST             ->login   403       404
believe_drop                         missing *                ->login   405       405
choose_owner                         own     POST             ->login   403       400
choose_owner                         own     *                ->login   405       405
choose_owner                         missing POST             ->login   403       404
choose_owner                         missing *                ->login   405       405
schedule                             own     POST             ->login   403       400
schedule                             own     *                ->login   405       405
schedule                             missing POST             ->login   403       404
schedule                             missing *                ->login   405       405
notice_seen                          own     POST             ->login   403       ->spend
notice_seen                          own     *                ->login   405       405
notice_seen                          missing POST             ->login   403       404
notice_seen                          missing *                ->login   405       405
authorize                            own     POST             ->login   403       vendor
authorize                            own     *                ->login   405       405
authorize                            missing POST             ->login   403       404
authorize                            missing *                ->login   405       405
let_in                               own     POST             ->login   403       ->outcome
let_in                               own     *                ->login   405       405
let_in                               missing POST             ->login   403       404
let_in                               missing *                ->login   405       405
decide                               own     POST             ->login   403       400
decide                               own     *                ->login   405       405
decide                               missing POST             ->login   403       404
decide                               missing *                ->login   405       405
check                                own     POST             ->login   403       ->service_settings
check                                own     *                ->login   405       405
check                                missing POST             ->login   403       404
check                                missing *                ->login   405       405
outcome                              own     GET,HEAD         ->login   200       200
outcome                              own     *                ->login   405       405
outcome                              missing GET,HEAD         ->login   404       404
outcome                              missing *                ->login   405       405
sync_now                             own     POST             ->login   403       ->info
sync_now                             own     *                ->login   405       405
sync_now                             missing POST             ->login   403       404
sync_now                             missing *                ->login   405       405
progress                             own     GET,HEAD         ->login   200       200
progress                             own     *                ->login   405       405
progress                             missing GET,HEAD         ->login   404       404
progress                             missing *                ->login   405       405
revoke                               own     POST             ->login   403       ->service_settings
revoke                               own     *                ->login   405       405
revoke                               missing POST             ->login   403       404
revoke                               missing *                ->login   405       405
upload_members                       own     POST             ->login   403       400
upload_members                       own     *                ->login   405       405
upload_members                       missing POST             ->login   403       404
upload_members                       missing *                ->login   405       405
member_columns                       own     GET,HEAD,POST    ->login   403       ->service_settings
member_columns                       own     *                ->login   405       405
member_columns                       missing GET,HEAD,POST    ->login   403       404
member_columns                       missing *                ->login   405       405
review_members                       own     GET,HEAD         ->login   403       ->service_settings
review_members                       own     *                ->login   405       405
review_members                       missing GET,HEAD         ->login   403       404
review_members                       missing *                ->login   405       405
apply_members                        own     POST             ->login   403       ->service_settings
apply_members                        own     *                ->login   405       405
apply_members                        missing POST             ->login   403       404
apply_members                        missing *                ->login   405       405
put_members_aside                    own     POST             ->login   403       ->service_settings
put_members_aside                    own     *                ->login   405       405
put_members_aside                    missing POST             ->login   403       404
put_members_aside                    missing *                ->login   405       405
members_sample                       own     GET,HEAD         ->login   200       200
members_sample                       own     *                ->login   405       405
members_sample                       missing GET,HEAD         ->login   404       404
members_sample                       missing *                ->login   405       405
erase                                own     POST             ->login   403       404
erase                                own     *                ->login   405       405
erase                                missing POST             ->login   403       404
erase                                missing *                ->login   405       405
callback                             own     GET,HEAD         ->login   403       403
callback                             own     *                ->login   405       405
callback                             missing GET,HEAD         ->login   404       404
callback                             missing *                ->login   405       405
spend_by                             own     GET,HEAD         ->login   200       200
spend_by                             own     *                ->login   405       405
spend_by                             missing GET,HEAD         ->login   404       404
spend_by                             missing *                ->login   405       405
chargeback                           -       GET,HEAD         ->login   200       200
chargeback                           -       *                ->login   405       405
people                               -       GET,HEAD         ->login   200       200
people                               -       *                ->login   405       405
upload_people                        -       POST             ->login   403       400
upload_people                        -       *                ->login   405       405
review_people                        -       GET,HEAD         ->login   403       ->people
review_people                        -       *                ->login   405       405
apply_people                         -       POST             ->login   403       ->people
apply_people                         -       *                ->login   405       405
put_people_aside                     -       POST             ->login   403       ->people
put_people_aside                     -       *                ->login   405       405
people_sample                        -       GET,HEAD         ->login   200       200
people_sample                        -       *                ->login   405       405
renewals                             -       GET,HEAD         ->login   200       200
renewals                             -       *                ->login   405       405
make_calendar_link                   -       POST             ->login   200       200
make_calendar_link                   -       *                ->login   405       405
remove_calendar_link                 -       POST             ->login   ->renewals ->renewals
remove_calendar_link                 -       *                ->login   405       405
renewals_feed                        own     GET,HEAD         200       200       200
renewals_feed                        own     *                405       405       405
renewals_feed                        missing GET,HEAD         404       404       404
renewals_feed                        missing *                405       405       405
users                                -       GET,HEAD         ->login   200       200
users                                -       *                ->login   405       405
add_user                             -       POST             ->login   403       400
add_user                             -       *                ->login   405       405
change_role                          own     POST             ->login   403       ->users
change_role                          own     *                ->login   405       405
change_role                          missing POST             ->login   403       ->users
change_role                          missing *                ->login   405       405
set_active                           own     POST             ->login   403       ->users
set_active                           own     *                ->login   405       405
set_active                           missing POST             ->login   403       404
set_active                           missing *                ->login   405       405
one_time_link                        own     POST             ->login   403       ->users
one_time_link                        own     *                ->login   405       405
one_time_link                        missing POST             ->login   403       404
one_time_link                        missing *                ->login   405       405
audit                                -       GET,HEAD         ->login   403       200
audit                                -       *                ->login   405       405
adopt_installation                   -       POST             ->login   403       ->spend
adopt_installation                   -       *                ->login   405       405
accept_keys                          -       POST             ->login   403       ->spend
accept_keys                          -       *                ->login   405       405
design                               -       GET,HEAD         ->login   200       200
design                               -       *                ->login   405       405
healthz                              -       GET,HEAD         200       200       200
healthz                              -       *                405       405       405
readyz                               -       GET,HEAD         200       200       200
readyz                               -       *                405       405       405
metrics                              -       GET,HEAD         404       404       404
metrics                              -       *                405       405       405
first_run                            -       GET,HEAD,POST    ->spend   ->spend   ->spend
first_run                            -       *                405       405       405
account_login                        -       PATCH,DELETE     405       ->spend   ->spend
account_login                        -       *                200       ->spend   ->spend
account_logout                       -       POST             ->login   ->login   ->login
account_logout                       -       OPTIONS          200       200       200
account_logout                       -       GET,HEAD         ->login   200       200
account_logout                       -       *                405       405       405
account_inactive                     -       GET,HEAD,OPTIONS 200       200       200
account_inactive                     -       *                405       405       405
account_signup                       -       GET,HEAD         200       200       200
account_signup                       -       *                405       405       405
account_reauthenticate               -       PATCH,DELETE     ->login   405       405
account_reauthenticate               -       *                ->login   200       200
account_change_password              -       PATCH,DELETE     ->login   405       405
account_change_password              -       *                ->login   200       200
account_reset_password               -       GET,HEAD         200       200       200
account_reset_password               -       *                405       405       405
account_reset_password_done          -       GET,HEAD         200       200       200
account_reset_password_done          -       *                405       405       405
account_reset_password_from_key_done -       GET,HEAD,OPTIONS 200       200       200
account_reset_password_from_key_done -       *                405       405       405
account_reset_password_from_key      own     *                ->set     ->set     ->set
account_reset_password_from_key      missing *                200       200       200
"""

Expected = dict[tuple[str, str, str], tuple[str, str, str]]


def expected(table: str = TABLE) -> Expected:
    """{(address name, "own" or "missing", method): what each role is answered}."""
    found: Expected = {}
    lines = [line.split() for line in table.splitlines() if line.strip()]
    for name, which, methods, *answers in lines:
        if len(answers) != len(ROLES):
            raise ValueError(f"{name} {which} {methods}: three answers are needed")
        object_ = "own" if which == "-" else which
        rest = [method for method in METHODS if (name, object_, method) not in found]
        for method in rest if methods == "*" else methods.split(","):
            if (name, object_, method) in found:
                raise ValueError(f"{name} {which} {method} stands there twice")
            found[name, object_, method] = (answers[0], answers[1], answers[2])
    return found
