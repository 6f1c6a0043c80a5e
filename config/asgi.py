"""HTTP through Django, WebSockets through Channels."""

import gc
import os

import django
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from config.handler import ThreadedHandler  # noqa: E402  (needs the apps loaded)
from worker.urls import websocket_urlpatterns  # noqa: E402

# A request makes some thousand objects, and hardly a cycle: Python's 700 would look for cycles at each query.
gc.set_threshold(10_000)

application = ProtocolTypeRouter(
    {
        "http": ThreadedHandler(),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
