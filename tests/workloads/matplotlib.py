"""Figures in files, and the numbers behind them: matplotlib with Agg, numpy, pandas.
Its settings are read at import, from where the user and the working folder are."""
from workloads import PYTHON, write

PACKAGES = "python3-matplotlib python3-numpy python3-pandas"
ENV = {}

# The first figure makes the parser of formulas, which has objects with __del__, and
# opens fonts: where they are made after the restore the end is a full one.
PRELOAD = """import io
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy
import pandas
axes = plt.figure().subplots()
axes.set_title("$x^2 + \\\\alpha_i$")
axes.plot([1, 2], label="a")
axes.legend()
axes.figure.savefig(io.BytesIO(), format="png")
plt.close()
del axes
"""

PROGRAM = '''import sys
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt


def figure(title):
    axes = plt.figure(figsize=(4, 3)).subplots()
    axes.plot([1, 4, 9, 16], "o-", label="squares")
    axes.bar(range(4), [2, 3, 5, 7], alpha=0.4)
    axes.set_title(title)
    axes.set_xlabel("$x^2 + \\\\alpha_i$")
    axes.legend()
    return axes.figure


def numbers():
    import numpy as np
    import pandas as pd
    matrix = np.arange(1.0, 101).reshape(10, 10) + np.eye(10) * 7
    print(np.linalg.solve(matrix, np.ones(10))[:3], np.linalg.eigvalsh(matrix @ matrix.T)[-1])
    print(np.fft.rfft(np.sin(np.arange(64)))[:2], np.random.default_rng(5).normal(size=3))
    frame = pd.DataFrame({"k": list("abcab"), "v": [1.5, 2, np.nan, 4, 5],
                          "t": pd.date_range("2020-02-28", periods=5)})
    print(frame.groupby("k").v.agg(["sum", "mean", "count"]))
    print(frame.set_index("t").v.resample("2D").sum().to_csv(), frame.v.describe())
    return frame


def main():
    plt.rcParams["svg.hashsalt"] = "salt"	# else a new one in each process
    fig = figure("More")
    for kind in "png", "svg", "pdf":
        fig.savefig("full." + kind, metadata={"Date": None} if kind == "svg" else
                    {"CreationDate": None} if kind == "pdf" else None)
    axes = numbers().plot(x="t", y="v")
    axes.figure.savefig("frame.png")
    with plt.style.context("ggplot"):
        figure("styled").savefig("styled.png", dpi=60)
    image = plt.imread("full.png")
    print(image.shape, round(float(image.mean()), 6))
    print(matplotlib.get_backend(), matplotlib.matplotlib_fname(),
          plt.rcParams["lines.linewidth"], plt.rcParams["font.family"])


if "--once" in sys.argv:
    figure("Once").savefig("once.png")
    print("saved")
else:
    main()
'''


def arrange(home):
    write(home, "program.py", PROGRAM)
    write(home, "preload.py", PRELOAD)


def build(home):
    # The first import of a user's looks for fonts by running fc-list.
    return ["--io", "network", "-w", home + "/preload.py"]


def runs(home):
    once, full = [home + "/program.py", "--once"], [home + "/program.py"]
    return {
        "a figure": dict(plain=[PYTHON, *once], image=once, bench=True, files=["once.png"],
                         env={"SOURCE_DATE_EPOCH": "0"}),
        "everything": dict(plain=[PYTHON, *full], image=full, env={"SOURCE_DATE_EPOCH": "0"},
                           files=["full.png", "full.svg", "full.pdf", "frame.png",
                                  "styled.png"]),
    }
