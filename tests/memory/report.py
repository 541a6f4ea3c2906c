"""Rows of scripts/bench-memory as a table, and what they have to reach. A row is a dict:
python, workload, way, processes, build_options (of the image), allocated (kB that the
job takes), states; a state has a median of each size over the processes in kB, and
`total`, the sum of PSS over them and their server."""
import statistics

STATES = "idle", "job", "collected"
BASE, RIVAL, IMAGE = "python3", "zygote, gc.freeze", "image"
LIVE = 5000	# processes at once, with 24 GB
PART = 25	# of ordinary processes' PSS

# kB for one process: idle, after the job beyond what that allocates; by the first
# version that they are for.
LIMITS = {(3, 11): (500, 1200), (3, 13): (400, 600)}
COLLECTION = 100	# kB on top for a collection


def combine(looks, servers):
    """Of each process's sizes, and those of the processes that they need."""
    state = {name: statistics.median(look[name] or 0 for look in looks) for name in looks[0]}
    state["total"] = sum(look["pss"] for look in [*looks, *servers])
    state["shared"] = 1 - state["private"] / state["rss"]
    state["merged"] = sum(look["ksm"] or 0 for look in looks) / max(
        1, sum(look["anonymous"] for look in looks))
    return state


def own(state):
    """What of the memory is a process's own: pages and page tables."""
    return state["private"] + state["pte"]


def version(row):
    return tuple(int(part) for part in row["python"].split(".")[:2])


def find(rows, **wanted):
    for row in rows:
        if all(row[name] == value for name, value in wanted.items()):
            return row
    return None


KEY = "python", "workload", "way", "processes"


def merge(parts):
    """One result of several; what was measured twice counts as the later has it."""
    rows, live = {}, {}
    for part in parts:
        for found, kind in (rows, "rows"), (live, "live"):
            found.update((tuple(one[name] for name in KEY), one) for one in part[kind])
    return {"kernel": parts[-1]["kernel"], "rows": list(rows.values()),
            "live": list(live.values())}


def groups(rows):
    """{(python, workload): its rows}, in the order in which they came."""
    found = {}
    for row in rows:
        found.setdefault((row["python"], row["workload"]), []).append(row)
    return found


# ------------------------------------------------------------ targets
def target(row, what, want, got, unit="kB"):
    return {"python": row["python"], "workload": row["workload"], "what": what, "want": want,
            "got": got, "unit": unit, "reached": got <= want}


def _limits(row):
    return LIMITS[max((first for first in LIMITS if first <= version(row)),
                      default=min(LIMITS))]


def _of_image(row):
    idle, job, collected = (own(row["states"][state]) for state in STATES)
    most_idle, most_job = _limits(row)
    many = ", %d processes" % row["processes"]
    yield target(row, "idle, private and page tables" + many, most_idle, idle)
    yield target(row, "the same after the job, less what that allocates" + many, most_job,
                 job - row["allocated"])
    yield target(row, "what a collection adds" + many, COLLECTION, collected - job)


# (name, larger is better)
COLUMNS = [("rss", False), ("total", False), ("private", False), ("pte", False),
           ("shared", True)]


def not_beaten(image, rival):
    """Columns in which the image is not better, in words."""
    found = []
    for state in STATES:
        for name, larger in COLUMNS:
            ours, theirs = (row["states"][state][name] for row in (image, rival))
            if not (ours > theirs if larger else ours < theirs):
                found.append("%s %s: %s, not %s" % (state, name, _number(ours), _number(theirs)))
    return found


def _number(value):
    return "%.3f" % value if value < 1 else "%.0f" % value


def judge(rows):
    """All targets that these rows can tell of."""
    targets = []
    for group in groups(rows).values():
        for row in (row for row in group if row["way"] == IMAGE):
            count = row["processes"]
            targets += _of_image(row)
            plain = find(group, way=BASE, processes=count)
            if plain and count >= 100 and row["workload"] == "pandas":
                targets.append(target(
                    row, "sum of PSS, %d idle processes, 1/%d of python3's" % (count, PART),
                    plain["states"]["idle"]["total"] / PART, row["states"]["idle"]["total"]))
            rival = find(group, way=RIVAL, processes=count)
            if rival:
                left = not_beaten(row, rival)
                targets.append({
                    **target(row, "columns not better than a zygote with gc.freeze, %d processes"
                             % count, 0, len(left), ""), "left": left})
    return targets


def alive(live):
    """The target of processes that live at once. More of them is better."""
    for one in live:
        yield {"python": one["python"], "workload": one["workload"],
               "what": "processes that do not answer, of %d live ones (of %.1f GB "
               "%.1f available before, %.1f with them)" % (
                   one["processes"], one["total_kb"] / 2 ** 20,
                   *(one["available_kb"][when] / 2 ** 20 for when in ("before", "answered"))),
               "want": 0, "got": one["processes"] - one["answered"], "unit": "",
               "reached": one["answered"] == one["processes"] >= LIVE}


# ------------------------------------------------------------ markdown
HEAD = ["Python", "library", "processes", "RSS", "private", "page tables", "shared",
        "sum of PSS, %s", "private, job", "less own", "sum of PSS, job, %s",
        "private, collected", "sum of PSS, collected, %s", "merged"]


def line(cells):
    return "| %s |" % " | ".join(cells)


def _kb(value):
    return "%.0f" % value


def _cells(row):
    idle, job, collected = (row["states"][state] for state in STATES)
    return [row["python"], row["workload"], row["way"], _kb(idle["rss"]), _kb(idle["private"]),
            _kb(idle["pte"]), "%.1f %%" % (100 * idle["shared"]), _kb(idle["total"]),
            _kb(job["private"]), _kb(own(job) - row["allocated"]), _kb(job["total"]),
            _kb(collected["private"]), _kb(collected["total"]),
            "%.0f %%" % (100 * idle["merged"]) if "KSM" in row["way"] else ""]


def table(rows, count):
    """The rows with so many processes."""
    head = [word % count if "%s" in word else word for word in HEAD]
    lines = [line(head), line(["---"] * 3 + ["---:"] * (len(head) - 3))]
    for row in rows:
        if row["processes"] == count:
            lines.append(line(_cells(row)))
    return "\n".join(lines)


def live_table(live):
    lines = [line(["Python", "library", "processes", "live", "right answers", "PSS of each",
                   "page tables of each", "available before", "started", "answered", "after",
                   "time to start", "to answer"]),
             line(["---"] * 3 + ["---:"] * 10)]
    for one in live:
        count = one["processes"]
        lines.append(line([
            one["python"], one["workload"], one["way"], str(count), str(one["answered"]),
            _kb(one["pss_kb"] / count), _kb(one["kernel_kb"]["PageTables"] / count),
            *("%.0f MB" % (size / 1024) for size in one["available_kb"].values()),
            *("%.0f s" % one["seconds"][what] if "seconds" in one else ""
              for what in ("start", "answer"))]))
    return "\n".join(lines)


def targets_table(targets):
    lines = [line(["Python", "library", "target", "at most", "is", ""]),
             line(["---"] * 3 + ["---:"] * 2 + ["---"])]
    for one in targets:
        lines.append(line([
            one["python"], one["workload"], one["what"],
            *("%s %s" % (_kb(value), one["unit"]) for value in (one["want"], one["got"])),
            "reached" if one["reached"] else "**missed**"]))
        lines += [line(["", "", left, "", "", ""]) for left in one.get("left", ())]
    return "\n".join(lines)
