"""GLib through gi, and dbus, after a restore."""
import sys
import types


def arrange():
    import dbus
    import dbus.mainloop.glib
    import dbus.service
    import gi
    from gi.repository import GLib, GObject

    m = sys.modules["frozen_gi"] = types.ModuleType("frozen_gi")
    m.version = gi.__version__

    class Thing(GObject.Object):
        __gsignals__ = {"changed": (GObject.SignalFlags.RUN_FIRST, None, (int,))}
        name = GObject.Property(type=str, default="none")

    class Service(dbus.service.Object):
        @dbus.service.method("org.example.Echo", in_signature="s", out_signature="s")
        def Echo(self, text):
            return text.upper()

        @dbus.service.method("org.example.Echo")
        def Quit(self):
            m.quit()

    m.Thing, m.Service, m.thing = Thing, Service, Thing()
    m.heard = []
    m.thing.connect("changed", lambda thing, n: m.heard.append(n))
    m.variant = GLib.Variant("(si)", ("text", 5))


def check(m):
    import os
    import subprocess
    import threading

    import dbus
    import dbus.bus
    import dbus.mainloop.glib
    from gi.repository import GLib
    from tap import done, equal, test, that

    @test
    def frozen_objects_and_signals():
        m.thing.emit("changed", 3)
        m.thing.name = "set"
        equal((m.heard, m.thing.name), ([3], "set"))
        equal(m.variant.unpack(), ("text", 5))
        new = m.Thing()
        got = []
        new.connect("notify::name", lambda thing, spec: got.append(thing.name))
        new.name = "new"
        equal(got, ["new"])

    @test
    def a_main_loop():
        loop, seen = GLib.MainLoop(), []

        def timeout():
            seen.append("timeout")
            loop.quit()
            return False

        def idle():
            seen.append("idle")
            GLib.timeout_add(1, timeout)
            return False

        GLib.idle_add(idle)
        loop.run()
        equal(seen, ["idle", "timeout"])

    @test
    def descriptors_in_the_main_loop():
        loop, got = GLib.MainLoop(), []
        r, w = os.pipe()

        def readable(fd, condition):
            got.append(os.read(fd, 100))
            loop.quit()
            return False

        GLib.io_add_watch(r, GLib.IO_IN, readable)
        threading.Thread(target=os.write, args=(w, b"data")).start()
        loop.run()
        os.close(r)
        os.close(w)
        equal(got, [b"data"])

    @test
    def a_child_of_the_main_loop():
        loop, got = GLib.MainLoop(), []

        def ended(pid, status):
            got.append(os.waitstatus_to_exitcode(status))
            loop.quit()

        pid, *_ = GLib.spawn_async(["/bin/sh", "-c", "exit 4"],
                                   flags=GLib.SpawnFlags.DO_NOT_REAP_CHILD)
        GLib.child_watch_add(GLib.PRIORITY_DEFAULT, pid, ended)
        loop.run()
        equal(got, [4])

    @test
    def glib_s_own_functions():
        equal(GLib.base64_encode(b"abc"), "YWJj")
        that(GLib.DateTime.new_now_utc().get_year() > 2000, "year")
        file = GLib.KeyFile()
        file.load_from_data("[g]\nk=1\n", 8, GLib.KeyFileFlags.NONE)
        equal(file.get_integer("g", "k"), 1)
        try:
            file.get_integer("g", "none")
        except GLib.Error as error:
            that(error.message, "message")
        else:
            that(False, "no GLib.Error")
        from gi.repository import Gio
        equal(Gio.File.new_for_path("/tmp/x").get_basename(), "x")

    @test
    def a_service_on_a_bus():
        bus = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address",
             "--address=unix:tmpdir=/tmp"],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.PIPE, text=True)
        try:
            address = bus.stdout.readline().strip()
            that(address, "dbus-daemon gave no address")
            dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
            connection = dbus.bus.BusConnection(address)
            name = dbus.service.BusName("org.example.Echo", connection)
            service = m.Service(connection, "/echo")
            loop = GLib.MainLoop()
            m.quit = loop.quit
            client = subprocess.Popen(
                ["/usr/bin/python3", "-c",
                 "import dbus.bus, sys\n"
                 "b = dbus.bus.BusConnection(sys.argv[1])\n"
                 "i = dbus.Interface(b.get_object('org.example.Echo', '/echo'),"
                 " 'org.example.Echo')\n"
                 "print(i.Echo('hello'))\n"
                 "i.Quit()\n", address], stdout=subprocess.PIPE, text=True)
            GLib.child_watch_add(GLib.PRIORITY_LOW, client.pid, lambda *a: loop.quit())
            loop.run()
            equal(client.stdout.read(), "HELLO\n")
            client.stdout.close()
            service.remove_from_connection()
            del name
            connection.close()
        finally:
            bus.terminate()
            bus.wait()
            bus.stdout.close()

    done()


if "frozen_gi" in sys.modules:
    check(sys.modules["frozen_gi"])
else:
    arrange()
