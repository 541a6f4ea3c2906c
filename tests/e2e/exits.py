#!/usr/bin/python3
"""How a program ends: in which order what is finalised, what it sees then, and
what it leaves. An image ends as plain python3 does, by its own fast way and
under PYIMAGE_FINALIZE=full."""
import os
import sys

import lib
import tap
from tap import equal, that
from twins import CASES, case, clean, code, compare, compare_all, outcome

DEL = """
class D:
    def __init__(self, name): self.name = name
    def __del__(self): print('del', self.name)
"""
# What a finalizer finds.
LOOK = """
class L:
    def __init__(self, name): self.name = name
    def __del__(self):
        import sys
        print(self.name, sys.path is None, sys.meta_path is None, sys.argv is None,
              len(sys.modules) == 0, sys.stdout is None, sys.is_finalizing())
"""
IMPORTS = """
import sys
class I:
    def __init__(self, name): self.name = name
    def __del__(self, sys=sys):
        for name in 'os', 'sys', 'json', 'builtins', 'no_such':
            try: __import__(name); print(self.name, name, 'imported')
            except BaseException as error: print(self.name, name, error)
"""

# ------------------------------------------------------------ who holds it
HOLDERS = {
    "sys": "import sys\nsys.thing = D('x')",
    "builtins": "import builtins\nbuiltins.thing = D('x')",
    "os": "import os\nos.thing = D('x')",
    "a frozen class": "import os\nos.stat_result\nimport codecs\ncodecs.Codec.thing = D('x')",
    "a function's attribute": "import os\nos.path.join.thing = D('x')",
    "a frozen function's default": "import os\nos.path.join.__kwdefaults__ = {'x': D('x')}",
    "a list in sys": "import sys\nsys.path_hooks.append(D('x'))",
    "sys.path": "import sys\nsys.path.append(D('x'))",
    "sys.meta_path": "import sys\nsys.meta_path.append(D('x'))",
    "sys.modules": "import sys\nsys.modules['thing'] = D('x')",
    "sys.excepthook": "import sys\nsys.excepthook = D('x')",
    "sys.displayhook": "import sys\nsys.displayhook = D('x')",
    "sys.last_traceback": "import sys\ndef f():\n local = D('x')\n 1/0\nf()",
    "sys.last_value": "import sys\nclass E(Exception): pass\ne = E()\ne.d = D('x')\nraise e",
    "builtins._": "import sys\nsys.displayhook(D('x'))",
    "the environment": "import os\nos.environ.thing = D('x')",
    "a codec": "import codecs\nd = D('x')\ncodecs.register(lambda name, d=d: None)",
    "an error handler": "import codecs\n"
                        "codecs.register_error('mine', lambda e, d=D('x'): ('', e.end))",
    "a signal handler": "import signal\n"
                        "signal.signal(signal.SIGUSR1, lambda *a, d=D('x'): 0)",
    "atexit": "import atexit\natexit.register(lambda d: None, D('x'))",
    "an lru_cache": "import functools\n@functools.lru_cache\ndef f(x): return D('x')\nf(1)",
    "a frozen lru_cache": "import typing\nclass C: d = D('x')\ntyping.Optional[C]",
    "the re cache": "import re\nre.compile('a')\nre._cache[1] = D('x')",
    "copyreg": "import copyreg\nclass C: pass\ncopyreg.pickle(C, lambda c, d=D('x'): 0)",
    "a logging handler": "import logging\nh = logging.NullHandler()\nh.d = D('x')\n"
                         "logging.getLogger().addHandler(h)\ndel h",
    "a log record's filter": "import logging\n"
                             "logging.getLogger('a').addFilter(lambda r, d=D('x'): 1)",
    "a subclass of an ABC": "import collections.abc\nclass C(collections.abc.Sized):\n"
                            " d = D('x')\n def __len__(self): return 0\n"
                            "isinstance(C(), collections.abc.Iterable)",
    "a registered class": "import collections.abc\nclass C: d = D('x')\n"
                          "collections.abc.Sized.register(C)",
    "singledispatch": "import functools\n@functools.singledispatch\ndef f(x): pass\n"
                      "f.register(int, lambda x, d=D('x'): 0)",
    "thread-local": "import threading\nl = threading.local()\nl.d = D('x')",
    "thread-local in a frozen module": "import os, threading\nos.l = threading.local()\n"
                                       "os.l.d = D('x')",
    "a context variable": "import contextvars\nv = contextvars.ContextVar('v')\nv.set(D('x'))",
    "a fork handler": "import os\nos.register_at_fork(before=lambda d=D('x'): None)",
    "threading._register_atexit": "import threading\n"
                                  "threading._register_atexit(lambda d=D('x'): print('exit'))",
    "a weak dictionary's key": "import weakref\nd = D('x')\nw = weakref.WeakKeyDictionary()\n"
                               "w[d] = D('y')",
    "a weak dictionary's value": "import weakref\nd = D('x')\n"
                                 "w = weakref.WeakValueDictionary()\nw[1] = d",
    "a cached property": "import functools\nclass C:\n @functools.cached_property\n"
                         " def d(self): return D('x')\nc = C()\nc.d",
    "a partial": "import functools\np = functools.partial(print, D('x'))",
    "a bound method": "m = D('x').__del__",
    "an exception that is kept": "try:\n d = D('x')\n 1/0\nexcept Exception as e: kept = e",
    "a running frame": "import sys\ndef f():\n d = D('x')\n sys.exit(3)\nf()",
    "a frame that is kept": "import sys\ndef f():\n d = D('x')\n return sys._getframe()\nk = f()",
    "an iterator": "i = iter([D('x'), D('y')])\nnext(i)",
    "nobody": "D('x')",
    "a module made by hand": "import types\nm = types.ModuleType('m')\nm.d = D('x')",
    "a module made by hand in sys.modules":
        "import sys, types\nm = sys.modules['m'] = types.ModuleType('m')\nm.d = D('x')",
    "__main__ under another name": "import sys\nsys.modules['x'] = sys.modules['__main__']\n"
                                   "d = D('x')",
    "__main__ that is gone": "import sys\nd = D('x')\ndel sys.modules['__main__']",
    "__main__ that is another": "import sys\nd = D('x')\nclass M: pass\n"
                                "sys.modules['__main__'] = M()",
    "__main__ held by sys": "import sys\nd = D('x')\nsys.kept = sys.modules['__main__']",
    "a function of __main__ held by os": "import os\nd = D('x')\ndef f(): pass\nos.f = f",
    "the trash of another": "class T:\n def __del__(self): self.d = D('y'); print('T')\nt = T()",
    "itself, back from the dead": "kept = []\nclass R:\n def __del__(self):\n"
                                  "  print('R'); kept.append(self)\nr = R()",
    "a cycle with os": "import os\nd = D('x')\nd.os = os\nos.d = d",
}
for name, text in HOLDERS.items():
    code("held by " + name, DEL + "a = D('first')\n" + text + "\nz = D('last')\n")

