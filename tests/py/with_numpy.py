"""numpy after a restore."""
import sys
import types
import weakref


def arrange():
    import numpy as np

    m = sys.modules["frozen_numpy"] = types.ModuleType("frozen_numpy")
    m.matrix = np.arange(12.0).reshape(3, 4)
    m.generator = np.random.default_rng(7)
    m.first = m.generator.random()
    # Makes OpenBLAS use its threads before the freeze, too.
    big = np.ones((300, 300))
    m.sum = float((big @ big).sum())
    with open("/proc/self/maps") as file:
        m.openblas = "openblas" in file.read()
    m.legacy = np.random.RandomState(3)
    m.legacy.random_sample()
    m.proxy = weakref.proxy(types.ModuleType("gone"))	# isinstance() raises of it


def check(m):
    import json
    import os
    import subprocess
    import threading

    import numpy as np
    from tap import Skip, differ, done, environ, equal, test, that

    this = json.loads(os.environ["SELF"])

    def output(code):
        got = subprocess.run(this + ["-c", "import numpy as np\n" + code],
                             env=environ(), capture_output=True, text=True)
        equal((got.returncode, got.stderr), (0, ""))
        return got.stdout

    @test
    def frozen_arrays():
        equal(m.matrix.sum(), 66.0)
        m.matrix[0, 0] = 5
        equal(m.matrix.T[0, 0], 5.0)
        equal(m.sum, 300.0 ** 3)

    @test
    def linear_algebra():
        a = np.random.default_rng(1).random((60, 60)) + np.eye(60) * 60
        b = np.arange(60.0)
        that(np.allclose(a @ np.linalg.solve(a, b), b), "solve")
        that(np.allclose(a @ np.linalg.inv(a), np.eye(60)), "inv")
        u, s, v = np.linalg.svd(a)
        that(np.allclose(u * s @ v, a), "svd")
        w, x = np.linalg.eigh(a + a.T)
        that(np.allclose((a + a.T) @ x, x * w), "eigh")
        q, r = np.linalg.qr(a)
        that(np.allclose(q @ r, a), "qr")
        try:
            np.linalg.inv(np.zeros((2, 2)))
        except np.linalg.LinAlgError:
            pass
        else:
            that(False, "no LinAlgError")

    @test
    def fourier_transform():
        x = np.random.default_rng(2).random(1000)
        that(np.allclose(np.fft.irfft(np.fft.rfft(x)), x), "rfft")
        tone = np.fft.fft(np.exp(2j * np.pi * 5 * np.arange(64) / 64))
        equal(int(abs(tone).argmax()), 5)

    @test
    def random_is_new_in_every_run():
        for code in ("print(np.random.random())",
                     "print(np.random.default_rng().random())",
                     "print(np.random.RandomState().random_sample())",
                     "print(np.random.SeedSequence().entropy)"):
            differ(output(code), output(code), code)

    @test
    def a_seeded_generator_goes_on():
        again = np.random.default_rng(7)
        equal(m.first, again.random())
        equal(m.generator.random(), again.random())
        legacy = np.random.RandomState(3)
        legacy.random_sample()
        equal(m.legacy.random_sample(), legacy.random_sample())

    @test
    def seeding_still_works():
        np.random.seed(5)
        one = np.random.random(3)
        np.random.seed(5)
        equal(one.tolist(), np.random.random(3).tolist())

    @test
    def openblas_threads():
        if not m.openblas:
            raise Skip("numpy does not use OpenBLAS")
        a = np.ones((700, 700))
        equal(float((a @ a)[0, 0]), 700.0)
        if len(os.sched_getaffinity(0)) > 1:
            that(len(os.listdir("/proc/self/task")) > 1,
                 "the product of large matrices used one thread")

    @test
    def products_in_several_threads():
        results = []

        def work(n):
            a = np.full((250, 250), float(n))
            results.append(float((a @ a)[3, 3]))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        equal(sorted(results), [250.0 * n * n for n in range(4)])

    @test
    def products_after_fork():
        pid = os.fork()
        if pid == 0:
            a = np.ones((400, 400))
            os._exit(0 if (a @ a)[1, 1] == 400.0 else 1)
        equal(os.waitpid(pid, 0)[1], 0)

    @test
    def floating_point_errors():
        import warnings
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            np.array([1.0]) / np.array([0.0])
            np.array([0.0]) / np.array([0.0])
            np.exp(np.array([1e5]))
        equal(len(seen), 3)
        with np.errstate(all="raise"):
            try:
                np.array([1.0]) / 0
            except FloatingPointError:
                pass
            else:
                that(False, "no FloatingPointError")

    @test
    def files_and_text():
        import io
        file = io.BytesIO()
        np.savez(file, a=m.matrix, b=np.array(["x", "yy"]))
        file.seek(0)
        with np.load(file) as loaded:
            equal(loaded["b"].tolist(), ["x", "yy"])
            that((loaded["a"] == m.matrix).all(), "a")
        equal(repr(np.array([1.5, 2])), "array([1.5, 2. ])")
        equal(np.loadtxt(io.StringIO("1 2\n3 4")).sum(), 10.0)

    @test
    def vectorised_kernels():
        x = np.arange(100003, dtype=np.float32)
        equal(float(np.sqrt(x * x)[-1]), 100002.0)
        equal(int(np.sort(x[::-1])[17]), 17)
        equal(np.einsum("ij,kj->ik", np.ones((2, 3)), np.ones((4, 3))).sum(), 24.0)
        that(abs(np.sin(x).mean()) < 1, "sin")

    @test
    def objects_can_be_freed():
        import gc
        for _ in range(50):
            np.ones(300000).sum()
        m.matrix = None
        gc.collect()

    done()


if "frozen_numpy" in sys.modules:
    check(sys.modules["frozen_numpy"])
else:
    arrange()
