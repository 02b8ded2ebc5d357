import pytest

from platform_kit import COUNTER, WEB, Instance
from support import instance as support


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    why = support.missing()
    if why:
        pytest.skip(why)
    made = Instance(tmp_path_factory.mktemp("platform"))
    made.up()
    yield made
    for app in made.skiff("apps", check=False).stdout.split():
        made.skiff("apps:destroy", "-a", app, "--confirm", app, check=False)
    support.wait_for(lambda: "No resources" in made.kubectl("get", "pods", "-A", check=False).stderr, 60)
    made.close()


@pytest.fixture(scope="session")
def shop(world, tmp_path_factory):
    """The app shop: a web type and a worker that counts."""
    folder = tmp_path_factory.mktemp("shop")
    world.push(folder, "shop", {"web": WEB, "worker": COUNTER})
    assert world.all_up("shop", ["web.1"])
    return folder
