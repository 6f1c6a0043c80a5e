import os

from config.celery import app as celery_app

# Threads that spin while they wait for each other stall on a busy machine. OpenMP reads this when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Nothing leaves the machine: the libraries of models read these when they are loaded, also in processes under a job.
os.environ["HF_HUB_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "1"

__all__ = ["celery_app"]
