"""The standard library after a restore. The first run of this file, while the
image is built, leaves a module frozen_stdlib; the second finds it and checks."""
import sys
import types


def arrange():
    import asyncio
    import collections
    import contextvars
    import ctypes
    import decimal
    import logging
    import os
    import re
    import sqlite3
    import ssl
    import threading
    import weakref

    m = sys.modules["frozen_stdlib"] = types.ModuleType("frozen_stdlib")
    here = os.path.dirname(os.path.abspath(sys._getframe().f_code.co_filename))
    m.lib = os.path.join(os.path.dirname(here), "lib")

    m.lock = threading.Lock()
    m.condition = threading.Condition()
    m.local = threading.local()
    m.local.value = "main's"
    m.counter = iter(range(10))
    next(m.counter)

    def generate():
        total = 0
        while True:
            total += yield total

    m.generator = generate()
    next(m.generator)

    async def later(future):
        return await future + 1

    m.coroutine = later
    m.database = sqlite3.connect(":memory:")
    m.database.execute("create table t(k integer primary key, v text)")
    m.database.executemany("insert into t(v) values (?)", [("a",), ("b",)])
    m.database.commit()
    decimal.getcontext().prec = 50
    m.variable = contextvars.ContextVar("variable", default=1)
    m.variable.set(2)
    m.context = ssl.create_default_context()
    m.pattern = re.compile(r"(\w+)@(\w+)\.com")
    m.log = logging.getLogger("frozen")
    m.log.addHandler(logging.StreamHandler())

    m.compare_type = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    m.compare = m.compare_type(lambda a, b: a[0] - b[0])
    m.tls = ctypes.CDLL(m.lib + "/tls_early.so")
    m.tls.tls_set(1234)
    m.throw = ctypes.CDLL(m.lib + "/throw_early.so")
    assert m.throw.throw_and_catch(3) == 4

    class Frozen:
        def __init__(self):
            self.deleted = []

        def __del__(self):
            self.deleted.append(1)

    m.Frozen = Frozen
    m.cycle = [Frozen()]
    m.cycle.append(m.cycle)
    m.weak = weakref.WeakValueDictionary()
    m.object = Frozen()
    m.weak["object"] = m.object
    m.queue = collections.deque(range(5))
    m.policy = asyncio.get_event_loop_policy()


