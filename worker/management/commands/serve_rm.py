"""manage.py serve_rm VERSION [--port 5000] [--follow]"""

import signal

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand, project_named
from worker.models import Version
from worker.services.version import resolve


class Command(JsonCommand):
    help = (
        "Score samples over HTTP for policy training outside: POST /score and OpenRLHF's POST /get_reward, with a "
        "token from the project's page on serving (docs/serving.md). Ends on SIGTERM once all that waits is answered."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", metavar="VERSION", help="project:number, project:latest or project:promoted")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=5000)
        parser.add_argument("--max-batch-tokens", type=int, default=16384, help="Tokens of one batch, about.")
        parser.add_argument("--wait-ms", type=float, default=4.0, help="How long a batch waits for more requests.")
        parser.add_argument("--max-queue", type=int, default=10000, help="Answers that may wait; more get 503.")
        parser.add_argument("--max-request-mb", type=float, default=32.0)
        parser.add_argument("--follow", action="store_true", help="Serve whatever version is promoted.")

    def handle_json(self, *, version: str, host: str, port: int, follow: bool, **limits: object) -> dict:
        import uvicorn

        from worker.serving.app import Scorer
        from worker.serving.batcher import Batcher
        from worker.serving.served import Served

        served = Served(_named(version), follow)
        wait, megabytes = limits["wait_ms"] / 1000, limits["max_request_mb"]
        batcher = Batcher(served.score, budget=limits["max_batch_tokens"], wait=wait, most=limits["max_queue"])
        app = Scorer(served, batcher, int(megabytes * 2**20))
        config = uvicorn.Config(app, host, port, log_level="warning", access_log=False, timeout_graceful_shutdown=60)
        for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn sends them on once it has ended
            signal.signal(number, lambda *_: None)
        self.stderr.write(f"Serving {served.version} at http://{host}:{port}", style_func=str)
        uvicorn.Server(config).run()
        return {"version": str(served.version), "answered": batcher.answered, "batches": batcher.batches}


def _named(name: str) -> Version:
    slug, _, number = name.rpartition(":")
    if number != "promoted":
        return resolve(name)
    promoted = project_named(slug).versions.select_related("project").promoted()
    if promoted is None:
        raise ValueError(f"{slug} has no promoted version.")
    return promoted
