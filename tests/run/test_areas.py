"""`./test AREA...` of daily work."""
import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def test_an_area_that_is_none_is_told_and_nothing_runs():
    told = subprocess.run([SOURCE / "test", "wire", "nosuch"], capture_output=True, text=True)
    assert told.returncode == 2 and told.stdout == ""
    assert 'no area "nosuch"' in told.stderr and " kubectl " in told.stderr and " wire\n" in told.stderr


def test_an_area_runs_alone():
    told = subprocess.run([SOURCE / "test", "wire"], capture_output=True, text=True).stdout.splitlines()
    assert [line.split(" (")[0].split(",")[0] for line in told[:-1]] == ["ok    build", "ok    unit tests of wire"], told
    assert told[-1].endswith(" passed, 0 failed")
