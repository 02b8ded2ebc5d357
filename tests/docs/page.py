"""A page of the documentation as a list of steps.

Fenced blocks of the language `sh` are commands; blocks of `console` are lines "$ command" with what they print. All
other blocks are left alone. HTML comments, invisible to the reader, say more about the next block (any number of them,
each starting with "test:"):

    <!-- test: skip: why -->       the block is not run (a page: "skip page: why")
    <!-- test: exit 1 -->          the last command ends with this code
    <!-- test: expect: regex -->   the block's whole output matches
    <!-- test: retry 20 -->        tried again for so many seconds until it is as expected; for commands without effects
    <!-- test: stop after 3 -->    a command that does not end: stopped after so many seconds, which is right
    <!-- test: run
    commands -->                   run here, beside what the reader sees: preparations, waiting, tidying

Printed lines are compared loosely: each shown line must come in the output, in the shown order, other lines may stand
between. "…" stands for anything; ages, addresses, ports and generated parts of names are not compared.
"""
import dataclasses
import re

MARKER = re.compile(r"<!-- test: ?(.*?)-->", re.S)
FENCE = re.compile(r"^ *```(\w*) *$")
# At either end of a line it may stand for nothing, too.
ANYTHING = [(r" (?:…|\.\.\.)$", r"(?: .*)?"), (r"^(?:…|\.\.\.) ", r"(?:.* )?"), (r"…|\.\.\.", r".*")]
# What differs from one run to the next, as (pattern of shown text, pattern of output).
LOOSE = [
    (r"\b[a-z][a-z0-9-]*?-[bcdf-hj-np-tv-xz2456789]{6,10}-[bcdf-hj-np-tv-xz2456789]{5}\b", r"[a-z0-9.-]+"),
    (r"\b[a-z][a-z0-9-]*?-[bcdf-hj-np-tv-xz2456789]{8,10}\b", r"[a-z0-9.-]+"),
    (r"\b\d+\.\d+\.\d+\.\d+\b", r"[0-9.]+"),
    (r"\b(?:\d+[dhms])+\b", r"(?:\d+[dhms])+"),
    (r"(?<=localhost):\d+", r":\d+"),
]


@dataclasses.dataclass
class Step:
    line: int
    command: str
    expected: list = dataclasses.field(default_factory=list)
    code: int = 0
    pattern: str = ""
    retry: float = 0
    stop_after: float = 0


@dataclasses.dataclass
class Page:
    steps: list
    skipped: list  # reasons
    skip_page: str = ""


def commands_of(block, first_line):
    """The commands of a console block."""
    steps = []
    for number, text in enumerate(block, first_line):
        if text.startswith("$ "):
            steps.append(Step(number, text[2:]))
        elif text.startswith("> ") and steps and not steps[-1].expected:
            steps[-1].command += "\n" + text[2:]
        elif steps and text.strip():
            steps[-1].expected.append(text)
    return steps


def mark(steps, marks):
    """Puts the markers before a block onto its last command; `retry` counts for each."""
    for text in marks:
        name, _, value = text.strip().partition(":")
        if name == "expect":
            steps[-1].pattern = value.strip()
        elif words := re.fullmatch(r"exit (\d+)", name):
            steps[-1].code = int(words[1])
        elif words := re.fullmatch(r"stop after (\d+)", name):
            steps[-1].stop_after = float(words[1])
        elif words := re.fullmatch(r"retry (\d+)", name):
            for step in steps:
                step.retry = float(words[1])
        else:
            raise ValueError(f"unknown marker: {text}")


def parse_page(text):
    page = Page([], [])
    lines = text.split("\n")
    marks, at = [], 0
    while at < len(lines):
        if "<!-- test:" in lines[at]:
            begin = at
            while "-->" not in lines[at]:
                at += 1
            found = MARKER.search("\n".join(lines[begin:at + 1]))[1]
            if found.startswith("run"):
                page.steps.append(Step(begin + 1, found[3:].strip()))
            elif found.startswith("skip page:"):
                page.skip_page = found[10:].strip()
            else:
                marks.append(found)
        elif fence := FENCE.match(lines[at]):
            indent = len(lines[at]) - len(lines[at].lstrip())
            begin = at + 1
            at = next(i for i in range(begin, len(lines)) if lines[i].strip() == "```")
            block = [line[indent:] for line in lines[begin:at]]
            steps = []
            if fence[1] == "sh":
                steps = [Step(begin + 1, "set -e\n" + "\n".join(block))]
            elif fence[1] == "console":
                steps = commands_of(block, begin + 1)
            reasons = [text[5:].strip() for text in marks if text.startswith("skip:")]
            if reasons:
                page.skipped += reasons
            elif steps:
                mark(steps, marks)
                page.steps += steps
            elif marks:
                raise ValueError(f"line {begin}: markers before a block that is not run: {marks}")
            marks = []
        at += 1
    return page


def line_pattern(shown):
    """A shown line as a pattern of printed lines: blanks squeezed, what varies left open."""
    found = []

    def keep(pattern):
        def put(_):
            found.append(pattern)
            return f"\0{len(found) - 1}\0"
        return put

    text = " ".join(shown.split())
    for shape, pattern in [*ANYTHING, *LOOSE]:
        text = re.sub(shape, keep(pattern), text)
    parts = re.split(r"\0(\d+)\0", text)
    return "".join(found[int(part)] if i % 2 else re.escape(part) for i, part in enumerate(parts))


def first_missing(expected, output):
    """The first shown line that the output lacks (in order), or None."""
    printed = [" ".join(line.split()) for line in output.split("\n")]
    at = 0
    for shown in expected:
        pattern = re.compile(line_pattern(shown))
        while at < len(printed) and not pattern.fullmatch(printed[at]):
            at += 1
        if at == len(printed):
            return shown
        at += 1
    return None