def check(m):
    import ctypes
    import os
    import signal
    import socket
    import subprocess
    import tempfile
    import threading
    import time

    from tap import done, environ, equal, test, that

    @test
    def threads_run_and_join():
        results, barrier = [], threading.Barrier(5)

        def work(n):
            barrier.wait()
            with m.lock:
                results.append(n)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for t in threads:
            t.start()
        barrier.wait()
        for t in threads:
            t.join()
        equal(sorted(results), [0, 1, 2, 3])
        equal(threading.active_count(), 1)
        that(threading.current_thread() is threading.main_thread(), "main")

    @test
    def a_frozen_condition_wakes_a_thread():
        seen = []

        def wait():
            with m.condition:
                seen.append("ready")
                m.condition.notify_all()
                m.condition.wait_for(lambda: "go" in seen)
                seen.append("done")

        t = threading.Thread(target=wait)
        t.start()
        with m.condition:
            m.condition.wait_for(lambda: "ready" in seen)
            seen.append("go")
            m.condition.notify_all()
        t.join()
        equal(seen, ["ready", "go", "done"])

    @test
    def thread_local_values():
        equal(m.local.value, "main's")
        seen = []
        t = threading.Thread(target=lambda: seen.append(hasattr(m.local, "value")))
        t.start()
        t.join()
        equal(seen, [False])

    @test
    def thread_pool():
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(4) as pool:
            equal(list(pool.map(lambda n: n * n, range(50))),
                  [n * n for n in range(50)])

    @test
    def process_pool():
        from concurrent.futures import ProcessPoolExecutor
        import math
        with ProcessPoolExecutor(2) as pool:
            equal(list(pool.map(math.sqrt, [1, 4, 9])), [1, 2, 3])

    @test
    def fork_and_wait():
        r, w = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(w, b"%d" % os.getpid())
            os._exit(23)
        os.close(w)
        with open(r, "rb") as pipe:
            equal(pipe.read(), b"%d" % pid)
        equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 23)

    @test
    def fork_from_a_thread():
        codes = []

        def work():
            pid = os.fork()
            if pid == 0:
                os._exit(5 if threading.active_count() == 1 else 6)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

        t = threading.Thread(target=work)
        t.start()
        t.join()
        equal(codes, [5])

    @test
    def subprocesses():
        done = subprocess.run(
            [sys.executable, "-c", "import os; print(input(), os.environ['V'])"],
            input="in\n", env={"V": "out"}, capture_output=True, text=True)
        equal((done.returncode, done.stdout, done.stderr), (0, "in out\n", ""))
        equal(subprocess.run(["sh", "-c", "kill -9 $$"]).returncode, -9)
        equal(subprocess.getoutput("cd / && pwd"), "/")

    @test
    def asyncio_with_everything():
        import asyncio

        async def main():
            loop = asyncio.get_running_loop()
            future = loop.create_future()
            loop.call_soon(future.set_result, 41)
            equal(await m.coroutine(future), 42)
            process = await asyncio.create_subprocess_exec(
                "cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            equal((await process.communicate(b"meow"))[0], b"meow")
            equal(process.returncode, 0)
            name = await loop.run_in_executor(
                None, lambda: threading.current_thread().name)
            that(name != "MainThread", "the executor's thread")

            async def serve(reader, writer):
                writer.write((await reader.readline()).upper())
                writer.close()

            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hello\n")
            equal(await reader.read(), b"HELLO\n")
            writer.close()
            server.close()
            got = []
            loop.add_signal_handler(signal.SIGUSR2, got.append, 1)
            os.kill(os.getpid(), signal.SIGUSR2)
            while not got:
                await asyncio.sleep(0)
            return "end"

        equal(asyncio.run(main()), "end")

    @test
    def ssl_handshake():
        import ssl

        def side(server):
            context = ssl.SSLContext(
                ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")
            into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
            return context.wrap_bio(into, out, server_side=server), into, out

        a, a_in, a_out = side(True)
        b, b_in, b_out = side(False)
        waiting = {a, b}
        for _ in range(20):
            for end in list(waiting):
                try:
                    end.do_handshake()
                    waiting.discard(end)
                except ssl.SSLWantReadError:
                    pass
                b_in.write(a_out.read())
                a_in.write(b_out.read())
        equal(waiting, set())
        a.write(b"secret")
        b_in.write(a_out.read())
        equal(b.read(), b"secret")

    @test
    def ssl_frozen_context():
        import ssl
        equal(m.context.verify_mode, ssl.CERT_REQUIRED)
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        end = m.context.wrap_bio(into, out, server_hostname="example.org")
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            pass
        hello = out.read()
        that(b"example.org" in hello, "no ClientHello")

    @test
    def hashes_and_hmac():
        import hashlib
        import hmac
        equal(hashlib.sha256(b"abc").hexdigest()[:16], "ba7816bf8f01cfea")
        equal(hashlib.blake2b(b"abc").hexdigest()[:16], "ba80a53f981c4d0d")
        equal(hmac.new(b"k", b"m", "sha512").hexdigest(),
              hmac.digest(b"k", b"m", "sha512").hex())
        equal(len(hashlib.scrypt(b"p", salt=b"s", n=16, r=8, p=1)), 64)

    @test
    def sqlite_frozen_and_new():
        import sqlite3
        m.database.execute("insert into t(v) values ('c')")
        equal(m.database.execute("select group_concat(v) from t").fetchone(),
              ("a,b,c",))
        with tempfile.TemporaryDirectory() as folder:
            db = sqlite3.connect(folder + "/new.db")
            with db:
                db.execute("create table n(x)")
                db.executemany("insert into n values (?)", [(i,) for i in range(999)])
            db.close()
            db = sqlite3.connect(folder + "/new.db")
            equal(db.execute("select sum(x) from n").fetchone(), (999 * 998 // 2,))
            db.close()

    @test
    def decimal_context_stays():
        import decimal
        equal(decimal.getcontext().prec, 50)
        equal(str(decimal.Decimal(1) / 7), "0." + ("142857" * 9)[:50])

    @test
    def context_variable_stays():
        equal(m.variable.get(), 2)

    @test
    def ctypes_callbacks():
        libc = ctypes.CDLL(None)
        for compare in m.compare, m.compare_type(lambda a, b: a[0] - b[0]):
            numbers = (ctypes.c_int * 5)(3, 1, 5, 2, 4)
            libc.qsort(numbers, 5, ctypes.sizeof(ctypes.c_int), compare)
            equal(list(numbers), [1, 2, 3, 4, 5])

    @test
    def sockets():
        a, b = socket.socketpair()
        a.sendall(b"x" * 100000)
        a.close()
        size = 0
        while data := b.recv(65536):
            size += len(data)
        b.close()
        equal(size, 100000)
        server = socket.create_server(("127.0.0.1", 0))
        client = socket.create_connection(server.getsockname())
        peer, _ = server.accept()
        client.sendall(b"hi")
        equal(peer.recv(10), b"hi")
        for s in server, client, peer:
            s.close()
        that(socket.getaddrinfo("localhost", 80), "localhost")

    @test
    def multiprocessing_in_all_ways():
        import math
        import multiprocessing
        for method in "fork", "spawn", "forkserver":
            context = multiprocessing.get_context(method)
            with context.Pool(2) as pool:
                equal(pool.map(math.factorial, [3, 4, 5]), [6, 24, 120], method)
            process = context.Process(target=os._exit, args=(3,))
            process.start()
            process.join()
            equal(process.exitcode, 3, method)

    @test
    def shared_memory():
        from multiprocessing import shared_memory
        memory = shared_memory.SharedMemory(create=True, size=100)
        try:
            pid = os.fork()
            if pid == 0:
                memory.buf[7] = 77
                os._exit(0)
            os.waitpid(pid, 0)
            equal(memory.buf[7], 77)
        finally:
            memory.close()
            memory.unlink()

    @test
    def further_extensions_load():
        import importlib.util
        late = next(name for name in ("_crypt", "_dbm", "_curses_panel")
                    if importlib.util.find_spec(name))	# by a library of its own
        for name in "_testbuffer", late, "_curses", "_testcapi":
            that(name not in sys.modules, name + " is in the image")
        import _curses
        library = __import__(late)
        import _testbuffer
        import _testcapi
        equal(_testbuffer.ndarray([1, 2], shape=[2]).tolist(), [1, 2])
        if late == "_crypt":
            that(library.crypt("x", "$5$salt").startswith("$5$salt$"), "crypt")
        elif late == "_dbm":
            that(library.library.startswith(("Berkeley DB", "GNU gdbm")), library.library)
        else:
            that(issubclass(library.error, Exception), "panels")
        that(callable(_curses.initscr), "curses")
        equal(_testcapi.INT_MAX, 2**31 - 1)

    @test
    def a_large_extension_loads():
        that("numpy" not in sys.modules, "numpy is in the image")
        import numpy
        equal(float(numpy.linalg.det(numpy.eye(4))), 1.0)

    @test
    def deep_recursion():
        def down(n):
            return down(n + 1)

        for _ in range(3):
            try:
                down(0)
            except RecursionError:
                pass
            else:
                that(False, "no RecursionError")
        import json
        deep = []
        for _ in range(100000):
            deep = [deep]
        for call in repr, json.dumps:
            try:
                call(deep)
            except RecursionError:
                pass
            else:
                that(False, "no RecursionError from %r" % call)
        while deep:
            deep = deep.pop()

    @test
    def deep_recursion_in_c_uses_the_whole_stack():
        # Each level is several C frames; all of them fit the usual 8 MB.
        code = ("import sys; sys.setrecursionlimit(9000)\n"
                "class A:\n def __getattr__(self, n): return getattr(self, n + 'x')\n"
                "try: A().y\n"
                "except RecursionError: print('refused')")
        import json
        got = subprocess.run(json.loads(os.environ["SELF"]) + ["-c", code],
                             env=environ(), capture_output=True, text=True)
        equal((got.returncode, got.stdout), (0, "refused\n"), got.stderr)

    @test
    def cpp_exceptions():
        late = ctypes.CDLL(m.lib + "/throw_late.so")
        for library in m.throw, late:
            equal(library.throw_and_catch(50), 51)
            equal(library.throw_bad_alloc(), 42)
            inner = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(
                library.throw_and_catch)
            equal(library.throw_around(inner, 4), 6)
            results = []
            t = threading.Thread(
                target=lambda: results.append(library.throw_and_catch(9)))
            t.start()
            t.join()
            equal(results, [10])

    @test
    def thread_local_storage():
        late = ctypes.CDLL(m.lib + "/tls_late.so")
        equal(m.tls.tls_get(), 1234)
        equal(m.tls.tls_block_is(1234 & 0xff), 1)
        equal(late.tls_get(), 41)
        late.tls_set(99)
        seen = []

        def work():
            seen.append((m.tls.tls_get(), late.tls_get(), m.tls.tls_block_is(0)))
            m.tls.tls_set(5)
            late.tls_set(6)
            seen.append((m.tls.tls_get(), late.tls_get()))

        t = threading.Thread(target=work)
        t.start()
        t.join()
        equal(seen, [(41, 41, 1), (5, 6)])
        equal((m.tls.tls_get(), late.tls_get()), (1234, 99))

    @test
    def generators_and_iterators_go_on():
        equal(m.generator.send(5), 5)
        equal(m.generator.send(6), 11)
        equal(next(m.counter), 1)
        equal(m.queue.popleft(), 0)

    @test
    def garbage_collection():
        import gc
        dead = m.object.deleted
        that(m.weak["object"] is m.object, "weak reference")
        del m.object
        equal(dead, [1], "its __del__")
        that("object" not in m.weak, "weak reference to a dead object")
        new = m.Frozen()
        dead = new.deleted
        new.self = new
        del new
        gc.collect()
        equal(dead, [1], "a new cycle's __del__")
        equal(m.cycle[0].deleted, [])

    @test
    def finalizers_of_frozen_cycles():
        import gc
        # no collection looks at frozen objects: each would write to all of them
        dead = m.cycle[0].deleted
        m.cycle = None
        gc.collect()
        equal(dead, [1] if "plain.py" in " ".join(sys.orig_argv) else [])

    @test
    def logging_and_regular_expressions():
        saved = os.dup(2)
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), 2)
            try:
                m.log.warning("caught %s", m.pattern.findall("me@site.com"))
            finally:
                os.dup2(saved, 2)
                os.close(saved)
            file.seek(0)
            equal(file.read(), b"caught [('me', 'site')]\n")

    @test
    def timers_and_signals():
        got = []
        old = signal.signal(signal.SIGALRM, lambda *a: got.append(a[0]))
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        while not got:
            signal.pause()
        signal.signal(signal.SIGALRM, old)
        equal(got[:1], [signal.SIGALRM])
        before = time.monotonic()
        time.sleep(0.001)
        that(time.monotonic() - before >= 0.001, "monotonic")

    @test
    def memory_maps_and_big_objects():
        import mmap
        with mmap.mmap(-1, 1 << 20) as memory:
            memory[:] = b"x" * (1 << 20)
            equal(memory[12345:12347], b"xx")
        big = bytearray(64 << 20)
        big[-1] = 1
        equal(sum(big[-10:]), 1)
        equal(len({i: str(i) for i in range(300000)}), 300000)

    @test
    def modules_still_import_and_reload():
        import importlib
        with tempfile.TemporaryDirectory() as folder:
            with open(folder + "/fresh_module.py", "w") as file:
                file.write("value = 1\n")
            sys.path.insert(0, folder)
            try:
                import fresh_module
                equal(fresh_module.value, 1)
                import json
                that(importlib.reload(json) is json, "reload")
                equal(json.loads("[1]"), [1])
            finally:
                sys.path.remove(folder)

    @test
    def unittest_runs():
        import unittest

        class Case(unittest.TestCase):
            def test_it(self):
                self.assertEqual(1, 1)

            def test_fails(self):
                self.fail()

        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
        equal((result.testsRun, len(result.failures)), (2, 1))

    done()


if "frozen_stdlib" in sys.modules:
    # multiprocessing imports this file once more in its children.
    if __name__ == "__main__":
        check(sys.modules["frozen_stdlib"])
elif __name__ != "__mp_main__":
    arrange()