# ------------------------------------------------------------ what it sees
if sys.version_info >= (3, 12):	# older ones die of it (CPython issue 102397)
    code("sees, a signal of its own", "import _thread, signal\n"
         "signal.signal(15, lambda *a: print(a))\nclass D:\n"
         "    def __del__(self, show=print, get=signal.getsignal, end=_thread.interrupt_main):\n"
         "        show(get(2), get(15), get(13), get(1))\n        end()\nd = D()")
code("sees, alone", LOOK + "a = L('a')")
code("sees, in a cycle", LOOK + "a = L('a')\na.a = a")
code("sees, without functions in the module", "import sys\n"
     "sys.stdout.d = type('D', (), {'__del__': lambda self: print('d')})()\ndel sys")
code("sees, held by os", LOOK + "import os\na = L('a')\nos.b = L('b')")
code("sees, held by sys", LOOK + "import sys\na = L('a')\nsys.b = L('b')")
code("sees, imported module", "import mod\na = mod.L('a')", files={"mod.py": LOOK + "b = L('b')"})
code("sees, modules that import each other", "import one\nimport two", files={
    "one.py": DEL + "import two\na = D('one')\n_b = D('_one')",
    "two.py": "import one\nfrom one import D\na = D('two')\n_b = D('_two')"})
code("sees, three modules in order", "import a, b, c", files={
    "a.py": DEL + "x = D('a')", "b.py": "from a import D\nx = D('b')\nimport c",
    "c.py": "from a import D\nx = D('c')"})
code("sees, modules with functions", "import a, b\ndef f(): pass\nx = a.D('main')", files={
    "a.py": DEL + "x = D('a')\ndef f(): return x",
    "b.py": "from a import D\nx = D('b')\ndef f(): return x"})
code("sees, modules that os holds", "import os, a, b\nos.a = a.f\nos.b = b.f", files={
    "a.py": DEL + "x = D('a')\n_y = D('_a')\ndef f(): return x",
    "b.py": "from a import D\nx = D('b')\n_y = D('_b')\ndef f(): return x"})
code("sees, imports in __del__", IMPORTS + "a = I('a')")
code("sees, imports in __del__ without a cycle", "import mod\na = mod.I('a')",
     files={"mod.py": IMPORTS})
code("sees, imports in __del__ held by os", IMPORTS + "import os\nos.a = I('a')")
code("sees, open in __del__", "class D:\n def __del__(self):\n"
     "  with open('file', 'w') as f: f.write('text')\nd = D()")
code("sees, globals in __del__", "import json\nx = [1]\nclass D:\n"
     " def __del__(self): print(x, json and json.dumps(x))\nd = D()\nd.d = d")
code("sees, print that was replaced", "import builtins\nreal = print\n"
     "def mine(*a): real('mine', *a)\nbuiltins.print = mine\n" + DEL + "d = D('d')")
code("sees, __import__ that was replaced", "import builtins\nreal = __import__\n"
     "def mine(name, *a):\n print('import', name)\n return real(name, *a)\n"
     "builtins.__import__ = mine\n" + IMPORTS + "d = I('d')")
code("sees, slots", "class D:\n __slots__ = ()\n def __del__(self): print('del')\nd = D()\n"
     "l = [D()]")
code("sees, slots held by os", "import os\nclass D:\n __slots__ = ()\n"
     " def __del__(self): print('del')\nos.d = D()")
code("sees, str with __del__", "class D(str):\n def __del__(self): print('del', self)\nd = D('d')")
code("sees, a metaclass's __del__", "class M(type):\n def __del__(self): print('del', self.__name__)\n"
     "class C(metaclass=M): pass\n")
code("sees, many in order", DEL + "l = [D(n) for n in range(2000)]\nfor d in l: d.l = l")
code("sees, after gc.collect", DEL + "import gc\na = D('a')\na.a = a\ngc.collect()\nb = D('b')\n"
     "b.b = b")
code("sees, gc disabled", DEL + "import gc\ngc.disable()\na = D('a')\na.a = a\ndel a\nb = D('b')")
code("sees, gc frozen", DEL + "import gc\na = D('a')\na.a = a\ngc.freeze()\ndel a\nb = D('b')")
code("sees, gc callbacks", DEL + "import gc\n"
     "gc.callbacks.append(lambda phase, info: print(phase, info['generation']))\na = D('a')")
code("sees, a trace function", DEL + "import sys\n"
     "sys.setprofile(lambda f, e, a: print(e, f.f_code.co_name) if f.f_globals is G else 0)\n"
     "G = globals()\na = D('a')")
code("sees, an audit hook", "import sys\n"
     "def h(e, a):\n if e.startswith('cpython.'): print(e)\nsys.addaudithook(h)")
code("sees, current thread", "import threading\nclass D:\n def __del__(self):\n"
     "  print(threading.current_thread().name, threading.active_count())\nd = D()")
code("sees, forks in __del__", "import os\nclass D:\n def __del__(self, os=os):\n"
     "  print('del', flush=True)\n  pid = os.fork()\n  if pid: print(os.waitpid(pid, 0)[1])\n"
     "d = D()")
code("sees, runs a program in __del__", "import os\nclass D:\n def __del__(self, os=os):\n"
     "  print('del', flush=True)\n  print(os.system('echo program'))\nd = D()")
code("sees, sys.exit in __del__", "import sys\nclass D:\n"
     " def __del__(self): print('del'); sys.exit(3)\nd = D()")
code("sees, os._exit in __del__", "import os\nclass D:\n"
     " def __del__(self, e=os._exit): print('del', flush=True); e(7)\nd = D()")
code("sees, __del__ that is slow to fail", "class D:\n def __del__(self): raise KeyboardInterrupt\n"
     "d = D()\nd.d = d")
code("sees, warns in __del__", "import warnings\nclass D:\n"
     " def __del__(self, w=warnings.warn): w('text')\nd = D()")
code("sees, recursion in __del__", "class D:\n def __del__(self): self.__del__()\nd = D()")
code("sees, MemoryError in __del__", "class D:\n def __del__(self): raise MemoryError\nd = D()")

# ------------------------------------------------------------ unraisable
code("unraisable in __del__", "class D:\n def __del__(self): raise ValueError('v')\nd = D()")
code("unraisable in a cycle", "class D:\n def __del__(self): raise ValueError('v')\nd = D()\nd.d = d")
code("unraisable in os", "import os\nclass D:\n def __del__(self): raise ValueError('v')\nos.d = D()")
code("unraisable, stderr is None", "import sys\nclass D:\n def __del__(self): 1/0\nd = D()\n"
     "sys.stderr = None")
