"""What a program sees when it lets frozen objects go: the same as in python3, though
most of what is frozen has no reference count in an image. `arrange()` is the warm-up
file's part, before the freeze."""
import sys
import types


def arrange():
    import contextlib
    import functools
    import os
    import weakref

    m = sys.modules["frozen_lasting"] = types.ModuleType("frozen_lasting")
    m.ended = []
    note = m.ended.append

    class Ending:
        def __init__(self, name, **names):
            self.name = name
            self.__dict__.update(names)

        def __del__(self):
            note(self.name)

    class Plain:
        pass

    class Slots:
        __slots__ = "held", "__weakref__"

    def closure(held):
        return lambda: held

    def default(held=Ending("a default")):
        return held

    def keyword(*, held=Ending("a keyword's default")):
        return held

    def attribute():
        pass

    attribute.held = Ending("a function's attribute")

    def waits(name):
        try:
            yield
        finally:
            note(name)

    @contextlib.contextmanager
    def manager(name):
        with contextlib.ExitStack() as stack:
            stack.callback(note, name)
            yield

    def counter():
        kept = None

        def keep(value):
            nonlocal kept
            kept = value
        return keep

    def plain(**names):
        made = Plain()
        made.__dict__.update(names)
        return made

    slots = Slots()
    slots.held = Ending("a slot")
    holder = type("Holder", (), {"held": Ending("a class attribute")})
    m.Ending, m.Plain, m.Holder, m.counter = Ending, Plain, holder, counter()
    m.direct = {
        "a global": Ending("a global"),
        "a list": [Ending("a list")],
        "a dict": {"key": Ending("a dict")},
        "a set": {Ending("a set")},
        "a tuple": (Ending("a tuple"),),
        "a tuple in a tuple": ("text", (1, (Ending("a tuple in a tuple"),))),
        "a frozenset": frozenset([Ending("a frozenset")]),
        "an instance": plain(held=Ending("an instance")),
        "a slot": slots,
        "a closure": closure(Ending("a closure")),
        "a closure's list": closure([Ending("a closure's list")]),
        "a closure in a closure": closure(closure(Ending("a closure in a closure"))),
        "a default": default,
        "a keyword's default": keyword,
        "a function's attribute": attribute,
        "a method": Ending("a method").__init__,
        "a partial": functools.partial(print, Ending("a partial")),
        "a property": property(closure(Ending("a property"))),
        "a static method": staticmethod(closure(Ending("a static method"))),
        "a slice": slice(Ending("a slice"), None),
        "an alias": list[Ending("an alias")],
        "an iterator": iter([Ending("an iterator")]),
        "a wrapper": functools.wraps(print)(closure(Ending("a wrapper"))),
    }
    del default, keyword, attribute, slots
    for name, value in m.direct.items():
        setattr(m, name, value)
    m.direct = list(m.direct)
    m.generator = waits("a generator")
    next(m.generator)
    m.context = manager("a context")
    m.context.__enter__()
    m.weak = Plain()
    m.weak_set = weakref.WeakSet([m.weak])
    m.reference = weakref.ref(m.weak, lambda _: note("a weak reference"))
    m.function = closure(1)
    m.function_reference = weakref.ref(m.function, lambda _: note("a function's"))
    for name, value in (("set", frozenset(["a", 1000])), ("code", compile("1", "c", "eval")),
                        ("call", compile("1", "c", "eval").replace)):
        setattr(m, "told_" + name, value)
        setattr(m, name + "_reference", weakref.ref(value, lambda _, name=name: note(name)))
    del value
    m.final = Plain()
    weakref.finalize(m.final, note, "a finalize")
    m.later = Plain()
    m.list, m.dict, m.instance, m.cell = [], {}, Plain(), closure([])
    here = os.path.dirname(os.path.abspath(sys._getframe().f_code.co_filename))
    m.file = open(here + "/lines.txt")
    m.large = bytes(1 << 23)
    m.large_number = 1 << (1 << 26)


def check(m):
    import gc
    import os
    import weakref

    from tap import done, equal, test, that

    def ended():
        got = m.ended[:]
        m.ended.clear()
        return got

    def mapped():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")

    @test
    def nothing_has_ended_yet():
        equal(ended(), [])

    for name in m.direct:
        def lets_go(name=name):
            delattr(m, name)
            equal(ended(), [name])
        lets_go.__name__ = name.replace(" ", "_").replace("'", "_") + "_lets_go"
        test(lets_go)

    @test
    def a_generator_that_waits_runs_to_its_end():
        m.generator = None
        equal(ended(), ["a generator"])
        m.context = None
        equal(ended(), ["a context"])

    @test
    def weak_references_are_told():
        m.weak = None
        equal(ended(), ["a weak reference"])
        equal((m.reference(), len(m.weak_set)), (None, 0))
        m.final = None
        equal(ended(), ["a finalize"])
        m.function = None
        equal(ended(), ["a function's"])
        equal(m.function_reference(), None)
        for name in "set", "code", "call":
            setattr(m, "told_" + name, None)
            equal((ended(), getattr(m, name + "_reference")()), ([name], None))

    @test
    def weak_references_that_are_made_now_are_told():
        reference = weakref.ref(m.later, lambda _: m.ended.append("later"))
        m.later = None
        equal((ended(), reference()), (["later"], None))

    @test
    def what_frozen_containers_were_given_goes_with_them():
        m.list.append(m.Ending("in a list"))
        m.list = None
        m.dict[1] = m.Ending("in a dict")
        m.dict = None
        m.instance.held = m.Ending("in an instance")
        m.instance = None
        m.cell().append(m.Ending("in a closure's list"))
        m.cell().clear()
        equal(ended(), ["in a list", "in a dict", "in an instance", "in a closure's list"])

    @test
    def what_a_name_or_a_cell_held_goes_when_it_gets_another():
        m.Holder.held = None
        equal(ended(), ["a class attribute"])
        m.Holder.held = m.Ending("another")
        del m.Holder.held
        m.counter(m.Ending("a cell's"))
        m.counter(None)
        m.new = m.Ending("new")
        m.new = None
        equal(ended(), ["another", "a cell's", "new"])

    @test
    def files_are_closed():
        number = m.file.fileno()
        m.file = None
        try:
            os.fstat(number)
        except OSError:
            return
        that(False, "descriptor %d is open" % number)

    @test
    def large_memory_goes_back():
        for name in "large", "large_number":
            before = mapped()
            setattr(m, name, None)
            that(before - mapped() >= 1 << 23, "%s: only %d bytes went" % (
                name, before - mapped()))

    @test
    def a_new_cycle_with_frozen_objects_is_collected():
        cycle = m.Ending("a cycle", function=m.counter, module=m, kind=m.Ending)
        cycle.self = cycle
        m.Plain.held = cycle
        del m.Plain.held
        del cycle
        equal(ended(), [])
        gc.collect()
        equal(ended(), ["a cycle"])

    @test
    def classes_can_be_derived_and_the_derived_goes():
        kind = type("Derived", (m.Plain,), {})
        reference = weakref.ref(kind)
        del kind
        gc.collect()
        equal((reference(), m.Plain.__subclasses__()), (None, []))

    @test
    def counts_of_what_may_go_are_as_in_python3():
        mine = m.Plain()
        before = sys.getrefcount(mine)      # a local variable counts or not
        m.given = mine
        equal((before <= 2, sys.getrefcount(mine) - before), (True, 1))
        that(sys.getrefcount(m.Ending) > 1, "a class has no reference")

    done()


if "frozen_lasting" in sys.modules:
    check(sys.modules["frozen_lasting"])
else:
    arrange()
