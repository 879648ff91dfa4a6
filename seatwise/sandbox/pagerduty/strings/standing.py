"""How a person counts at this moment, once a script has demoted or removed somebody."""

from dataclasses import replace

from ..company.people import Person
from .controls import Controls


def standing(person: Person | None, controls: Controls) -> Person | None:
    """The person with the role that counts now, or None when a script removed them.

    Somebody is named by id, in one account, or by e-mail address, in all of them.
    """
    if person is None or person.id in controls.remove or person.email in controls.remove:
        return None
    role = controls.demote.get(person.id) or controls.demote.get(person.email)
    return replace(person, role=role) if role and role != person.role else person