code("unraisable, stderr is closed", "import sys\nclass D:\n def __del__(self): 1/0\nd = D()\n"
     "sys.stderr.close()")
code("unraisable, stderr is replaced", "import io, sys\nclass D:\n def __del__(self): 1/0\nd = D()\n"
     "sys.stderr = io.StringIO()")
code("unraisable, stderr prints to stdout", "import sys\nclass D:\n def __del__(self): 1/0\n"
     "d = D()\nsys.stderr = sys.stdout")
code("unraisable hook at the end", "import sys\nsys.unraisablehook = lambda u: print('hook', u.exc_type)\n"
     "class D:\n def __del__(self): 1/0\nd = D()\nd.d = d")
code("unraisable hook that raises", "import sys\ndef h(u): raise KeyError\nsys.unraisablehook = h\n"
     "class D:\n def __del__(self): 1/0\nd = D()")
code("unraisable hook at atexit", "import atexit, sys\n"
     "sys.unraisablehook = lambda u: print('hook', u.exc_type, u.err_msg)\n"
     "atexit.register(lambda: 1/0)")
code("unraisable, exception whose text fails", "class E(Exception):\n def __str__(self): 1/0\n"
     "class D:\n def __del__(self): raise E\nd = D()")
code("threading.excepthook", "import threading\n"
     "threading.excepthook = lambda a: print('hook', a.exc_type)\n"
     "threading.Thread(target=lambda: 1/0).start()")
code("threading.excepthook that raises", "import threading\ndef h(a): raise KeyError\n"
     "threading.excepthook = h\nthreading.Thread(target=lambda: 1/0).start()")
code("sys.exit in a thread's hook", "import sys, threading\n"
     "threading.excepthook = lambda a: sys.exit(3)\n"
     "threading.Thread(target=lambda: 1/0).start()")

# ------------------------------------------------------------ atexit
code("atexit, order of all", DEL + "import atexit, threading, weakref\n"
     "atexit.register(print, 'one')\nmay = threading.Event()\n"
     "threading._register_atexit(may.set)\nthreading._register_atexit(print, 'threading')\n"
     "d = D('d')\nclass C: pass\nc = C()\nweakref.finalize(c, print, 'finalize')\n"
     "atexit.register(print, 'two')\n"
     "threading.Thread(target=lambda: (may.wait(), print('thread'))).start()")
code("atexit, finalize without", "import weakref\nclass C: pass\nc = C()\n"
     "f = weakref.finalize(c, print, 'finalize')\nf.atexit = False")
code("atexit, finalize in order", "import weakref\nclass C: pass\na, b = C(), C()\n"
     "weakref.finalize(a, print, 'a')\nweakref.finalize(b, print, 'b')")
code("atexit, finalize that raises", "import weakref\nclass C: pass\nc = C()\n"
     "weakref.finalize(c, lambda: 1/0)\nweakref.finalize(c, print, 'second')")
code("atexit, SystemExit and text", "import atexit, sys\natexit.register(sys.exit, 'text')\nsys.exit(2)")
code("atexit, KeyboardInterrupt", "import atexit\ndef f(): raise KeyboardInterrupt\natexit.register(f)")
code("atexit, os._exit", "import atexit, os\natexit.register(os._exit, 5)\nprint('lost', end='')")
code("atexit, unregister within", "import atexit\ndef f(): atexit.unregister(print)\n"
     "atexit.register(print, 1)\natexit.register(f)")
code("atexit, _clear within", "import atexit\natexit.register(print, 1)\n"
     "atexit.register(atexit._clear)\natexit.register(print, 2)")
code("atexit, _run_exitfuncs by hand", "import atexit\natexit.register(print, 1)\n"
     "atexit._run_exitfuncs()\nprint('after')")
code("atexit, starts a thread", "import atexit, threading\n"
     "def f():\n t = threading.Thread(target=print, args=('thread',))\n t.start()\n t.join()\n"
     "atexit.register(f)")
code("atexit, forks", "import atexit, os\ndef f():\n pid = os.fork()\n"
     " if pid: os.waitpid(pid, 0)\n print('child' if not pid else 'parent')\natexit.register(f)")
code("atexit, imports", "import atexit\ndef f():\n import json\n print(json.dumps([1]))\n"
     "atexit.register(f)")
code("atexit, threading's that raises", "import threading\nthreading._register_atexit(lambda: 1/0)")
code("atexit, threading's after the end", "import atexit, threading\n"
     "atexit.register(lambda: threading._register_atexit(print))")
code("atexit, the C library's", "import ctypes\nlibc = ctypes.CDLL(None)\n"
     "buffer = ctypes.create_string_buffer(b'from C\\n')\nlibc.on_exit(libc.puts, buffer)\n"
     "import os\nos.buffer = buffer\nprint('x', flush=True)")
code("atexit, Py_AtExit", "import ctypes\nF = ctypes.CFUNCTYPE(None)\n"
     "ctypes.pythonapi.Py_AtExit(ctypes.cast(ctypes.CDLL(None).tzset, ctypes.c_void_p))")

# ------------------------------------------------------------ generators
GENERATOR = """
def g(name):
    try: yield
    finally: print('closed', name)
"""
code("generator in main", GENERATOR + "a = g('a')\nnext(a)\nb = g('b')")
code("held by os, a generator", GENERATOR + "import os\nos.a = g('a')\nnext(os.a)\nb = g('b')\nnext(b)")
code("generator that yields in finally", "def g():\n try: yield\n finally: yield\na = g()\nnext(a)")
code("generator that swallows", "def g():\n while True:\n  try: yield\n  except GeneratorExit: "
     "print('no'); return\na = g()\nnext(a)")
code("generator in a with", "import contextlib\n@contextlib.contextmanager\ndef c():\n"
     " try: yield\n finally: print('left')\ndef g():\n with c(): yield\na = g()\nnext(a)")
code("generator that raises at the end", "def g():\n try: yield\n finally: 1/0\na = g()\nnext(a)")
code("generator within a generator", GENERATOR + "def h(): yield from g('inner')\na = h()\nnext(a)")
code("context manager entered", "import contextlib\n@contextlib.contextmanager\ndef c():\n"
     " try: yield\n finally: print('left')\nm = c()\nm.__enter__()")
code("ExitStack left open", "import contextlib\ns = contextlib.ExitStack()\ns.callback(print, 'x')")
code("coroutine, never awaited, in os", "import os\nasync def f(): pass\nos.c = f()")
code("coroutine, suspended", "import types\n@types.coroutine\ndef w(): yield\nasync def f():\n"
     " try: await w()\n finally: print('closed')\nc = f()\nc.send(None)")
code("asyncgen left open without a loop", "async def g():\n try: yield 1\n finally: print('closed')\n"
     "a = g()\ntry: a.__anext__().send(None)\nexcept StopIteration: pass")
