"""The vendor's published API description, made fit for checking the sandbox's answers with it.

The description may be read but not passed on, so it lies outside of the project and nothing of it
is written down here. It is OpenAPI 3.0, which differs from JSON Schema in a few words.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft4Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT4

HOME: Final = "urn:description"
NULL: Final[dict[str, Any]] = {"type": "null"}
SAYS_NULL: Final = re.compile(r"\bnull\b", re.IGNORECASE)
UNCHECKED: Final = {"example", "examples", "default", "discriminator", "nullable"}
SCHEMAS: Final = "#/components/schemas/"
REFERENCE: Final = "Reference"
OTHERWISE: Final[dict[str, tuple[str, ...]]] = {  # what is meant, where the name does not say it
    "EscalationTargetReference": ("User", "Schedule"),
    "AcknowledgerReference": ("User",),
    "AgentReference": ("User",),
    "ContactMethodReference": (*("EmailContactMethod", "PhoneContactMethod", "PushContactMethod"),),
    "Reference": (),
}
Place = tuple[str, ...]  # of a value in an answer; every element of a list is "[]"
Flaw = tuple[Place, str]

FORMATS: Final = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


class Description:
    """What the vendor says its API answers.

    It describes only the references that are answered where nothing is included; `included` says
    that the things themselves may stand in their places.
    """

    def __init__(self, path: Path, *, included: bool = False) -> None:
        self._said = json.loads(path.read_text("utf-8"))
        if included:
            _widen(self._said["components"]["schemas"])
        self._whole = _translated(self._said)
        self._registry: Registry[Any] = Registry().with_resource(
            HOME, DRAFT4.create_resource(self._whole)
        )
        self._paths = {_bare(path): path for path in self._said["paths"]}

    def names(self, method: str, path: str) -> bool:
        """Whether it describes that endpoint."""
        return method.lower() in self._said["paths"].get(self._paths.get(_bare(path), ""), {})

    def parameter(self, method: str, path: str, name: str) -> list[str]:
        """The words that a parameter of the endpoint may have; none if there is no such one."""
        operation = self._operation(method, path)
        for each in operation.get("parameters", ()):
            one = self._found(each)
            if one["name"] == name:
                schema = one["schema"]
                words: list[str] = schema.get("enum") or schema.get("items", {}).get("enum") or []
                return words
        return []

    def schema(self, method: str, path: str, status: int) -> dict[str, Any] | None:
        """What an answer with that status looks like, or None where nothing is said about it."""
        for response in (self._operation(method, path)["responses"].get(str(status)),):
            if response is not None:
                content = self._found(response).get("content", {})
                said = content.get("application/json", {}).get("schema")
                return _translated(said) if said is not None else None
        return None

    def flaws(self, schema: dict[str, Any], answer: Any) -> Iterator[Flaw]:
        """Where an answer differs from its description, and how."""
        checker = Draft4Validator(
            _absolute(schema), registry=self._registry, format_checker=FORMATS
        )
        for error in checker.iter_errors(answer):
            for cause in _causes(error):
                yield _place(cause), cause.message[:160]

    def strangers(self, schema: dict[str, Any], answer: Any, place: Place = ()) -> Iterator[Flaw]:
        """Keys of an answer that its description does not know."""
        parts = list(self._parts(schema))
        if isinstance(answer, list):
            for part in (each["items"] for each in parts if "items" in each):
                for element in answer:
                    yield from self.strangers(part, element, (*place, "[]"))
        if isinstance(answer, dict):
            known: dict[str, list[Any]] = {}
            for part in parts:
                for name, inner in part.get("properties", {}).items():
                    known.setdefault(name, []).append(inner)
            free = any(part.get("additionalProperties") for part in parts)
            for name, value in answer.items():
                if name in known:
                    together = {"anyOf": known[name]}
                    yield from self.strangers(together, value, (*place, name))
                elif known and not free:
                    yield (*place, name), "is not described"

    def _parts(self, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The schema with everything it is put together from."""
        schema = self._found(schema)
        yield schema
        for word in ("allOf", "anyOf", "oneOf"):
            for each in schema.get(word, ()):
                yield from self._parts(each)

    def _operation(self, method: str, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self._said["paths"][self._paths[_bare(path)]][method.lower()]
        return found

    def _found(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            inner = self._whole if node["$ref"].startswith(HOME) else self._said
            for step in node["$ref"].partition("#/")[2].split("/"):
                name = step.replace("~1", "/").replace("~0", "~")
                inner = inner[int(name)] if isinstance(inner, list) else inner[name]
            node = inner
        return node


def _widen(schemas: dict[str, Any]) -> None:
    """Lets a thing stand wherever only a reference to it is described."""
    for name in [name for name in schemas if name.endswith(REFERENCE)]:
        things = OTHERWISE.get(name, (name.removesuffix(REFERENCE),))
        known = [{"$ref": f"{SCHEMAS}{each}"} for each in things if each in schemas]
        schemas[f"Short{name}"] = schemas[name]
        schemas[name] = {"anyOf": [{"$ref": f"{SCHEMAS}Short{name}"}, *known]}


def _translated(node: Any, *, names: bool = False) -> Any:
    """A node of the description as JSON Schema; `names` says that its keys are names of things."""
    if isinstance(node, list):
        return [_translated(each) for each in node]
    if not isinstance(node, dict):
        return node
    if names:
        return {name: _translated(each) for name, each in node.items()}
    made = {
        word: _translated(value, names=word in ("properties", "responses", "schemas"))
        for word, value in node.items()
        if word not in UNCHECKED
    }
    if "oneOf" in made:  # references often fit several; the word in `type` says which is meant
        made["anyOf"] = made.pop("oneOf")
    # many a field is said to be null at times in its description only
    told = node.get("description")
    may_be_null = node.get("nullable") or (isinstance(told, str) and SAYS_NULL.search(told))
    if may_be_null and ({"type", "$ref", "allOf", "anyOf"} & set(made)) and "in" not in node:
        return {"anyOf": [made, NULL]}
    return made


def _absolute(schema: Any) -> Any:
    """The schema with references that are understood outside of the description."""
    if isinstance(schema, list):
        return [_absolute(each) for each in schema]
    if isinstance(schema, dict):
        return {
            word: HOME + value if word == "$ref" and value.startswith("#") else _absolute(value)
            for word, value in schema.items()
        }
    return schema


def _bare(path: str) -> str:
    return re.sub(r"{[^}]*}", "{}", path)


def _place(error: ValidationError) -> Place:
    return tuple("[]" if isinstance(step, int) else str(step) for step in error.absolute_path)


def _causes(error: ValidationError) -> Iterator[ValidationError]:
    """What is really wrong where none of several alternatives fits.

    The one that was meant is the one whose `type` is right, and that fits best.
    """
    if error.validator != "anyOf" or not error.context:
        yield error
        return
    branches: dict[Any, list[ValidationError]] = {}
    for each in error.context:
        branches.setdefault(each.relative_schema_path[0], []).append(each)
    causes = [[cause for each in branch for cause in _causes(each)] for branch in branches.values()]
    here = len(error.absolute_path)
    yield from min(causes, key=lambda found: (_misses(found, here), len(found)))


def _misses(found: list[ValidationError], depth: int) -> int:
    """How badly an alternative fits: 2 for another sort of value, 1 for another type of thing."""
    places = [(list(each.absolute_path)[depth:], each.validator) for each in found]
    if any(place == [] and word == "type" for place, word in places):
        return 2
    return 1 if any(place == ["type"] for place, _ in places) else 0
