"""What a pusher is told: the words of a push that was taken, or of one that was not."""


def expect(pushed, words):
    for word in words:
        assert word in pushed.said, f"not told: {word}\n{pushed.said}"
    # What the app's own programs say is further to the right.
    assert "\nTraceback" not in pushed.said, pushed.said
    return pushed.said


def accepted(pushed, *words):
    assert pushed.ok, pushed.said
    return expect(pushed, words)


def refused(pushed, *words):
    assert not pushed.ok, pushed.said
    return expect(pushed, words)
