"""pandas: a table that is grouped, joined and printed."""
import pandas


def start():
    pass


def task():
    table = pandas.DataFrame({"n": range(500), "key": ["k%d" % (n % 9) for n in range(500)],
                              "value": [n * 37 % 101 / 4 for n in range(500)]})
    sums = table.groupby("key").agg({"n": "count", "value": ["mean", "sum"]})
    other = pandas.DataFrame({"key": ["k%d" % n for n in range(9)], "weight": range(9)})
    joined = table.merge(other, on="key").sort_values(["weight", "value"])
    return table, sums, joined, joined.head(20).to_string()


def answer(number):
    """The number, after a detour."""
    return str(pandas.Series([number, 0]).sum())
