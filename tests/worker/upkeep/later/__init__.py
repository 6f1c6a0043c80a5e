"""The migrations of annotate, and one more: as a later release would bring it.

settings.MIGRATION_MODULES = {"annotate": "tests.worker.upkeep.later"} makes them the site's.
"""

from annotate import migrations

__path__ += migrations.__path__
