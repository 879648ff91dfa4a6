"""A worker of the release before goes on while the schema is already the next one's.

So a migration only adds (expand); what it no longer needs goes in a later release (contract), when
no older worker can be there any more. Such a migration says `contract` in its name.
"""

import inspect
from collections.abc import Iterator, Sequence

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.fields import NOT_PROVIDED

APP = "seatwise"
FROM = "0004"  # up to the one before it no release had workers on several machines
REASON = "why_an_older_worker_survives"  # of a migration with SQL or code of its own
HARMLESS = (migrations.AddIndex, migrations.AlterModelOptions, migrations.AlterModelManagers)


def dangers(
    operations: Sequence[Operation], state: ProjectState, *, reason: str = ""
) -> Iterator[str]:
    """What an older worker would stumble over, in words; `state` is moved on meanwhile."""
    fresh: set[str] = set()  # tables that no older worker knows
    for operation in operations:
        table = getattr(operation, "model_name", getattr(operation, "name", "")).lower()
        if isinstance(operation, migrations.CreateModel):
            fresh.add(table)
        if isinstance(operation, migrations.AlterField):
            yield from _altered(operation, state)
        elif table not in fresh:
            yield from _of_what_is_known(operation, table, reason)
        operation.state_forwards(APP, state)


def _of_what_is_known(operation: Operation, table: str, reason: str) -> Iterator[str]:
    if isinstance(operation, migrations.AddField):
        yield from _added(operation)
    elif isinstance(operation, migrations.AddConstraint):
        yield f"a new rule for {table}, which what an older worker writes may break"
    elif isinstance(operation, migrations.RunSQL | migrations.RunPython):
        if not reason:
            yield f"it does not say in `{REASON}` why an older worker survives its own SQL"
    elif not isinstance(operation, HARMLESS):
        yield f"{operation.describe()} is not adding"


def _added(operation: migrations.AddField) -> Iterator[str]:
    field = operation.field
    given = field.generated or field.db_default is not NOT_PROVIDED
    if not (field.null or field.many_to_many or given):
        yield f"{operation.name} is neither empty nor given by the database where nobody writes it"
    if field.unique:
        yield f"{operation.name} is unique"


def _altered(operation: migrations.AlterField, state: ProjectState) -> Iterator[str]:
    before = state.models[APP, operation.model_name_lower].fields[operation.name]
    after = operation.field
    same = ("unique", "primary_key", "db_column", "remote_field")
    if type(before) is not type(after):
        yield f"{operation.name} becomes another kind"
    elif before.null and not after.null:
        yield f"{operation.name} must no longer be empty"
    elif (after.max_length or 10**9) < (before.max_length or 10**9):
        yield f"{operation.name} becomes shorter"
    elif before.db_default is not NOT_PROVIDED and after.db_default is NOT_PROVIDED:
        yield f"{operation.name} is no longer given by the database"
    elif any(bool(getattr(before, each)) != bool(getattr(after, each)) for each in same):
        yield f"{operation.name} becomes another rule"


def test_every_migration_is_one_that_an_older_worker_survives() -> None:
    loader = MigrationLoader(None)
    ours = sorted(name for app, name in loader.disk_migrations if app == APP)
    checked = [name for name in ours if name >= FROM and "contract" not in name]
    assert checked
    for name in checked:
        migration = loader.disk_migrations[APP, name]
        state = loader.project_state(migration.dependencies)
        reason = getattr(migration, REASON, "")
        assert list(dangers(migration.operations, state, reason=reason)) == [], name


TEXT = models.TextField(blank=True)
FAULTY: dict[str, Operation] = {
    "a field that must be written": migrations.AddField("member", "nick", TEXT),
    "a default of Python's own": migrations.AddField(
        "member", "nick", models.TextField(default="none")
    ),
    "a unique field": migrations.AddField(
        "member", "nick", models.TextField(null=True, unique=True)
    ),
    "a removed field": migrations.RemoveField("member", "url"),
    "a renamed field": migrations.RenameField("member", "url", "link"),
    "a removed table": migrations.DeleteModel("signal"),
    "a renamed table": migrations.RenameModel("signal", "evidence"),
    "a narrower field": migrations.AlterField("member", "name", models.CharField(max_length=50)),
    "a field that must be there now": migrations.AlterField(
        "member", "left_at", models.DateTimeField()
    ),
    "another kind": migrations.AlterField("member", "name", models.IntegerField()),
    "a default that is gone": migrations.AlterField(
        "member", "never_source", models.CharField(max_length=40)
    ),
    "a rule for what is there": migrations.AddConstraint(
        "member", models.CheckConstraint(condition=models.Q(role="x"), name="x")
    ),
    "a removed rule": migrations.RemoveConstraint("member", "one_row_a_member"),
    "unexplained SQL": migrations.RunSQL("SELECT 1"),
    "unexplained code": migrations.RunPython(migrations.RunPython.noop),
    "things done apart": migrations.SeparateDatabaseAndState(),
}


@pytest.mark.parametrize("what", FAULTY)
def test_a_migration_that_an_older_worker_would_stumble_over_is_found(what: str) -> None:
    loader = MigrationLoader(None)
    state = loader.project_state([(APP, "0003_keeping_alive")])
    assert len(list(dangers([FAULTY[what]], state))) == 1


def test_a_reason_is_a_sentence() -> None:
    told = [
        getattr(migration, REASON)
        for (app, _), migration in MigrationLoader(None).disk_migrations.items()
        if app == APP and hasattr(migration, REASON)
    ]
    assert all(len(inspect.cleandoc(reason).split()) > 5 for reason in told)
