import pytest

from tests.inspector import making


@pytest.fixture
def version(project):
    return making.make_version(project)


@pytest.fixture
def oder(project):
    """An item whose second response is longer and wrong."""
    return making.make_item(
        project, "Where does the Oder end?", "In the Baltic Sea.", "It <b>ends</b> in the North Sea 😀, far away."
    )


@pytest.fixture
def other(project):
    return making.make_item(project, "How long is it?", "866 km", "It is 866 kilometres long", "Long")
