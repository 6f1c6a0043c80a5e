"""Addresses of rounds, suites, selection and lineage; urls.py holds the rest."""

from django.urls import path

from worker.views import lineage, rounds, selection, suite

routes = [
    path("p/<slug:slug>/rounds/", rounds.index, name="rounds"),
    path("p/<slug:slug>/rounds/policy/", rounds.policy, name="round_policy"),
    path("p/<slug:slug>/rounds/run/", rounds.run, name="round_run"),
    path("p/<slug:slug>/suites/", suite.index, name="suites"),
    path("p/<slug:slug>/suites/import/", suite.import_pairs, name="suite_import"),
    path("p/<slug:slug>/suites/freeze/", suite.freeze, name="suite_freeze"),
    path("p/<slug:slug>/suites/<int:pk>/", suite.detail, name="suite"),
    path("p/<slug:slug>/suites/<int:pk>/run/", suite.run, name="suite_run"),
    path("p/<slug:slug>/suites/<int:pk>/each/", suite.each, name="suite_each"),
    path("p/<slug:slug>/selection/", selection.index, name="selection"),
    path("p/<slug:slug>/selection/policy/", selection.policy, name="selection_policy"),
    path("p/<slug:slug>/selection/stop/", selection.stop, name="selection_stop"),
    path("p/<slug:slug>/lineage/", lineage.index, name="lineage"),
    path("p/<slug:slug>/lineage/judgements/<int:pk>/", lineage.of_judgement, name="judgement_lineage"),
    path("p/<slug:slug>/lineage/rater/", lineage.of_rater, name="rater_lineage"),
    path("p/<slug:slug>/lineage/withdraw/", lineage.withdraw, name="withdraw"),
    path("p/<slug:slug>/lineage/<int:pk>/restore/", lineage.restore, name="restore"),
    path("p/<slug:slug>/versions/<int:number>/lineage/", lineage.of_version, name="version_lineage"),
    path("p/<slug:slug>/versions/<int:number>/rebuild/", lineage.rebuild, name="rebuild"),
]