code("asyncio, a loop left open", "import asyncio\nl = asyncio.new_event_loop()\n"
     "l.run_until_complete(asyncio.sleep(0))")
code("asyncio, a loop left open and set", "import asyncio\nl = asyncio.new_event_loop()\n"
     "asyncio.set_event_loop(l)\nl.call_soon(print, 1)")
code("asyncio, a task that is pending", "import asyncio\nl = asyncio.new_event_loop()\n"
     "async def f():\n try: await asyncio.sleep(9)\n finally: print('closed')\n"
     "t = l.create_task(f())\nl.run_until_complete(asyncio.sleep(0))")
code("asyncio, an exception that nobody takes", "import asyncio\nasync def f(): 1/0\n"
     "async def main():\n global t\n t = asyncio.create_task(f())\n await asyncio.sleep(0)\n"
     "asyncio.run(main())")
code("asyncio, sys.exit within", "import asyncio, sys\nasync def main():\n try: sys.exit(4)\n"
     " finally: print('finally')\nasyncio.run(main())")
code("asyncio, an async generator left open", "import asyncio\nasync def g():\n try:\n"
     "  yield 1\n finally: print('closed')\na = None\nasync def main():\n global a\n a = g()\n"
     " await a.__anext__()\nasyncio.run(main())")

# ------------------------------------------------------------ files and their like
WARN = "import warnings\nwarnings.simplefilter('always')\n"
code("unclosed file warns", WARN + "f = open('file', 'w')\nf.write('text')")
code("unclosed file warns, in a cycle", WARN + "class C: pass\nc = C()\nc.c = c\n"
     "c.f = open('file', 'w')\nc.f.write('text')")
code("unclosed file warns, held by os", WARN + "import os\nos.f = open('file', 'w')\nos.f.write('x')")
code("unclosed file warns as an error", "import warnings\nwarnings.simplefilter('error')\n"
     "f = open('file', 'w')\nf.write('text')")
code("unclosed file warns, filters are the module's", "import warnings\n"
     "warnings.filters[:] = [('always', None, Warning, None, 0)]\nf = open('file', 'w')")
code("unclosed file warns, others are ignored", WARN +
     "warnings.filterwarnings('ignore', 'no such text')\nf = open('file', 'w')")
code("unclosed file, others are ignored", "import warnings\n"
     "warnings.filterwarnings('ignore', 'no such text')\nf = open('file', 'w')")
code("unclosed file warns, within catch_warnings", "import warnings\nw = warnings.catch_warnings()\n"
     "w.__enter__()\nwarnings.simplefilter('always')\nf = open('file', 'w')")
code("unclosed socket warns", WARN + "import socket\ns = socket.socket()")
code("unclosed scandir warns", WARN + "import os\ns = os.scandir('.')", files={"x": "", "y": ""})
code("unclosed scandir warns, held by os", WARN + "import os\nos.s = os.scandir('.')\n"
     "next(os.s)", files={"x": "", "y": ""})
code("unclosed files in order", "a = open('file', 'a')\nb = open('file', 'a')\nb.write('b')\n"
     "a.write('a')")
LEAK = "import ctypes\ndef leak(o): ctypes.pythonapi.Py_IncRef(ctypes.py_object(o)); return o\n"
code("held by C only", DEL + LEAK + "leak(D('x'))")
code("held by C only, from __del__ on", "import ctypes, os\nclass D:\n"
     " def __del__(self, write=os.write): write(1, b'del\\n')\nclass T:\n"
     " def __del__(self, D=D, c=ctypes): c.pythonapi.Py_IncRef(c.py_object(D()))\nt = T()")
code("held by os from __del__ on", DEL + "import os\nclass T:\n"
     " def __del__(self, D=D, os=os): print('T'); os.d = open('file', 'w'); os.d.write('x')\n"
     "t = T()")
code("unclosed file that C holds", LEAK + "f = leak(open('file', 'w'))\nf.write('text')")
code("unclosed file that C holds, and os", LEAK + "import os\nos.f = leak(open('file', 'w'))\n"
     "os.f.write('text')")
code("unclosed file that C holds, and a finalizer", DEL + LEAK + "d = D('d')\n"
     "f = leak(open('file', 'w'))\nf.write('text')")
code("unclosed file in a context", "import contextvars\nv = contextvars.ContextVar('v')\n"
     "v.set(open('file', 'w'))\nv.get().write('text')")
# Machine code that writes the event's name to stdout: write(1, event, strlen(event)).
HOOK = "4889fe31d2803c1700740548ffc2ebf5b801000000bf010000000f0531c0c3"
code("sees, an audit hook of C's", DEL + LEAK + "import mmap\n"
     "m = leak(mmap.mmap(-1, 4096, prot=7))\nm.write(bytes.fromhex('%s'))\n"
     "at = ctypes.addressof(ctypes.c_char.from_buffer(m))\n"
     "ctypes.pythonapi.PySys_AddAuditHook(ctypes.c_void_p(at), None)" % HOOK)
TWO = "a = open('file', 'a')\nb = open('file', 'a')\n"
code("unclosed files in order, in os", "import os\n" + TWO + "os.b, os.a = b, a\n"
     "b.write('b')\na.write('a')\ndel a, b")
code("unclosed files in order, in os and codecs", "import os, codecs\n" + TWO +
     "os.x = a\ncodecs.x = b\nb.write('b')\na.write('a')\ndel a, b")
code("unclosed files in order, in io and sys", "import os, io, sys\n" + TWO +
     "io.x = a\nsys.x = b\nb.write('b')\na.write('a')\ndel a, b")
code("unclosed files in order, in os and main", "import os\n" + TWO + "os.x = a\n"
     "b.write('b')\na.write('a')\ndel a")
code("unclosed files in order, with a finalizer", DEL + "import os, sys\nd = D('d')\n" + TWO +
     "os.x = b\nsys.x = a\nb.write('b')\na.write('a')\ndel a, b")
code("unclosed file in os", "import os\nos.f = open('file', 'w')\nos.f.write('text')")
code("unclosed binary files", "a = open('a', 'wb')\na.write(b'text')\nb = open('b', 'w+b')\n"
     "b.write(b'text')\nc = open('c', 'wb', 0)\nc.write(b'text')")
code("unclosed file of Python code", "import io\nclass F(io.RawIOBase):\n"
     " def close(self): print('close'); super().close()\nf = F()")
code("unclosed file of Python code in os", "import io, os\nclass F(io.RawIOBase):\n"
     " def close(self): print('close'); super().close()\nos.f = F()")
code("unclosed file whose flush fails", "f = open('/dev/full', 'w')\nf.write('text')")
code("unclosed file on a descriptor that is closed", "import os\nf = open('file', 'w')\n"
     "f.write('text')\nos.close(f.fileno())")
