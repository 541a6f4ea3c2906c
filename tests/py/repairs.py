"""State that a restore has to repair, below Python and in it: one test for each
repair, which fails without it. SELF is the command that runs this image."""
import sys
import types


def arrange():
    import ctypes
    import os
    import random  # noqa: F401, its state is what must not repeat
    import signal
    import tempfile
    import uuid

    m = sys.modules["frozen_repairs"] = types.ModuleType("frozen_repairs")
    here = os.path.dirname(os.path.abspath(sys._getframe().f_code.co_filename))
    m.top = os.path.dirname(here)
    m.probe = ctypes.CDLL(m.top + "/lib/probe.so")
    m.canary = m.probe.probe_canary
    m.canary.restype = m.probe.probe_pointer_guard.restype = ctypes.c_uint64
    m.probe.probe_robust_list.restype = ctypes.c_uint64
    m.probe.probe_tid_address.restype = ctypes.c_uint64
    m.probe.probe_default_stack.restype = ctypes.c_size_t
    m.probe.probe_thread_stack.restype = ctypes.c_size_t
    m.old_canary = m.canary()
    m.guard = m.probe.probe_pointer_guard()
    m.robust = m.probe.probe_robust_list()
    m.tid_address = m.probe.probe_tid_address()
    m.pid = None

    def note_pid():
        m.pid = os.getpid()

    os.register_at_fork(after_in_child=note_pid)
    # Denormals are zero, from now on: a bit that exec would not set.
    m.probe.probe_set_mxcsr(m.probe.probe_mxcsr() | 0x40)
    m.signals = []
    signal.signal(signal.SIGUSR1, lambda number, frame: m.signals.append(number))
    os.environ["SET_BY_AN_IMPORT"] = "yes"
    m.uuid, m.tempfile = uuid.uuid4(), tempfile.gettempdir()
    # Generators that are not in use need no renewal.
    import ssl
    m.drawn = ssl.RAND_bytes(8), tempfile.mktemp(), uuid.uuid1(), uuid.getnode()
    m.dumper = os.getpid()
    with open(m.top + "/py/lines.txt") as file:
        m.file = open(m.top + "/py/lines.txt")
        m.first = m.file.readline()
        file.readline()


PRELUDE = """
import ctypes, os, signal, sys, threading, time
p = ctypes.CDLL(%r)
"""


