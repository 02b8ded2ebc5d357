"""The reader of pages: what it takes for a command, a marker and the same output."""
import page

TEXT = """# Title
```sh
echo one
```
<!-- test: run
echo hidden
-->
<!-- test: exit 3 -->
<!-- test: expect: a.c -->
```console
$ echo two
two
$ printf 'a
> b'
```
<!-- test: skip: needs a browser -->
```sh
firefox
```
```yaml
kind: Pod
```
"""


def test_a_page_becomes_steps_in_order():
    found = page.parse_page(TEXT)
    assert [step.command for step in found.steps] == ["set -e\necho one", "echo hidden", "echo two", "printf 'a\nb'"]
    assert found.steps[2].expected == ["two"] and found.steps[2].code == 0
    assert found.steps[3].code == 3 and found.steps[3].pattern == "a.c"
    assert found.skipped == ["needs a browser"]


def test_an_unknown_marker_is_an_error():
    try:
        page.parse_page("<!-- test: sometimes -->\n```sh\ntrue\n```\n")
    except ValueError as error:
        assert "sometimes" in str(error)
    else:
        assert False


def test_ages_addresses_and_generated_names_are_not_compared():
    shown = ["hello-5694d9dc65-52jgw   1/1  Running  0  4s  10.44.0.4"]
    assert page.first_missing(shown, "NAME\nhello-86c9d94986-gjf87 1/1 Running 0 1m2s 10.0.0.200\n") is None
    assert page.first_missing(shown, "hello-86c9d94986-gjf87 0/1 Running 0 12s 10.0.0.200\n") == shown[0]


def test_shown_lines_come_in_order_with_others_between():
    assert page.first_missing(["a", "c … e"], "a\nb\nc d e\n") is None
    assert page.first_missing(["b", "a"], "a\nb\n") == "a"


def test_dots_stand_for_anything_and_at_the_ends_for_nothing_too():
    assert page.first_missing(["… v4 …"], "restarting... done, v4\n") is None
    assert page.first_missing(["a … c"], "a c\n") == "a … c"
