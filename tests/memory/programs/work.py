"""What each measured process does. It stops three times, idle, after a job, after a
collection, says so on standard output, and waits for a byte on standard input.

A library has a module of its own here, library_NAME: what its import does is done
before the freeze or the fork, start() by each process, task() is part of the job."""
import gc
import importlib
import json
import os
import re

SMALL = 512	# bytes, Objects/obmalloc.c: SMALL_REQUEST_THRESHOLD
WARM = 10	# runs of the job that make its bytecode and caches final


def library(name):
    return importlib.import_module("library_" + name)


def job(task):
    """JSON, a regular expression, a sort, something of the library. All that it makes
    stays, so that no allocator can give it back before it is looked at."""
    text = json.dumps([{"id": n, "name": "name %d" % n, "tags": ["x", str(n % 7)],
                        "value": n / 3} for n in range(300)])
    rows = json.loads(text)
    found = re.findall(r'"name": "(name \d+)"', text)
    rows.sort(key=lambda row: (row["tags"][1], -row["value"]))
    return text, rows, found, task()


def warm(name):
    """Before a freeze or a fork."""
    task = getattr(library(name), "warm", library(name).task)
    for _ in range(WARM):
        job(task)


def learn(name, variables):
    """In a restored process: what the job writes, for --pack. `variables` are those of
    a session."""
    os.environ.update(variables)
    module = library(name)
    module.start()
    return job(module.task)


def stop():
    os.write(1, b".")
    if not os.read(0, 1):
        os._exit(0)


def run(name):
    module = library(name)
    module.start()
    stop()
    kept = job(module.task)
    stop()
    gc.collect()
    stop()
    del kept


def live(name):
    """Answers each byte with its number and what the library makes of it."""
    module = library(name)
    module.start()
    os.write(1, b".")
    while os.read(0, 1):
        os.write(1, b"%d %s\n" % (os.getpid(), module.answer(os.getpid()).encode()))


def close(pairs):
    for pair in pairs:
        for descriptor in pair:
            os.close(descriptor)


def zygote(name, freeze, pairs, variables):
    """A fork server: a child for each pair of descriptors. With `freeze` as the
    documentation of gc.freeze() has it."""
    if freeze:
        gc.disable()
    warm(name)
    if freeze:
        gc.freeze()
    for pair in pairs:
        if os.fork():
            continue
        gc.enable()
        os.environ.update(variables)
        for number, descriptor in enumerate(pair):
            os.dup2(descriptor, number)
        close(pairs)
        run(name)
        os._exit(0)
    close(pairs)
    for _ in pairs:
        os.wait()


def prepared(name):
    """The library's task, in an ordinary process that filled all caches."""
    warm(name)
    module = library(name)
    module.start()
    gc.collect()
    return module.task


def python_blocks(name):
    """Prints two numbers of bytes that the job allocates by Python's allocators: in
    small blocks that it holds at its end, which lie in arenas and not in the C heap;
    and of all sizes, the most at once."""
    import tracemalloc
    task = prepared(name)
    tracemalloc.start()
    kept = job(task)
    peak = tracemalloc.get_traced_memory()[1]
    traces = tracemalloc.take_snapshot().traces
    print(sum(trace.size for trace in traces if trace.size <= SMALL), peak)
    del kept


def c_heap(name):
    """Prints by how many bytes the job makes the C heap grow: mallinfo2(3). All other
    memory of Python's is there, and that of C libraries."""
    import ctypes

    class Sizes(ctypes.Structure):
        _fields_ = [(field, ctypes.c_size_t) for field in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks",
            "uordblks", "fordblks", "keepcost")]

    ask = ctypes.CDLL(None).mallinfo2
    ask.restype = Sizes

    def used():
        sizes = ask()
        return sizes.uordblks + sizes.hblkhd

    task = prepared(name)
    before = used()
    kept = job(task)
    print(used() - before)
    del kept