code("unclosed file held by a thread", "import threading\ndef f():\n g = open('file', 'w')\n"
     " g.write('text')\n e.set()\n threading.Event().wait()\ne = threading.Event()\n"
     "threading.Thread(target=f, daemon=True).start()\ne.wait()")
code("unclosed zip file", "import zipfile\nz = zipfile.ZipFile('z.zip', 'w')\n"
     "z.writestr(zipfile.ZipInfo('a'), 'text')")
code("unclosed tar file", "import io, tarfile\nt = tarfile.open('t.tar', 'w')\n"
     "t.addfile(tarfile.TarInfo('a'), io.BytesIO())")
code("unclosed bz2 and lzma", "import bz2, lzma\na = bz2.open('a', 'wb')\na.write(b'text')\n"
     "b = lzma.open('b', 'wb')\nb.write(b'text')")
code("unclosed temporary files in os", "import os, tempfile\n"
     "os.f = tempfile.NamedTemporaryFile(dir='.')\nos.d = tempfile.TemporaryDirectory(dir='.')\n"
     "os.t = tempfile.TemporaryFile(dir='.')\nprint(len(os.listdir()))")
code("unclosed temporary folder that warns", WARN + "import re, sys, tempfile\n"
     "warnings.showwarning = lambda m, c, *a: print(c.__name__)\n"
     "d = tempfile.TemporaryDirectory(dir='.')")
code("unclosed database with a journal", "import sqlite3\nc = sqlite3.connect('db')\n"
     "c.execute('pragma journal_mode=wal')\nc.execute('create table t(x)')\nc.commit()")
code("unclosed database with a journal, in os", "import os, sqlite3\nos.c = c = "
     "sqlite3.connect('db')\nc.execute('pragma journal_mode=wal')\n"
     "c.execute('create table t(x)')\nc.commit()\ndel c")
code("unclosed mmap", "import mmap\nf = open('file', 'w+b')\nf.truncate(4096)\n"
     "m = mmap.mmap(f.fileno(), 0)\nm[:4] = b'text'", files={"file": "x" * 4096})
code("unclosed shelf in os", "import os, shelve\nos.s = shelve.open('db')\nos.s['k'] = 1")
code("unclosed logging file", "import logging\nlogging.basicConfig(filename='file')\n"
     "logging.warning('kept')")
code("logging.shutdown's errors", "import logging\nclass H(logging.Handler):\n"
     " def flush(self): print('flush'); raise ValueError\n def close(self): print('close')\n"
     "logging.getLogger().addHandler(H())")
code("logging at atexit", "import atexit, logging\nlogging.basicConfig(filename='file')\n"
     "atexit.register(logging.warning, 'late')")
code("logging in __del__", "import logging\nlogging.basicConfig(filename='file')\nclass D:\n"
     " def __del__(self): logging.warning('late')\nd = D()")
code("stdout held by a class", "import sys\nclass C: out = sys.stdout\nC.out.write('text')\n"
     "sys.stdout = None")
code("stdout whose flush prints", "import sys\nclass O:\n def write(self, t): real.write(t)\n"
     " def flush(self): real.write('flush\\n')\nreal = sys.stdout\nsys.stdout = O()\nprint('x')")
code("stdout whose flush raises", "import sys\nclass O:\n def write(self, t): pass\n"
     " def flush(self): raise ValueError('flush')\nsys.stdout = O()\nprint('x')")
code("stderr whose flush raises", "import sys\nclass O:\n def write(self, t): pass\n"
     " def flush(self): raise ValueError('flush')\nsys.stderr = O()")
code("stdout is full and __del__ prints", DEL + "d = D('d')", before="exec >/dev/full")
code("stdout is closed and __del__ prints", DEL + "import sys\nd = D('d')\nsys.stdout.close()")
code("a pipe that is closed", "import os\nr, w = os.pipe()\nos.dup2(w, 1)\nos.close(w)\nos.close(r)\n"
     "print('x')")

# ------------------------------------------------------------ threads
code("daemon thread that prints", "import threading, time\ndef f():\n"
     " while True: time.sleep(.001); lines.append(1)\nlines = []\n"
     "threading.Thread(target=f, daemon=True).start()\n"
     "while not lines: time.sleep(.001)\nprint(len(lines) > 0)")
code("daemon thread with an object", DEL + "import threading\ndef f():\n d = D('thread')\n e.set()\n"
     " threading.Event().wait()\ne = threading.Event()\n"
     "threading.Thread(target=f, daemon=True).start()\ne.wait()\nd = D('main')")
code("daemon thread with a lock", "import threading\nl = threading.Lock()\ndef f():\n"
     " with l: e.set(); threading.Event().wait()\ne = threading.Event()\n"
     "threading.Thread(target=f, daemon=True).start()\ne.wait()\nprint(l.locked())")
case("daemon thread holds stdout's lock", "-c", "import os, sys, threading, time\n"
     "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
     "r, w = os.pipe()\nos.dup2(w, 1)\nimport fcntl\n"
     "def f(): sys.stdout.buffer.write(b'x' * 200000); sys.stdout.buffer.flush()\n"
     "threading.Thread(target=f, daemon=True).start()\ntime.sleep(.1)\n")
code("daemon thread and thread-local", DEL + "import threading\nl = threading.local()\ndef f():\n"
     " l.d = D('local')\n e.set()\n threading.Event().wait()\ne = threading.Event()\n"
     "threading.Thread(target=f, daemon=True).start()\ne.wait()")
code("daemon thread and sys.exit", "import sys, threading\n"
     "threading.Thread(target=threading.Event().wait, daemon=True).start()\nsys.exit(6)")
code("thread's sys.exit with text", "import sys, threading\n"
     "threading.Thread(target=sys.exit, args=('text',)).start()")
code("thread calls os._exit", "import os, threading, time\n"
     "threading.Thread(target=os._exit, args=(4,)).start()\ntime.sleep(5)")
code("thread outlives main's exception", "import threading, time\n"
     "threading.Thread(target=lambda: (time.sleep(.02), print('thread'))).start()\n1/0")
code("thread interrupts main's join", "import _thread, signal, threading, time\n"
     "def f():\n time.sleep(.1)\n _thread.interrupt_main()\n time.sleep(.1)\n print('thread')\n"
     "threading.Thread(target=f).start()")
code("thread by _thread", "import _thread, time\n"
     "_thread.start_new_thread(lambda: (time.sleep(9), print('lost')), ())\ntime.sleep(.02)\n"
     "print('main')")
code("timer", "import threading\nthreading.Timer(.02, print, ('timer',)).start()")
code("timer that is a daemon", "import threading\nt = threading.Timer(9, print, ('timer',))\n"
     "t.daemon = True\nt.start()")
