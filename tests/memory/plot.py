"""The picture: a panel for each library and Python, a bar for each kind of process and
state. Debian's python3-matplotlib draws it."""
from memory import report

COLORS = {"idle": "#4878a8", "job": "#e0a040", "collected": "#b04848"}


def _panel(axes, rows, title):
    names = [row["way"] for row in rows]
    height = 0.8 / len(report.STATES)
    for number, state in enumerate(report.STATES):
        places = [index + (number - 1) * height for index in range(len(rows))]
        values = [row["states"][state]["total"] / row["processes"] / 1024 for row in rows]
        axes.barh(places, values, height, color=COLORS[state], label=state)
        for place, value in zip(places, values):
            axes.text(value, place, " %.2f" % value, va="center", fontsize=6)
    axes.set_yticks(range(len(rows)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(0.1, 200)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_title(title, fontsize=9)
    axes.grid(axis="x", linewidth=0.3)


def draw(rows, count, path):
    import matplotlib
    matplotlib.use("svg")
    # The same data make the same file.
    matplotlib.rcParams["svg.hashsalt"] = "memory"
    from matplotlib import pyplot
    rows = [row for row in rows if row["processes"] == count]
    pythons, workloads = (list(dict.fromkeys(row[name] for row in rows))
                          for name in ("python", "workload"))
    figure, grid = pyplot.subplots(
        len(workloads), len(pythons), squeeze=False, sharex=True,
        figsize=(1.5 + 4.5 * len(pythons), 0.7 + 2.2 * len(workloads)))
    for (python, workload), group in report.groups(rows).items():
        _panel(grid[workloads.index(workload)][pythons.index(python)], group,
               "%s, Python %s" % (workload, python))
    for axes in grid[-1]:
        axes.set_xlabel("MB for each of %d processes (sum of PSS)" % count, fontsize=8)
    grid[0][0].legend(loc="lower right", fontsize=7)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
