"""What all black-box tests share: `support` is importable, and the order is random.

Files come in random order, and the tests of a file too, unless the file tells one story and says so (ORDERED = True).
SKIFF_TEST_SEED repeats an order. Tests of one folder stay together, since they share its running instance.
"""
import os
import random
import subprocess

import pytest

SEED = int(os.environ.get("SKIFF_TEST_SEED") or random.randrange(1_000_000))


def remove_tree(folder):
    """Not what is still mounted there."""
    subprocess.run(["rm", "-rf", "--one-file-system", folder], check=False, capture_output=True)


@pytest.fixture
def tmp_path(tmp_path):
    """Gone after the test: the data of an instance is a gigabyte."""
    yield tmp_path
    remove_tree(tmp_path)


def pytest_sessionfinish(session, exitstatus):
    if exitstatus == 0 and hasattr(session.config, "_tmp_path_factory"):
        remove_tree(session.config._tmp_path_factory.getbasetemp())


def pytest_report_header():
    return f"order: SKIFF_TEST_SEED={SEED}"


def shuffled_groups(items, key, chance):
    """The items with groups of equal key in random order; inside a group the order stays."""
    groups = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    order = list(groups.values())
    chance.shuffle(order)
    return [item for group in order for item in group]


def pytest_collection_modifyitems(items):
    chance = random.Random(SEED)
    alone = [item for item in items if not getattr(item.module, "ORDERED", False)]
    shuffled = iter(chance.sample(alone, len(alone)))
    items[:] = [item if getattr(item.module, "ORDERED", False) else next(shuffled) for item in items]
    items[:] = shuffled_groups(items, lambda item: item.path, chance)
    items[:] = shuffled_groups(items, lambda item: item.path.parent, chance)
