"""Version ranges as npm reads them: `^18.2 || 20.x`, `>=18 <21`, `18 - 20`, `~22.1.0`, `*`."""
import re

ENDLESS = (1 << 62, 0, 0)
PART = r"v?=?\s*(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?"
PARTIAL = re.compile(PART)
COMPARATOR = re.compile(rf"(\^|~>?|>=|<=|>|<|=)?\s*{PART}")
HYPHEN = re.compile(rf"\s*({PART})\s+-\s+({PART})\s*")


def parse(text):
    """(major, minor, patch) of a released version; None of a preview."""
    found = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)", text)
    return tuple(map(int, found.groups())) if found else None


def show(version):
    return ".".join(map(str, version))


def _numbers(parts):
    """The numbers that were given: [18] of `18.x`."""
    given = []
    for part in parts:
        if part is None or part in "xX*":
            break
        given.append(int(part))
    return given


def _floor(numbers):
    return tuple((numbers + [0, 0, 0])[:3])


def _next(numbers, length):
    """The first version after all that begin with the first `length` numbers."""
    if not numbers or length == 0:
        return ENDLESS
    head = (numbers + [0, 0, 0])[:length]
    head[-1] += 1
    return _floor(head)


def _caret(numbers):
    for place, number in enumerate(numbers):
        if number:
            return place + 1
    return len(numbers)


def _interval(sign, numbers):
    """The versions that one comparator admits: from the first to before the second."""
    low, after = _floor(numbers), _next(numbers, len(numbers))
    if sign == "^":
        return low, _next(numbers, _caret(numbers))
    if sign in ("~", "~>"):
        return low, _next(numbers, min(len(numbers), 2))
    return {">=": (low, ENDLESS), "<": ((0, 0, 0), low), "<=": ((0, 0, 0), after), ">": (after, ENDLESS)}.get(sign, (low, after))


def _conjunction(text):
    hyphen = HYPHEN.fullmatch(text)
    if hyphen:
        groups = hyphen.groups()
        return [_interval(">=", _numbers(groups[1:4])), _interval("<=", _numbers(groups[5:8]))]
    intervals, place, text = [], 0, text.strip()
    while place < len(text):
        found = COMPARATOR.match(text, place)
        if not found or (found.end() < len(text) and text[found.end()] not in " \t<>=~^,"):
            raise ValueError(text)
        intervals.append(_interval(found[1] or "=", _numbers(found.groups()[1:])))
        place = found.end()
        while place < len(text) and text[place] in " \t,":
            place += 1
    return intervals or [((0, 0, 0), ENDLESS)]


class Range:
    """Raises ValueError when the text is no range."""

    def __init__(self, text):
        self.alternatives = [_conjunction(part) for part in text.split("||")]

    def admits(self, version):
        return any(all(low <= version < high for low, high in parts) for parts in self.alternatives)

    def newest(self, versions):
        return max((version for version in versions if self.admits(version)), default=None)