GUARD = """
import ctypes, threading, time
api, started = ctypes.pythonapi, threading.Event()
api.PyInterpreterGuard_FromCurrent.restype = ctypes.c_void_p
def f(guard):
    started.set(); time.sleep(.1); print('guarded')
    api.PyInterpreterGuard_Close(ctypes.c_void_p(guard))
    threading.Event().wait()
threading.Thread(target=f, args=(api.PyInterpreterGuard_FromCurrent(),), daemon=True).start()
started.wait()
"""
if sys.version_info >= (3, 15):	# PEP 788
    code("thread that holds the end up", GUARD + "print('main')")
    code("thread that holds the end up, object", DEL + GUARD + "d = D('d')")
    code("thread that holds the end up, atexit", GUARD + "import atexit\n"
         "atexit.register(print, 'atexit')")
    code("interrupted while a thread holds the end up", GUARD + "import _thread\n"
         "threading.Timer(.03, _thread.interrupt_main).start()")
code("executor with work that waits", "import concurrent.futures, time\n"
     "p = concurrent.futures.ThreadPoolExecutor(1)\n"
     "for n in range(3): p.submit(lambda n: (time.sleep(.01), print(n)), n)")
code("executor, submit at the end", "import atexit, concurrent.futures\n"
     "p = concurrent.futures.ThreadPoolExecutor(1)\np.submit(print, 1)\ndef f():\n"
     " try: p.submit(print, 2)\n except RuntimeError as e: print(e)\natexit.register(f)")
code("executor, exception that nobody takes", "import concurrent.futures\n"
     "p = concurrent.futures.ThreadPoolExecutor(1)\np.submit(lambda: 1/0)")
code("process executor", "import concurrent.futures, multiprocessing\n"
     "p = concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context('fork'))\n"
     "f = p.submit(len, 'text')\nprint(f.result())")
code("queue of a process", "import multiprocessing as m\nq = m.get_context('fork').Queue()\n"
     "q.put('x' * 10)\nprint(q.get())")
code("queue that nobody reads", "import multiprocessing as m\nq = m.get_context('fork').Queue()\n"
     "q.cancel_join_thread()\nq.put('x' * 10)")
PROCESS = "import multiprocessing, time\nm = multiprocessing.get_context('fork')\n"
code("process that is not joined", PROCESS + "m.Process(target=lambda: (time.sleep(.05), "
     "print('child'))).start()\nprint('main')")
code("process that is a daemon", PROCESS + "p = m.Process(target=time.sleep, args=(9,), daemon=True)\n"
     "p.start()\nprint('main')")
code("process that fails", PROCESS + "def f(): 1/0\np = m.Process(target=f)\np.start()\np.join()\n"
     "print(p.exitcode)")
code("process with a finalizer", DEL + PROCESS + "d = D('d')\np = m.Process(target=print, args=(1,))\n"
     "p.start()\np.join()")
code("pool left open", PROCESS + "p = m.Pool(1)\nprint(p.map(len, ['a']))")
case("process by spawn", "script.py", files={"script.py":
     "import multiprocessing\ndef f(): print('child', __name__)\nif __name__ == '__main__':\n"
     " p = multiprocessing.get_context('spawn').Process(target=f)\n p.start()\n p.join()\n"
     " print(p.exitcode)"})
case("process by forkserver", "script.py", files={"script.py":
     "import multiprocessing\ndef f(): print('child', __name__)\nif __name__ == '__main__':\n"
     " p = multiprocessing.get_context('forkserver').Process(target=f)\n p.start()\n p.join()\n"
     " print(p.exitcode)"})
code("shared memory that leaks", "import os\nfrom multiprocessing import shared_memory\n"
     "s = shared_memory.SharedMemory(create=True, size=10, name=os.path.basename(os.getcwd()))\n"
     "print(bytes(s.buf[:1]))")
code("semaphore that is left", "import multiprocessing\n"
     "s = multiprocessing.get_context('spawn').Semaphore()\nprint(s.acquire())")

# ------------------------------------------------------------ processes and signals
code("exec of itself", "import os, sys\nif 'again' in sys.argv: print('again', os.path.exists('/x'))\n"
     "else:\n print('x', flush=True)\n os.execv(sys.executable, [sys.executable, '-c', "
     "'print(2)', 'again'])")
code("exec keeps no descriptor", "import os\nf = open('file', 'w')\nr, w = os.pipe()\n"
     "print('x', flush=True)\nos.execvp('sh', ['sh', '-c', 'for f in 3 4 5 6 7 8 9; do "
     "[ -e /proc/$$/fd/$f ] && echo $f; done; true'])")
code("exec runs no atexit", "import atexit, os\natexit.register(print, 'lost')\nprint('lost', end='')\n"
     "os.execvp('true', ['true'])")
code("exec that fails", DEL + "import os\nd = D('d')\ntry: os.execv('/no/such', ['x'])\n"
     "except OSError as e: print(e)")
code("fork, child ends by _exit", "import os\npid = os.fork()\nif not pid: os._exit(3)\n"
     "print(os.waitpid(pid, 0)[1] >> 8)")
code("fork, child's finalizers", DEL + "import os\nd = D('d')\npid = os.fork()\n"
     "if pid: print(os.waitpid(pid, 0)[1])")
code("fork, child raises", "import os\npid = os.fork()\nif not pid: 1/0\n"
     "print(os.waitpid(pid, 0)[1] >> 8)")
code("fork in a thread, finalizers", DEL + "import os, threading\nd = D('d')\ndef f():\n"
     " pid = os.fork()\n if pid: print(os.waitpid(pid, 0)[1])\nt = threading.Thread(target=f)\n"
     "t.start()\nt.join()")
code("Popen left", "import subprocess\np = subprocess.Popen(['true'])\np.wait()")
code("Popen left, running", "import subprocess\np = subprocess.Popen(['sleep', '0.05'])")
code("Popen with a pipe left", "import subprocess\n"
     "p = subprocess.Popen(['cat'], stdin=subprocess.PIPE)\np.stdin.write(b'text\\n')")
code("signal in __del__", "import os, signal\nsignal.signal(signal.SIGUSR1, lambda *a: print('lost'))\n"
     "class D:\n def __del__(self, kill=os.kill, pid=os.getpid()): kill(pid, signal.SIGUSR1)\n"
     "d = D()")
code("signal at atexit", "import atexit, os, signal\n"
     "signal.signal(signal.SIGUSR1, lambda *a: print('handled'))\n"
     "atexit.register(os.kill, os.getpid(), signal.SIGUSR1)")
code("signal handler raises at atexit", "import atexit, os, signal\ndef h(*a): raise ValueError('h')\n"
     "signal.signal(signal.SIGUSR1, h)\natexit.register(os.kill, os.getpid(), signal.SIGUSR1)")
code("SIGTERM handled by sys.exit", "import os, signal, sys\n"
     "signal.signal(signal.SIGTERM, lambda *a: sys.exit(8))\nos.kill(os.getpid(), signal.SIGTERM)")
