"""Loaded before the settings: tests write into a folder of their own and never reach out."""

import atexit
import os
import shutil
import tempfile

os.environ["VAR_DIR"] = folder = tempfile.mkdtemp(prefix="touchstone-test-")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # both halves of the suite run side by side; waiting threads spin
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in the test's thread
atexit.register(shutil.rmtree, folder, ignore_errors=True)
