"""A wall clock that can be set: of the processes that are started with its environment."""

import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


def missing() -> str:
    return "" if shutil.which("cc") else "not installed: cc, to build tests/soak/clock.c"


class Clock:
    """clock.environment is for the processes; clock.set(-3600) sets their clocks back by an hour while they run."""

    def __init__(self, folder: Path) -> None:
        self.file, library = folder / "clock", folder / "clock.so"
        self.set(0)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
        self.environment = {"LD_PRELOAD": str(library), "SOAK_CLOCK": str(self.file)}

    def set(self, seconds: int) -> None:
        """In place, for the processes have the file mapped."""
        self.file.touch()
        with self.file.open("r+b") as file:
            file.write(struct.pack("q", seconds))