code("alarm that is pending", "import signal\nsignal.signal(signal.SIGALRM, lambda *a: print(1))\n"
     "signal.setitimer(signal.ITIMER_REAL, 9)")
code("faulthandler's timer", "import faulthandler\nfaulthandler.dump_traceback_later(9)")
code("a daemon thread's local", DEL + "import threading\nl, ready = threading.local(), threading.Event()\n"
     "def f():\n l.x = D('local')\n ready.set()\n threading.Event().wait()\n"
     "threading.Thread(target=f, daemon=True).start()\nready.wait()\nd = D('main')")
# A finalizer wakes it and gives the GIL away. The thread has globals of its own, so
# that __main__ goes; it is none of threading's, whose objects ask for the full end.
code("a daemon thread stops", "import _thread, os, time\nran, (r, w) = [], os.pipe()\n"
     "def f(read, r, ran):\n read(r, 1)\n ran.append('on')\n"
     "_thread.start_new_thread(type(f)(f.__code__, {}), (os.read, r, ran))\n"
     "class D:\n def __del__(self, ran=ran, w=w, os=os, sleep=time.sleep, show=print):\n"
     "  os.write(w, b'.')\n  sleep(.3)\n  show('it ran', ran)\nd = D()")
# 3.15 goes on until no thread, function or call has come while it waited for others.
if sys.version_info >= (3, 15):
    code("atexit starts a thread", "import atexit, threading, time\ndef f():\n"
         " time.sleep(.05)\n print('thread')\n atexit.register(print, 'again')\n"
         "def start(): threading.Thread(target=f).start()\natexit.register(start)")
    code("atexit starts a thread, an object", DEL + "import atexit, os, threading, time\n"
         "os.d = d = D('d')\ndef f():\n time.sleep(.05)\n print('thread')\n"
         " atexit.register(print, 'again')\n"
         "def start(): threading.Thread(target=f).start()\natexit.register(start)")
    code("a join that fails at the end", DEL + "import _thread, atexit, os, threading, time\n"
         "os.d = d = D('d')\natexit.register(print, 'atexit')\n"
         "threading._register_atexit(lambda: 1/0)\n"
         "threading.Thread(target=time.sleep, args=(600,)).start()")
code("subinterpreter", "import " + lib.INTERPRETERS + " as i\nn = i.create()\n"
     "i.run_string(n, 'print(1)')\ni.destroy(n)")
code("subinterpreter with a finalizer", "import " + lib.INTERPRETERS + " as i\nn = i.create()\n"
     "i.run_string(n, '''class D:\n def __del__(self): print('del')\nd = D()''')\ni.destroy(n)")
code("ctypes callback left", "import ctypes\nF = ctypes.CFUNCTYPE(ctypes.c_int)\nf = F(lambda: 1)\n"
     "print(f())")
code("ctypes calls exit", "import ctypes\nprint('lost', end='')\nctypes.CDLL(None).exit(3)")
code("ctypes calls Py_Exit", "import ctypes\nprint('x', end='')\nctypes.pythonapi.Py_Exit(3)")
code("ctypes calls Py_FinalizeEx", DEL + "import ctypes, os\nd = D('d')\n"
     "os.d = D('os')\nctypes.PyDLL(None).Py_Exit(4)")
code("recursion at the end", "import atexit\ndef f(): f()\natexit.register(f)")
code("deep structure at the end", "l = []\nfor n in range(200000): l = [l]")
code("SystemExit with an object", DEL + "import sys\nsys.exit(D('d'))")
code("a cycle of __main__'s at sys.exit", DEL + "import sys\nd = D('d')\nd.d = d\nsys.exit()")
code("SystemExit within SystemExit", "import sys\ntry: sys.exit(1)\nfinally: sys.exit(2)")
code("excepthook that holds", DEL + "import sys\nd = D('d')\n"
     "def h(*a): print('hook', d.name)\nsys.excepthook = h\n1/0")


# The test set's own warm-up left a file open, of which these warn, too; and what
# is still importable at the end depends on what was imported before.
NOT_STDLIB = ("held by", "sees", "unclosed file warns", "unclosed socket warns",
              "unclosed scandir warns", "unclosed temporary folder that warns",
              "ctypes calls")


# ------------------------------------------------------------ the same imports
def site(name, text):
    """A home folder whose user site runs the text before the program."""
    home = lib.folder(name)
    where = home + lib.USER_SITE
    os.makedirs(where)
    lib.write(where + "/usercustomize.py", text)
    return home


def outcomes(path, home, c, full=True):
    """Of python3 with that home, of an image, and of it under full."""
    command = lib.WAYS["kernel"](path)
    rows = [([lib.PYTHON], {"HOME": home}), (command, {}),
            (command, {"PYIMAGE_FINALIZE": "full"})]
    return [outcome(with_, {**c, "env": {**c["env"], **env}})
            for with_, env in rows[:2 + full]]


def as_imported():
    """The set's imports, without its warm-ups, against python3 that imported them."""
    imports, _ = lib.SETS["stdlib"]
    path = os.path.join(lib.folder("imports"), "image")
    equal(lib.build(path, imports).status, 0)
    home = site("imported", "import " + ", ".join(imports))
    for name, c in CASES.items():
        # its order tells when the collector ran, to the object
        if name.startswith(("held by", "sees")) and name.endswith("-c") and \
                not name.startswith("sees, many"):
            want, fast = outcomes(path, home, c, full=False)
            tap.run(name + " (as imported)", lambda: compare(fast, want))


def with_warnings():
    """Images that show ResourceWarning from their start on."""
    for option in "-X dev", "-Wd", "-Wi":
        path = os.path.join(lib.folder("warnings"), "image")
        equal(lib.build(path, options=["--python-option", option]).status, 0, option)
        for text in ("f = open('/dev/null')", "import os; os.f = open('/dev/null')", "pass",
                     "import os; os.s = os.scandir('/'); next(os.s)"):
            c = dict(args=("-c", text), files={}, stdin=b"", env={}, before="", cwd=".")
            want = outcome([lib.PYTHON, *option.split(" ")], c)
            equal(b"unclosed" in want[2], option != "-Wi" and text != "pass", want)
            tap.run("built with %s, %s" % (option, text),
                    lambda: compare(outcome(lib.WAYS["kernel"](path), c), want))


def ignoring():
    """Filters that ignore some warnings show none: the end stays the fast one."""
    text = "import warnings; warnings.simplefilter('ignore', lineno=99)"
    faults = []
    for code in "pass", text, "import warnings; warnings.simplefilter('always')":
        command = [*lib.WAYS["kernel"](lib.image("bare")), "-c", code]
        pid = os.posix_spawn(command[0], command, lib.ENV)
        _, status, usage = os.wait4(pid, 0)
        equal(status, 0)
        faults.append(usage.ru_minflt)
    that(faults[1] < faults[2] / 2, faults)


