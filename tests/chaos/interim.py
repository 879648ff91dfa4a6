from typing import Any


def patch() -> None:
    from seatwise import tasks
    if hasattr(tasks, "give_away"):
        return
    from procrastinate.worker import Worker
    old = tasks.run_worker
    def run_worker(heartbeat: float = 10.0) -> None:
        init = Worker.__init__
        def changed(self: Any, *a: Any, **k: Any) -> None:
            k["update_heartbeat_interval"] = heartbeat
            init(self, *a, **k)
        Worker.__init__ = changed
        old()
    def give_away(dead_after: float = 30.0) -> list[int]:
        tasks.DEAD_AFTER = dead_after
        tasks.rescue.func(None, 0)
        return []
    tasks.run_worker = run_worker
    tasks.give_away = give_away
