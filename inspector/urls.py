from django.urls import path

from inspector.views import drift, heatmap, length

app_name = "inspector"
urlpatterns = [
    path("p/<slug:slug>/versions/<int:number>/heatmap/", heatmap.heatmap, name="heatmap"),
    path("p/<slug:slug>/versions/<int:number>/heatmap/explain/", heatmap.explain, name="explain"),
    path("p/<slug:slug>/versions/<int:number>/length/", length.length, name="length"),
    path("p/<slug:slug>/versions/<int:number>/drift/", drift.drift, name="drift"),
]