def many_objects():
    """The end takes no memory of its own for them."""
    text = DEL + "l = [[] for n in range(2000000)]\nd = D('d')\n"
    peaks = []
    for command in [lib.PYTHON], lib.WAYS["kernel"](lib.image("bare")):
        pid = os.posix_spawn(command[0], [*command, "-c", text], lib.ENV, file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
        _, status, usage = os.wait4(pid, 0)
        equal(status, 0)
        peaks.append(usage.ru_maxrss)
    that(peaks[1] < peaks[0] * 1.25, peaks)


def entered_again():
    """What python3 dies of: a function of atexit's that ends the interpreter."""
    text = ("import atexit, ctypes\ndef f(): print('f', flush=True); "
            "print(ctypes.pythonapi.Py_FinalizeEx(), flush=True)\natexit.register(f)")
    got = lib.run([*lib.WAYS["kernel"](lib.image("bare")), "-c", text])
    equal(got, (0, b"f\n0\n", b""))


def seen_by_c():
    """Code that runs in exit(3) (destructors, greenlet's thread states) looks whether
    there is an interpreter: python3 has none by then."""
    text = "import ctypes; ctypes.CDLL(%r).probe_tell_interpreter_at_exit()" % (
        os.path.dirname(lib.PY) + "/lib/probe.so")
    want = lib.run([lib.PYTHON, "-c", text])
    equal(want, (0, b"no interpreter, not initialised\n", b""), "python3")
    for more in "", "\n" + DEL + "d = D('d')":
        want = lib.run([lib.PYTHON, "-c", text + more])
        for way, command in lib.WAYS.items():
            got = lib.run([*command(lib.image("bare")), "-c", text + more])
            equal(got, want, way)


# ------------------------------------------------------------ full
def frozen_objects():
    """Objects of a warm-up are destroyed under full only, as python3 does it."""
    path = os.path.join(lib.folder("end"), "image")
    built = lib.build(path, [], ["frozen_end.py"])
    equal(built.status, 0, built.err.decode())
    home = site("end", lib.read(lib.PY + "/frozen_end.py").decode())
    for name, text in {
            "nothing": "pass", "an exception": "1/0", "sys.exit": "import sys; sys.exit(3)",
            "a thread": "import threading; threading.Thread(target=print, args=(1,)).start()",
            "an object of its own": "import frozen_end as f; f.more = f.Frozen(b'mine')",
            "one dropped": "import frozen_end as f; del f.cycle, f.thing",
            "a function dropped": "import os; del os.walk",
            "print": DEL + "d = D('d')"}.items():
        c = dict(args=("-c", text), files={}, stdin=b"", env={}, before="", cwd=".")
        want, fast, full = outcomes(path, home, c)
        tap.run("frozen objects, %s (full)" % name, lambda: compare(full, want))
        if name == "nothing":
            equal(want[1].count(b"del"), 5, want[1])
            equal(fast[1], b"atexit\nfinalize\n", "the fast end")


def types_of_c():
    """C code that frees an object finds its type there, though no count tells that the
    object holds it. sys's names go last."""
    path = os.path.join(lib.folder("end"), "image")
    built = lib.build(path, [], ["c_types.py"])
    equal(built.status, 0, built.err.decode())
    for name in "Plain", "Collected":
        text = "import c_types, sys; sys.one, sys.two = c_types.%s(), c_types.%s()" % (name, name)
        plain = "exec(compile(open(%r).read(), %r, 'exec')); " % ((lib.PY + "/c_types.py",) * 2)
        want = lib.run([lib.PYTHON, "-c", plain + text])
        equal(want, (0, b"freed\n" * 2, b""), "python3")
        for way, command in lib.WAYS.items():
            got = lib.run([*command(path), "-c", text], env={"PYIMAGE_FINALIZE": "full"})
            equal(got, want, "%s, by %s" % (name, way))


FULL = {
    "numpy": "import numpy as n; a = n.arange(3); print(a.sum()); n.kept = a",
    "pandas": "import pandas as p; d = p.DataFrame({'a': [1]}); print(d.a.sum())",
    "gi": "from gi.repository import GLib; v = GLib.Variant('i', 5); print(v.unpack())",
    "stdlib": "import ssl, sqlite3, ctypes; c = ssl.create_default_context(); print(5)",
}


def full_of(name):
    """The whole of a large image can be finalised: nothing is said, or crashes."""
    command = lib.WAYS["kernel"](lib.image(name))
    for end, status in ("", 0), ("\nraise SystemExit(3)", 3):
        text = DEL + FULL[name] + "\nimport atexit; atexit.register(print, 'atexit')" \
            "\nimport os; os.d = D('os')" + end
        got = lib.run([*command, "-c", text], env={"PYIMAGE_FINALIZE": "full"})
        equal((got.status, got.err), (status, b""))
        that(got.out.splitlines()[1:] == [b"atexit", b"del os"], got.out)


def bad_value():
    for way, command in lib.WAYS.items():
        for value, status in ("", 0), ("fast", 0), ("full", 0), ("FULL", 2), ("1", 2):
            got = lib.run([*command(lib.image("bare")), "-c", "pass"],
                          env={"PYIMAGE_FINALIZE": value})
            equal((got.status, b"PYIMAGE_FINALIZE" in got.err), (status, status != 0), way)


def has(package):
    return lib.run([lib.PYTHON, "-c", "import " + package]).status == 0


def main():
    kernel = lib.WAYS["kernel"]
    bare = kernel(lib.image("bare"))
    targets = {"bare": bare, "stdlib": kernel(lib.image("stdlib")),
               "bare, full": (bare, {"PYIMAGE_FINALIZE": "full"})}

    def wanted(name, target):
        """FILE differs from -c in the fast end at most."""
        if target == "bare":
            return True
        return name.endswith("-c") and not (
            target == "stdlib" and name.startswith(NOT_STDLIB))

    compare_all(targets, wanted)
    if not sys.argv[1:]:
        as_imported()
        with_warnings()
    frozen_objects()
    tap.run("types that C code made (full)", types_of_c)
    tap.run("PYIMAGE_FINALIZE", bad_value)
    tap.run("atexit, Py_FinalizeEx", entered_again)
    tap.run("filters that ignore", ignoring)
    tap.run("what C code finds in exit(3)", seen_by_c)
    tap.run("many objects", many_objects)
    for name in FULL:
        if name in ("stdlib", *filter(has, FULL)):
            tap.run(name + " (full)", lambda: full_of(name))
        else:
            tap.skip(name + " (full)", "no %s for %s" % (name, lib.PYTHON))
    clean()
    tap.done()


if __name__ == "__main__":
    main()
