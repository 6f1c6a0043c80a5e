"""The shared harness's loadtest.py with our driver among the peers': run.py HARNESS NAME [its options]."""

import runpy
import sys
from pathlib import Path

harness = sys.argv.pop(1)
sys.path[:0] = [harness, str(Path(__file__).parent)]

from driver import Touchstone  # noqa: E402
from drivers import DRIVERS  # noqa: E402

DRIVERS[Touchstone.name] = Touchstone
sys.argv[0] = f"{harness}/loadtest.py"
runpy.run_path(sys.argv[0], run_name="__main__")
