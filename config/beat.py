"""The timetable of a worker that was started with -B."""

from celery.beat import PersistentScheduler


class Steady(PersistentScheduler):
    """Celery's, which would stand still for an hour after the clock was set back by one."""

    def tick(self, *arguments: object, **more: object) -> float:
        now = self.app.now()
        for entry in self.schedule.values():
            if entry.last_run_at > now:
                entry.last_run_at, self._heap = now, None  # the heap is made anew, of the times as they are
        return super().tick(*arguments, **more)
