import os

from config.celery import app as celery_app

# Threads that spin while they wait for each other stall on a busy machine. OpenMP reads this when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__all__ = ["celery_app"]
