"""Statistics kept for a page."""

from worker.models import Summary, Version


def keep(*, version: Version, name: str, made_of: str, values: dict) -> None:
    """In place of what was kept under the name; two at once keep one of both, which are the same."""
    Summary.objects.bulk_create(
        [Summary(version=version, name=name, made_of=made_of, values=values)],
        update_conflicts=True,
        unique_fields=["version", "name"],
        update_fields=["made_of", "values"],
    )
