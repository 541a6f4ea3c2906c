"""pandas after a restore."""
import sys
import types


def arrange():
    import pandas as pd

    m = sys.modules["frozen_pandas"] = types.ModuleType("frozen_pandas")
    m.frame = pd.DataFrame({
        "city": ["Rome", "Oslo", "Rome", "Bonn"],
        "day": pd.to_datetime(["2024-01-01", "2024-02-03", "2024-03-05", "2024-01-09"]),
        "n": [1, 2, 3, 4]})
    m.grouped = m.frame.groupby("city")


def check(m):
    import io
    import json
    import os
    import tempfile
    import threading

    import pandas as pd
    from tap import done, equal, test, that

    @test
    def group_by():
        for frame in m.frame, m.frame.copy():
            equal(frame.groupby("city")["n"].sum().to_dict(),
                  {"Bonn": 4, "Oslo": 2, "Rome": 4})
        equal(m.grouped["n"].agg(["min", "mean"]).loc["Rome"].tolist(), [1.0, 2.0])
        equal(m.frame.groupby("city").apply(len).to_dict(),
              {"Bonn": 1, "Oslo": 1, "Rome": 2})

    @test
    def csv_there_and_back():
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/data.csv"
            m.frame.to_csv(path, index=False)
            again = pd.read_csv(path, parse_dates=["day"])
            pd.testing.assert_frame_equal(again, m.frame)
        try:
            pd.read_csv(io.StringIO("a,b\n1,2,3,4\n5\n1,2,3,4,5,6"))
        except pd.errors.ParserError:
            pass
        else:
            that(False, "no ParserError")
        equal(pd.read_csv(io.StringIO("a;b\n1;2"), sep=";")["b"].tolist(), [2])

    @test
    def json_there_and_back():
        again = pd.read_json(io.StringIO(m.frame.to_json(orient="split")),
                             orient="split", convert_dates=["day"])
        equal(again["n"].tolist(), [1, 2, 3, 4])
        equal(json.loads(m.frame[["n"]].to_json()), {"n": {"0": 1, "1": 2, "2": 3, "3": 4}})

    @test
    def merge_and_join():
        other = pd.DataFrame({"city": ["Rome", "Bonn"], "land": ["it", "de"]})
        merged = m.frame.merge(other, on="city", how="left")
        equal(merged["land"].fillna("-").tolist(), ["it", "-", "it", "de"])
        equal(pd.concat([m.frame, m.frame]).shape, (8, 3))

    @test
    def dates():
        equal(m.frame["day"].dt.month.tolist(), [1, 2, 3, 1])
        equal(m.frame.set_index("day")["n"].resample("MS").sum().tolist(), [5, 2, 3])
        zoned = m.frame["day"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")
        equal(str(zoned[0]), "2024-01-01 09:00:00+09:00")
        equal(len(pd.date_range("2024-01-01", periods=10, freq="B")), 10)
        that(abs((pd.Timestamp.now() - pd.Timestamp.today()).total_seconds()) < 600, "now")

    @test
    def selecting_and_sorting():
        equal(m.frame.query("n > 1 and city == 'Rome'")["n"].tolist(), [3])
        equal(m.frame.sort_values("city")["n"].tolist()[0], 4)
        equal(m.frame.pivot_table(index="city", values="n", aggfunc="max")["n"].tolist(),
              [4, 2, 3])
        equal(m.frame["n"].rolling(2).mean().tolist()[1:], [1.5, 2.5, 3.5])
        equal(m.frame["n"].describe()["mean"], 2.5)

    @test
    def strings_and_categories():
        equal(m.frame["city"].str.upper().tolist(), ["ROME", "OSLO", "ROME", "BONN"])
        equal(m.frame["city"].astype("category").cat.codes.tolist(), [2, 1, 2, 0])
        that("Rome" in repr(m.frame), "repr")
        that("<td>Rome</td>" in m.frame.to_html(), "html")

    @test
    def errors_are_python_s():
        for wrong, kind in ((lambda: m.frame["none"], KeyError),
                            (lambda: pd.to_datetime("junk"), ValueError),
                            (lambda: m.frame.iloc[99], IndexError)):
            try:
                wrong()
            except kind:
                pass
            else:
                that(False, "no %s" % kind)

    @test
    def a_large_frame_in_threads():
        import numpy as np
        frame = pd.DataFrame({"k": np.arange(200000) % 7, "v": 1.0})
        sums = []

        def work():
            sums.append(frame.groupby("k")["v"].sum().sum())

        threads = [threading.Thread(target=work) for _ in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        equal(sums, [200000.0] * 3)

    @test
    def after_fork():
        pid = os.fork()
        if pid == 0:
            os._exit(int(m.frame["n"].sum()))
        equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 10)

    @test
    def pickles_and_sql():
        import pickle
        import sqlite3
        pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(m.frame)), m.frame)
        with sqlite3.connect(":memory:") as db:
            m.frame[["city", "n"]].to_sql("t", db, index=False)
            equal(pd.read_sql("select sum(n) s from t", db)["s"][0], 10)

    done()


if "frozen_pandas" in sys.modules:
    check(sys.modules["frozen_pandas"])
else:
    arrange()
