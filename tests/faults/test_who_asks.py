"""The Platform API through the edge: guesses slow down, other sites' pages get nothing, and the right token is let in."""
import concurrent.futures
import http.client

import pytest

from support.instance import wait_for

GUESSES, AT_ONCE = 400, 80  # more than the burst of loopback, and more at once than may wait


def ask(instance, fields, path="/apps"):
    connection = http.client.HTTPConnection("127.0.0.1", instance.http, timeout=60)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{instance.http}", **fields})
        answer = connection.getresponse()
        answer.read()
        return answer.status, dict(answer.getheaders())
    finally:
        connection.close()


@pytest.fixture
def right(instance):
    return {"Authorization": f"Bearer {(instance.data / 'token').read_text().strip()}"}


def test_guesses_slow_down_and_the_right_token_is_let_in_again(instance, right):
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda n: ask(instance, {"Authorization": f"Bearer guess-{n}"}), range(GUESSES)))
    statuses = {status for status, _ in answers}
    assert statuses == {401, 429}
    assert all("Retry-After" in fields for status, fields in answers if status == 429)
    assert wait_for(lambda: ask(instance, right)[0] == 200, 60)
    # A question without credentials is no guess, and the edge's lines still come in.
    assert ask(instance, {})[0] == 401


def test_a_page_of_another_site_gets_nothing(instance, right):
    assert ask(instance, {**right, "Sec-Fetch-Site": "cross-site"})[0] == 403
    assert ask(instance, {**right, "Origin": "http://evil.example"})[0] == 403
    own = f"http://localhost:{instance.http}"
    assert wait_for(lambda: ask(instance, {**right, "Origin": own})[0] == 200, 60)
