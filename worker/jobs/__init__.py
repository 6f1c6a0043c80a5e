"""Job bodies by kind: modules with `run(job, progress) -> dict`, imported when one runs and not before.

Here rows meet torch; the web process never imports these modules.
"""

JOBS = {
    "import": "worker.jobs.import_items",
    "train": "worker.jobs.train",
    "score": "worker.jobs.score",
    "attribute": "worker.jobs.attribute",
    "file": "worker.jobs.file",
    "evaluate": "worker.jobs.suite",
    "backbone": "worker.jobs.backbone",
    "export": "worker.jobs.export",
    "select": "worker.jobs.select",
    "surface": "worker.jobs.surface",
    "probe": "worker.jobs.probe",
    "whatif": "worker.jobs.whatif",
    "noise": "worker.jobs.noise",
    "preview": "worker.jobs.preview",
    "average": "worker.jobs.average",
}