def check(m):
    import ctypes
    import json
    import os
    import signal
    import subprocess
    import tempfile
    import threading

    from tap import Skip, differ, done, environ, equal, test, that, wait_asleep

    libc = ctypes.CDLL(None, use_errno=True)
    library = m.top + "/lib/probe.so"
    this = json.loads(os.environ["SELF"])
    plain = ["/usr/bin/python3"]

    def run(code, *before, command=this, env=None, **options):
        variables = environ()
        variables.update(env or {})
        return subprocess.run(
            [*before, *command, "-c", PRELUDE % library + code],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            errors="surrogateescape", env=variables, timeout=120, **options)

    def output(code, *before, **options):
        got = run(code, *before, **options)
        equal((got.returncode, got.stderr), (0, ""), "status and stderr")
        return got.stdout

    def as_plain(code, *before, **options):
        """The image prints what plain python3 prints; return it."""
        want = output(code, *before, command=plain, **options)
        equal(output(code, *before, **options), want, "what the image prints")
        return want

    def two_differ(code, *before, **options):
        one, other = (output(code, *before, **options) for _ in range(2))
        differ(one, other, "what two runs print")

    def status(field):
        with open("/proc/self/status") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return line.split()[1]

    # ------------------------------------------------------------ the TCB

    @test
    def stack_protector_canary_is_new():
        two_differ("f = p.probe_canary; f.restype = ctypes.c_uint64; print(f())")
        if this != plain:
            differ(m.canary(), m.old_canary, "the canaries")
        equal(m.canary() & 0xff, 0, "its lowest byte")
        that(m.canary() >> 8, "it is 0")
        seen = []
        t = threading.Thread(target=lambda: seen.append(m.canary()))
        t.start()
        t.join()
        equal(seen, [m.canary()], "a thread's canary")

    @test
    def pointer_guard_stays():
        # Mangled pointers exist: atexit's functions, setjmp buffers.
        equal(m.probe.probe_pointer_guard(), m.guard)
        that(m.guard, "it is 0")

    @test
    def tid_is_the_kernel_s():
        tid = libc.gettid()
        equal(tid, os.getpid())
        equal(m.probe.probe_mutex_owner(), tid, "the owner of a mutex")
        equal(threading.main_thread().native_id, tid)
        equal(threading.get_native_id(), tid)
        equal(m.probe.probe_tid_address(), m.tid_address, "set_tid_address")
        pid = os.fork()
        if pid == 0:
            os._exit(0 if m.probe.probe_mutex_owner() == os.getpid() else 1)
        equal(os.waitpid(pid, 0)[1], 0, "in a fork")

    @test
    def pthread_kill_reaches_the_main_thread():
        m.signals.clear()
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR1)
        t = threading.Thread(target=signal.pthread_kill, args=(
            threading.main_thread().ident, signal.SIGUSR1))
        t.start()
        t.join()
        equal(m.signals, [signal.SIGUSR1] * 3)

    @test
    def the_process_has_python3_s_name():
        name = "print(open('/proc/self/comm').read())\n"
        as_plain(name + "t = threading.Thread(target=lambda: print(sorted(open("
                 "'/proc/self/task/%s/comm' % n).read() for n in os.listdir('/proc/self/task')))"
                 ")\nt.start()\nt.join()")
        # The image's own name is an argument, as a script's would be.
        got = subprocess.run([*this, "-c", name, this[-1]], capture_output=True, env=environ())
        equal((got.stdout, got.stderr), (b"python3\n\n", b""))

    @test
    def robust_list_is_registered():
        equal(m.probe.probe_robust_list(), m.robust)
        that(m.robust > 1, "there was none")
        EOWNERDEAD = 130
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/mutex"
            output("print(p.probe_robust_mutex(%r, 1), flush=True); os._exit(0)"
                   % path.encode())
            equal(m.probe.probe_robust_mutex(path.encode(), 0), EOWNERDEAD,
                  "a lock whose owner died")

    @test
    def rseq_is_registered():
        code = ("cpus = os.sched_getaffinity(0)\n"
                "for n in cpus:\n"
                " os.sched_setaffinity(0, {n})\n"
                " print(n, p.probe_rseq_cpu() - n,"
                " ctypes.CDLL(None).sched_getcpu() - n)\n"
                "print(p.probe_rseq_size())\n")
        as_plain(code)

    @test
    def floating_point_control():
        equal(m.probe.probe_mxcsr() & 0xffc0, 0x1f80 | 0x40, "MXCSR")
        as_plain("print(p.probe_x87())")

    # ------------------------------------------------------------ the vDSO

    @test
    def clocks_agree_with_the_kernel():
        equal(m.probe.probe_clocks(), 0)
        import time
        that(abs(time.time() - time.clock_gettime(time.CLOCK_REALTIME)) < 60,
             "time.time")

    @test
    def clocks_need_no_system_call():
        as_plain("print(p.probe_clock_in_vdso())")

    @test
    def loaded_objects_can_be_walked():
        buffer = ctypes.create_string_buffer(1 << 16)
        equal(m.probe.probe_walk(buffer, len(buffer)), 1)
        names = buffer.value.decode().splitlines()
        that("linux-vdso.so.1" in names, names)
        that(library in names, names)
        that(any("/libc.so.6" in n for n in names), names)

    @test
    def the_vdso_s_header_is_there():
        code = ("g = ctypes.CDLL(None).getauxval; g.restype = ctypes.c_ulong\n"
                "print(ctypes.string_at(g(33), 4))")
        equal(as_plain(code), "b'\\x7fELF'\n")

    # ------------------------------------------------ pointers to the stack

    auxv = ("g = ctypes.CDLL(None).getauxval; g.restype = ctypes.c_ulong\n")

    @test
    def auxiliary_vector():
        # 15 AT_PLATFORM, 6 AT_PAGESZ, 11-14 the ids, 16 and 26 AT_HWCAP,
        # 17 AT_CLKTCK, 23 AT_SECURE
        equal(as_plain(auxv + "print(ctypes.string_at(g(15)))"), "b'x86_64'\n")
        as_plain(auxv + "print([g(n) for n in (6,11,12,13,14,16,17,23,26)])")
        that(os.path.exists(output(
            auxv + "print(ctypes.string_at(g(31)).decode())").strip()), "AT_EXECFN")

    @test
    def at_random_is_new():
        two_differ(auxv + "print(ctypes.string_at(g(25), 16))")

    @test
    def program_names_of_libc():
        code = ("l = ctypes.CDLL(None)\n"
                "for n in 'program_invocation_name', '__progname':\n"
                " print(ctypes.c_char_p.in_dll(l, n).value.decode())")
        equal(output(code).split(), ["/usr/bin/python3", "python3"])

    @test
    def pthread_exit_on_the_main_thread():
        code = "sys.stdout.flush(); p.probe_exit_main()"
        want, got = run(code, command=plain), run(code)
        equal((want.returncode, want.stdout), (7, "outlived\n"), "plain python3")
        equal((got.returncode, got.stdout), (7, "outlived\n"), "the image")

    @test
    def the_main_stack_is_known():
        # pthread_getattr_np needs __libc_stack_end.
        equal(m.probe.probe_stack_holds_frame(), 1)

    @test
    def proc_cmdline_and_environ():
        code = ("c = open('/proc/self/cmdline','rb').read().split(b'\\0')\n"
                "e = open('/proc/self/environ','rb').read().split(b'\\0')\n"
                "print(c[-3:], b'MARK=here' in e)")
        command = this + ["-c", code, "one", "two"]
        got = subprocess.run(command, env={**environ(), "MARK": "here"},
                             capture_output=True, text=True)
        equal(got.stdout, "[b'one', b'two', b''] True\n", got.stderr)

    @test
    def c_code_is_told_the_process_s_words():
        # setproctitle looks for them in front of the variables.
        code = ("n, v = ctypes.c_int(), ctypes.POINTER(ctypes.c_wchar_p)()\n"
                "ctypes.pythonapi.Py_GetArgcArgv(ctypes.byref(n), ctypes.byref(v))\n"
                "c = open('/proc/self/cmdline').read().split('\\0')\n"
                "print(v[:n.value] == c[:-1], c[-3:])")
        command = this + ["-c", "import ctypes\n" + code, "one", "two"]
        got = subprocess.run(command, env=environ(), capture_output=True, text=True)
        equal(got.stdout, "True ['one', 'two', '']\n", got.stderr)

    # ------------------------------------------------------------ the heap

    @test
    def the_heap_grows_far_past_its_old_end():
        equal(output("print(p.probe_fill(200 << 20, 1000))"), "0\n")
        equal(output("print(p.probe_fill(200 << 20, 100000))"), "0\n")

    @test
    def sbrk_is_the_kernel_s():
        code = ("l = ctypes.CDLL(None); l.sbrk.restype = ctypes.c_ulong\n"
                "l.syscall.restype = ctypes.c_ulong\n"
                "a = l.sbrk(ctypes.c_long(1 << 20))\n"
                "ctypes.memset(ctypes.c_void_p(a), 1, 1 << 20)\n"
                "print(l.sbrk(0) - a, l.syscall(12, 0) - l.sbrk(0))")
        equal(output(code), "%d 0\n" % (1 << 20))

    # ------------------------------------------------------------ signals

    @test
    def a_frozen_handler_is_installed():
        m.signals.clear()
        os.kill(os.getpid(), signal.SIGUSR1)
        equal(m.signals, [signal.SIGUSR1])

    masks = ("for l in open('/proc/self/status'):\n"
             " if l.startswith(('SigBlk', 'SigIgn', 'SigCgt')):\n"
             "  print(l[:6], hex(int(l.split()[1], 16) & ~(1 << %d)))\n"
             "print([signal.getsignal(s) in (signal.SIG_IGN,) for s in (1,2,13,15,25)])\n"
             "print(signal.getsignal(2) is signal.default_int_handler)\n"
             % (signal.SIGUSR1 - 1))

    @test
    def dispositions_as_in_python3():
        as_plain(masks)

    @test
    def signals_that_the_parent_ignores():
        for number in signal.SIGINT, signal.SIGHUP, signal.SIGTERM:
            def ignore():
                signal.signal(number, signal.SIG_IGN)
            as_plain(masks, preexec_fn=ignore)
        equal(output("print(signal.getsignal(2) is signal.SIG_IGN)",
                     preexec_fn=lambda: signal.signal(2, signal.SIG_IGN)), "True\n")

    @test
    def signals_that_the_parent_blocks():
        def block():
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGTERM})
        as_plain(masks, preexec_fn=block)

    @test
    def keyboard_interrupt_in_a_system_call():
        code = ("try:\n"
                " print('ready', flush=True); sys.stdin.read()\n"
                "except KeyboardInterrupt: print('interrupted')")
        child = subprocess.Popen(this + ["-c", "import sys\n" + code], env=environ(),
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        equal(child.stdout.readline(), b"ready\n")
        wait_asleep(child.pid)
        child.send_signal(signal.SIGINT)
        equal(child.stdout.readline(), b"interrupted\n")
        equal(child.wait(), 0)
        child.stdin.close()
        child.stdout.close()

    @test
    def a_broken_pipe_is_an_exception():
        r, w = os.pipe()
        os.close(r)
        try:
            os.write(w, b"x")
        except BrokenPipeError:
            pass
        else:
            that(False, "no BrokenPipeError")
        finally:
            os.close(w)

    # ------------------------------------------------------------ threads

    @test
    def thread_stack_size_follows_the_limit():
        code = ("for f in p.probe_default_stack, p.probe_thread_stack:\n"
                " f.restype = ctypes.c_size_t; print(f())")
        for limit in "8192", "1024", "65536", "unlimited":
            as_plain(code, "sh", "-c", "ulimit -S -s %s; exec \"$@\"" % limit, "sh")

    # ------------------------------------------------------------ time zone

    @test
    def time_zones():
        code = ("import datetime\n"
                "print(time.tzname, time.timezone, time.altzone, time.daylight,"
                " time.localtime(1700000000)[:6],"
                " datetime.datetime.fromtimestamp(0).astimezone().isoformat())")
        outputs = {as_plain(code, env={"TZ": zone}) for zone in (
            "JST-9", "EST5EDT,M3.2.0,M11.1.0", ":Asia/Tokyo", "UTC", "", "junk")}
        that(len(outputs) >= 3, "all zones are the same")
        as_plain(code)

    # ------------------------------------------------------------ environment

    @test
    def environment():
        libc.getenv.restype = ctypes.c_char_p
        code = ("l = ctypes.CDLL(None); l.getenv.restype = ctypes.c_char_p\n"
                "os.environ.pop('SET_BY_AN_IMPORT', None)\n"
                "os.environ.pop('LC_CTYPE', None)\n"
                "print(sorted(os.environ.items()), l.getenv(b'MARK'),"
                " os.getenv('MARK'), os.environb[b'MARK'])\n"
                "os.environ['NEW'] = 'new'; del os.environ['MARK']\n"
                "print(l.getenv(b'NEW'), l.getenv(b'MARK'), flush=True)\n"
                "os.system('echo $NEW $MARK.')")
        as_plain(code, env={"MARK": "a=b"})
        as_plain(code, env={"MARK": "\udcff\u00e9"})
        as_plain(code, env={"MARK": "", "EMPTY": ""})
        as_plain(code, env={"MARK": "x" * 100000})
        that("BUILD_ONLY" not in os.environ, "the build's own environment")

    @test
    def a_variable_that_an_import_set():
        libc.getenv.restype = ctypes.c_char_p
        equal(os.environ.get("SET_BY_AN_IMPORT"), "yes")
        equal(libc.getenv(b"SET_BY_AN_IMPORT"), b"yes")
        equal(subprocess.check_output(["printenv", "SET_BY_AN_IMPORT"]), b"yes\n")

    @test
    def very_many_variables():
        many = {"V%d" % n: str(n) for n in range(3000)}
        code = ("print(sum(int(v) for k, v in os.environ.items()"
                " if k[0] == 'V' and k[1:].isdigit()),"
                " ctypes.CDLL(None).system(b'test $V2999 = 2999'))")
        equal(as_plain(code, env=many), "%d 0\n" % (3000 * 2999 // 2))

    @test
    def libc_s_environment_can_grow():
        equal(m.probe.probe_setenv(3000), 0)
        that(os.getenv("SELF") and libc.getenv(b"SELF"), "what was there")

    # ------------------------------------------------------------ descriptors

    @test
    def a_file_that_was_being_read():
        equal(m.first, "line 1\n")
        equal(m.file.readline(), "line 2\n")
        equal(m.file.read()[-7:], "line 9\n")

    @test
    def no_descriptor_too_many():
        code = "print(sorted(os.listdir('/proc/self/fd')))"
        want, got = (eval(output(code, command=c)) for c in (plain, this))
        equal(len(got) - len(want), 1 if this != plain else 0, "further descriptors (one is lines.txt)")

    # ------------------------------------------------------------ randomness

    random_code = {
        "random": "import random; print(random.random())",
        "random.SystemRandom": "import random; print(random.SystemRandom().random())",
        "uuid1": "import uuid; print(uuid.uuid1())",
        "uuid4": "import uuid; print(uuid.uuid4())",
        "secrets": "import secrets; print(secrets.token_hex())",
        "urandom": "print(os.urandom(8))",
        "tempfile": "import tempfile; print(tempfile.mktemp())",
        "mkstemp": "import tempfile; n = tempfile.mkstemp()[1]; os.unlink(n); print(n)",
        "RAND_bytes": "import ssl; print(ssl.RAND_bytes(16))",
        "libcrypto": "import _hashlib; c = ctypes.CDLL('libcrypto.so.3');"
                     " b = ctypes.create_string_buffer(16);"
                     " print(c.RAND_priv_bytes(b, 16), b.raw)",
        "a new Random": "import random; print(random.Random().random())",
        "authkey": "import multiprocessing as m; print(bytes(m.current_process().authkey))",
    }

    @test
    def randomness_never_repeats():
        for name, code in random_code.items():
            one, other = output(code), output(code)
            differ(one, other, name)

    @test
    def randomness_never_repeats_with_the_dumper_s_pid():
        if os.getuid() != 0:
            raise Skip("optional: only root can choose a pid")
        if this == plain:
            raise Skip("optional: this is plain python3")
        that(m.pid, "os.register_at_fork was not heeded")
        # A pid namespace of its own, where the pid is free; the shell there
        # sets what the next fork gets.
        before = ["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c",
                  "echo %d > /proc/sys/kernel/ns_last_pid; \"$@\"; exit $?"
                  % (m.pid - 1), "sh"]
        if subprocess.run(before + ["true"], capture_output=True).returncode:
            raise Skip("no pid namespace can be made here")
        # Of the process that is frozen, and of its parent, which drew from
        # the generators while building.
        for forced in m.pid, m.dumper:
            before[-2] = before[-2].replace(before[-2].split()[1], str(forced - 1), 1)
            for name, code in random_code.items():
                seen = []
                for _ in range(2):
                    text = output(code + "\nprint(os.getpid())", *before)
                    *random, pid = text.splitlines()
                    equal(int(pid), forced, "the pid")
                    seen.append(random)
                differ(*seen, name)

    @test
    def clock_sequences_are_each_process_s():
        # libuuid's, where it has no file for all processes.
        if os.access("/var/lib/libuuid", os.W_OK):
            raise Skip("optional: libuuid keeps one sequence for all")
        code = "import uuid; print(uuid.uuid1().clock_seq)"
        that(len({output(code) for _ in range(4)}) > 1, "one sequence")

    @test
    def what_is_another_machine_s_is_forgotten():
        if this == plain:
            raise Skip("optional: this is plain python3")
        equal(output("import uuid; print(uuid._node, uuid._last_timestamp)"), "None None\n")

    @test
    def parent_and_child_differ():
        import random
        import ssl
        for draw in random.random, lambda: ssl.RAND_bytes(8):
            r, w = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.write(w, repr(draw()).encode())
                os._exit(0)
            os.close(w)
            os.waitpid(pid, 0)
            with open(r) as file:
                differ(file.read(), repr(draw()), "parent and child")

    # ------------------------------------------------------------ mappings

    @test
    def no_mapping_is_writable_and_executable():
        with open("/proc/self/maps") as file:
            for line in file:
                that(not ("w" in line.split()[1] and "x" in line.split()[1]), line)

    done()


if "frozen_repairs" in sys.modules:
    check(sys.modules["frozen_repairs"])
else:
    arrange()
