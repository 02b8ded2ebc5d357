"""Rolling updates of a plain Deployment, without a preStop hook, under POSTs that nobody may send twice."""
import http.client
import time

from faults_kit import Repeat, deployment, expose
from support.instance import wait_for

CLIENTS, UPDATES = 6, 3
HOST = "post.test"
DEPLOYMENT = "/apis/apps/v1/namespaces/posts/deployments/web"
# Keeps connections, takes some milliseconds for an answer, and at SIGTERM ends at once with whatever it is doing.
KEEPER = ("$SIG{TERM} = sub { exit 0 }; $SIG{CHLD} = 'IGNORE'; $| = 1; use IO::Socket; "
          "my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 128, ReuseAddr => 1) or die; "
          "while (1) { my $c = $s->accept or next; if (fork) { close $c; next } "
          "while (1) { my $n = 0; my $any = 0; "
          "while (defined(my $l = <$c>)) { $any = 1; $n = $1 if $l =~ /^content-length: (\\d+)/i; "
          "last if $l =~ /^\\r?$/ } exit 0 unless $any; "
          "my $b = ''; read($c, $b, $n) if $n; select(undef, undef, undef, 0.02); "
          "print $c \"HTTP/1.1 200 OK\\r\\nContent-Length: \" . length($b) . \"\\r\\n\\r\\n$b\"; $c->flush } }")


class Poster(Repeat):
    """A client with one kept connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        super().__init__(self.post, 0.002)

    def post(self, number):
        body = f"order {number}"
        try:
            self.connection.request("POST", "/", body, {"Host": HOST})
            answer = self.connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise ConnectionError(repr(error)) from error
        assert (answer.status, text) == (200, body), (answer.status, text[-200:])


def names(instance):
    return {pod["metadata"]["name"] for pod in instance.ready_pods("posts", "web")}


def start(instance):
    instance.namespace("posts")
    made = deployment("web", KEEPER, 3, grace=30)
    made["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = {"tcpSocket": {"port": 8080},
                                                                            "periodSeconds": 1}
    instance.api.create("/apis/apps/v1/namespaces/posts/deployments", made)
    expose(instance.api, "posts", "web", HOST)
    instance.wait_ready("posts", "web", 3)
    assert wait_for(lambda: answers(instance), 30)


def answers(instance):
    connection = http.client.HTTPConnection("127.0.0.1", instance.http, timeout=20)
    connection.request("GET", "/", headers={"Host": HOST})
    return connection.getresponse().status == 200


def annotate(instance, notes):
    instance.api.patch(DEPLOYMENT, {"spec": {"template": {"metadata": {"annotations": notes}}}})


def test_rolling_updates_lose_no_post(instance):
    start(instance)
    clients = [Poster(instance.http) for _ in range(CLIENTS)]
    for round_ in range(UPDATES):
        before = names(instance)
        annotate(instance, {"round": str(round_)})
        assert wait_for(lambda: len(names(instance)) == 3 and not names(instance) & before, 240)
    for client in clients:
        client.finish()
    assert [error for client in clients for error in client.errors] == []
    assert sum(len(client.done) for client in clients) > 200
    instance.drop_namespace("posts")


def test_the_pause_can_be_switched_off(instance):
    start(instance)
    took = {}
    for delay in ("3", "0"):
        before = names(instance)
        annotate(instance, {"skiff.dev/stop-delay": delay})
        assert wait_for(lambda: len(names(instance)) == 3 and not names(instance) & before, 240)
        assert wait_for(lambda: len(instance.pods("posts")) == 3, 120)
        victim = instance.pods("posts")[0]["metadata"]["name"]
        begun = time.monotonic()
        instance.api.request("DELETE", f"/api/v1/namespaces/posts/pods/{victim}")
        assert wait_for(lambda: instance.api.request("GET", f"/api/v1/namespaces/posts/pods/{victim}")[0] == 404, 60)
        took[delay] = time.monotonic() - begun
    assert took["3"] >= 3 and took["0"] < took["3"] - 1, took
    instance.drop_namespace("posts")
