#!/usr/bin/env python3
"""Refuses coroutine shapes that break under one compiler or another: an await inside a condition, and a capturing
lambda that is itself a coroutine. Prints one line a finding. Textual on purpose: it runs in a second."""
import pathlib
import re
import sys

CONDITION = re.compile(r"\b(?:if|while|switch)\s*\(")
TERNARY = re.compile(r"\?[^;]*\bco_await\b")
LAMBDA = re.compile(r"\[[^\]]+\]\s*\([^)]*\)\s*(mutable\s*)?->\s*(io::)?Task<")


def strip(line):
    line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
    return line.split("//")[0]


def condition_awaits(line):
    """Whether an await stands between the parentheses of an if, while or switch."""
    for match in CONDITION.finditer(line):
        depth, end = 1, match.end()
        while end < len(line) and depth:
            depth += {"(": 1, ")": -1}.get(line[end], 0)
            end += 1
        if re.search(r"\bco_await\b", line[match.end():end]):
            return True
    return False


def check(text):
    for number, raw in enumerate(text.splitlines(), 1):
        line = strip(raw)
        if condition_awaits(line):
            yield number, "an await inside a condition; await into a variable first"
        elif TERNARY.search(line):
            yield number, "an await inside a ternary; await into a variable first"
        if LAMBDA.search(line):
            yield number, "a capturing lambda coroutine; pass the state as parameters of a static function"


def self_test():
    bad = ["if (co_await f(x)) {", "auto y = c ? co_await f() : 1;", "auto t = [this](int a) -> Task<void> {"]
    good = ["auto x = co_await f(a);", 'log("if (co_await x)");', "auto t = [](int a) -> Task<void> {",
            "co_return co_await f(a);", "while (busy(x)) co_await f(a);"]
    assert all(list(check(line)) for line in bad), "a bad sample passed"
    assert not any(list(check(line)) for line in good), "a good sample was refused"


def main():
    self_test()
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = []
    for path in sorted((root / "src").rglob("*")):
        if path.suffix in (".h", ".cc"):
            found += [f"{path.relative_to(root)}:{n}: {why}" for n, why in check(path.read_text())]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
