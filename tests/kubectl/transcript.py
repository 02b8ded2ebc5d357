"""A recorded kubectl command and the comparison of what it printed with what it prints here.

Recorded text holds placeholders for what differs from run to run (<age>, <uid>, <hash1>, …); they match any text of
their shape. Runs of blanks are one blank, since columns are as wide as what they hold. What depends on timing or on the
make of client and node (MASKS) is left out on both sides.
"""
import re

SHAPES = {
    "age": r"(?:(?:\d+(?:\.\d+)?[dhms])+|<unknown>|<invalid>)",
    "time": r".+?",
    "uid": r"[0-9a-f-]{36}",
    "rv": r"\d+",
    "pod-ip": r"\d+\.\d+\.\d+\.\d+",
    "cluster-ip": r"\d+\.\d+\.\d+\.\d+",
    "node-ip": r"\d+\.\d+\.\d+\.\d+",
    "server": r"https://\S+",
    "hash": r"[a-z0-9]+",
    "pod": r"[a-z0-9]{5}",
    "rand": r"[A-Za-z0-9]+",
    "id": r"[0-9a-f]+",
    "digest": r"[0-9a-f]+",
    "token": r"\S+",
    "kernel": r"\S+",
    "machine-id": r"\S+",
    "description": r".*",
    "edit-file": r"\S+",
}
PLACEHOLDER = re.compile(r"<([a-z][a-z-]*)\d*>")
MASKS = [
    (re.compile(r"v1\.32\.\d+[\w+.-]*"), "v1.32"),
    (re.compile(r"(?:containerd|skiff)://(?:1\.6\.20|crun)?"), "runtime://"),
    (re.compile(r"\S*/?\b(LIVE|MERGED)-"), r"\1-"),
    # How often something was tried, and a probe that came too early; a pull that fails goes back and forth between two reasons.
    (re.compile(r" \(x\d+ over [^)]*\)"), ""),
    (re.compile(r"\b\d+ \([^()]* ago\)"), "N"),
    (re.compile(r"(?<=^Restart Count: )\d+"), "N"),
    (re.compile(r"^Warning Unhealthy .*"), ""),
    (re.compile(r"(?<=0/1 )ErrImagePull"), "ImagePullBackOff"),
]
# Generated names sort differently in each run, and so do the events of containers that start side by side.
UNORDERED = re.compile(r"<(?:hash|pod)\d*>|Successfully assigned")


def squeezed(text):
    lines = [" ".join(line.split()) for line in text.split("\n")]
    for mask, instead in MASKS:
        lines = [mask.sub(instead, line) for line in lines]
    return [line for line in lines if line]


def pattern_of(line):
    parts, at = [], 0
    for found in PLACEHOLDER.finditer(line):
        shape = SHAPES.get(found[1])
        if shape:
            parts += [re.escape(line[at:found.start()]), shape]
            at = found.end()
    return re.compile("".join(parts) + re.escape(line[at:]))


def same_in_order(patterns, lines):
    return len(patterns) == len(lines) and all(p.fullmatch(line) for p, line in zip(patterns, lines))


def same_in_any_order(patterns, lines):
    left = list(lines)
    for pattern in patterns:
        found = next((line for line in left if pattern.fullmatch(line)), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def same_text(recorded, printed):
    patterns, lines = [pattern_of(line) for line in squeezed(recorded)], squeezed(printed)
    if same_in_order(patterns, lines):
        return True
    return bool(UNORDERED.search(recorded)) and same_in_any_order(patterns, lines)


def without_progress(text):
    """How often a roll-out reports on its way is a matter of speed: its end counts."""
    return "\n".join(line for line in text.split("\n") if not line.startswith("Waiting for "))


def same(command, code, out, err):
    """Whether a run of the command ended as recorded."""
    recorded = command["stdout"]
    if command["command"].startswith("kubectl rollout status") and "--watch=false" not in command["command"]:
        recorded, out = without_progress(recorded), without_progress(out)
    return code == command["exit"] and same_text(recorded, out) and same_text(command["stderr"], err)


def read_differences(text):
    """{number of a command: why it differs} of lines "n[-m] tab why"."""
    known = {}
    for line in text.split("\n"):
        if line and not line.startswith("#"):
            numbers, _, why = line.partition("\t")
            first, _, last = numbers.partition("-")
            known.update({n: why for n in range(int(first), int(last or first) + 1)})
    return known
