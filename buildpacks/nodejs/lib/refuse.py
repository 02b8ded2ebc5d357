"""The words of a push that is refused: what, in which file, what to do."""
import sys


class Refusal(Exception):
    def __init__(self, *lines):
        super().__init__(*lines)
        self.lines = lines


def tell_and_exit(refusal):
    for line in refusal.lines:
        print(" !     " + line)
    sys.exit(1)
