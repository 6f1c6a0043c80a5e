app_name = "worker"
urlpatterns: list = []
websocket_urlpatterns: list = []
