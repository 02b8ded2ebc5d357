"""One whole Skiff for the tests of this folder that do not need one of their own."""
import pytest

from faults_kit import Instance
from support import instance as support


@pytest.fixture(scope="session")
def instance(tmp_path_factory):
    if support.missing():
        pytest.skip(support.missing())
    made = Instance(tmp_path_factory.mktemp("faults"))
    try:
        yield made.up()
    finally:
        made.remove()
    assert made.monitors() == [] and made.roles() == {}
