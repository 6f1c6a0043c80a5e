from django.urls import path

from worker.views import webhook

routes = [
    path("p/<slug:slug>/webhooks/", webhook.index, name="webhooks"),
    path("p/<slug:slug>/webhooks/create/", webhook.create, name="webhook_create"),
    path("p/<slug:slug>/webhooks/<int:pk>/", webhook.detail, name="webhook"),
    path("p/<slug:slug>/webhooks/<int:pk>/ping/", webhook.ping, name="webhook_ping"),
    path("p/<slug:slug>/webhooks/<int:pk>/switch/", webhook.switch, name="webhook_switch"),
    path("p/<slug:slug>/webhooks/<int:pk>/secret/", webhook.secret, name="webhook_secret"),
    path("p/<slug:slug>/webhooks/<int:pk>/remove/", webhook.remove, name="webhook_remove"),
    path("p/<slug:slug>/deliveries/<int:pk>/again/", webhook.again, name="delivery_again"),
]
