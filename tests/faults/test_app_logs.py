"""The log of a pushed app has no gap and nothing twice, whichever role is killed while the app talks."""
import re
import time

import pytest

from faults_kit import ROLES, kill
from support.instance import wait_for

# Prints a number every 50 ms; answers on $PORT.
APP = """use IO::Socket;
$| = 1;
my $s = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 9, ReuseAddr => 1) or die;
if (!fork) {
  $SIG{TERM} = sub { exit 0 };
  for (my $n = 1;; $n++) { print "count=$n\\n"; select undef, undef, undef, 0.05 }
}
$SIG{TERM} = sub { kill 15, -getpgrp; exit 0 };
while (1) {
  my $c = $s->accept or next;
  while (defined(my $l = <$c>)) { last if $l =~ /^\\r?$/ }
  print $c "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok";
  close $c;
}
"""


@pytest.fixture(scope="module")
def talker(instance, tmp_path_factory):
    folder = tmp_path_factory.mktemp("talker")
    instance.create_app(folder, "talker", {"app.pl": APP, "Makefile": "all:\n\ttrue\n",
                                           "Procfile": "web: exec perl app.pl\n"})
    code, said = instance.push(folder)
    assert code == 0, said
    assert wait_for(lambda: counted(instance), 30)
    yield instance
    instance.drop_namespace("talker")


def counted(instance):
    text = instance.skiff("logs", "-n", "1500", "-a", "talker", check=False).stdout
    return [int(number) for number in re.findall(r"app\[web\.[^]]+\]: count=(\d+)", text)]


def assert_whole(instance):
    """Numbers one after the other, up to one that is printed after this call."""
    last = max(counted(instance), default=0)
    assert wait_for(lambda: max(counted(instance), default=0) > last + 20, 20), "the log stands still"
    numbers = counted(instance)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize("role", ROLES)
def test_the_log_has_no_gap_after_a_role_was_killed(talker, role):
    killed = talker.roles()[role]
    kill(killed)
    assert wait_for(lambda: talker.roles().get(role, killed) != killed, 10)
    assert_whole(talker)


def test_the_log_has_no_gap_after_all_were_killed_at_once(talker):
    for pid in [talker.supervisor(), *talker.roles().values()]:
        kill(pid)
    assert wait_for(lambda: talker.roles() == {}, 10)
    time.sleep(1)  # the app goes on printing where nobody reads
    talker.up()
    assert_whole(talker)
