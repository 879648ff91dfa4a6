"""Which route a path belongs to, for counting requests without counting every id by itself."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from starlette.routing import BaseRoute, Mount, Route, compile_path


class Templates:
    """Routes by their paths: `/us/users/PXYZ` belongs to `/us/users/{id}`."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        found = list(_flat(routes, ""))
        self._known = [(pattern, shown) for pattern, shown in found if not shown.endswith("{path}")]
        self._regions = {shown.split("/")[1] for _, shown in found}
        self.of = lru_cache(maxsize=10_000)(self._of)

    def _of(self, path: str) -> str:
        for pattern, shown in self._known:
            if pattern.match(path):
                return shown
        region = path.split("/")[1] if path.startswith("/") else ""
        return f"/{region}/{{path}}" if region in self._regions else "/{path}"


def _flat(routes: Iterable[BaseRoute], prefix: str) -> Iterator[tuple[re.Pattern[str], str]]:
    for route in routes:
        if isinstance(route, Mount):
            yield from _flat(route.routes, prefix + route.path)
        elif isinstance(route, Route):
            pattern, shown, _ = compile_path(prefix + route.path)
            yield pattern, shown
