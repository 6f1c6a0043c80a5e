from django.urls import path

from inspector.views import agreement, best_of_n, drift, heatmap, length, surface

app_name = "inspector"
urlpatterns = [
    path("p/<slug:slug>/agreement/", agreement.agreement, name="agreement"),
    path("p/<slug:slug>/agreement/disputes/", agreement.disputes, name="disputes"),
    path("p/<slug:slug>/agreement/raters/", agreement.raters, name="raters"),
    path("p/<slug:slug>/versions/<int:number>/heatmap/", heatmap.heatmap, name="heatmap"),
    path("p/<slug:slug>/versions/<int:number>/heatmap/explain/", heatmap.explain, name="explain"),
    path("p/<slug:slug>/versions/<int:number>/length/", length.length, name="length"),
    path("p/<slug:slug>/versions/<int:number>/surface/", surface.surface, name="surface"),
    path("p/<slug:slug>/versions/<int:number>/surface/count/", surface.count, name="surface_count"),
    path("p/<slug:slug>/versions/<int:number>/surface/probe/", surface.launch, name="probe"),
    path("p/<slug:slug>/versions/<int:number>/surface/stop/", surface.stop, name="probe_stop"),
    path("p/<slug:slug>/versions/<int:number>/drift/", drift.drift, name="drift"),
    path("p/<slug:slug>/drift/", drift.drift, name="drift_of_pools"),
    path("p/<slug:slug>/versions/<int:number>/best-of-n/", best_of_n.page, name="best_of_n"),
    path("p/<slug:slug>/versions/<int:number>/best-of-n/file/", best_of_n.file, name="best_of_n_file"),
]
