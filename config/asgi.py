"""HTTP through Django, WebSockets through Channels."""

import gc
import os
from collections.abc import Callable
from urllib.parse import urlsplit

import django
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, WebsocketDenier

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from django.urls import re_path  # noqa: E402

from config.handler import ThreadedHandler  # noqa: E402  (needs the apps loaded)
from worker.urls import websocket_urlpatterns  # noqa: E402

# A request makes some thousand objects, and hardly a cycle: Python's 700 would look for cycles at each query.
gc.set_threshold(10_000)


def same_site(sockets: Callable) -> Callable:
    """Pages of our own hosts alone. An Origin that is no address, on which Channels would fail, counts as none."""
    checked = AllowedHostsOriginValidator(sockets)

    async def asked(scope: dict, receive: Callable, send: Callable) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name != b"origin" or _is_address(value)]
        await checked(scope | {"headers": headers}, receive, send)

    return asked


def _is_address(origin: bytes) -> bool:
    try:
        return bool(urlsplit(origin.decode("latin-1")).netloc)
    except ValueError:
        return False


# Where there is no socket, one is refused; without this, each such address would be an error in the log.
sockets = URLRouter([*websocket_urlpatterns, re_path("", WebsocketDenier.as_asgi())])
application = ProtocolTypeRouter({"http": ThreadedHandler(), "websocket": same_site(AuthMiddlewareStack(sockets))})
