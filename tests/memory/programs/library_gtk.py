"""GTK 3 and D-Bus: a window that is shown, and a name on the session's bus. There is
neither a display nor a bus before the freeze or the fork."""
import os

import gi
gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from gi.repository import Gdk, GLib, Gtk, Pango
import dbus
import dbus.mainloop.glib
import dbus.service


class Service(dbus.service.Object):
    @dbus.service.method("org.example.Program", out_signature="i")
    def Number(self):
        return os.getpid()


class Program:
    def __init__(self):
        self.window = Gtk.Window(title="Fruits", default_width=320, default_height=200)
        self.label = Gtk.Label(label="Nothing", ellipsize=Pango.EllipsizeMode.END)
        self.list = Gtk.ListBox()
        for fruit in "apple", "banana", "cherry":
            self.list.add(Gtk.Label(label=fruit, xalign=0))
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        for child in self.label, self.list, Gtk.Button(label="Clear"):
            box.pack_start(child, child is self.list, True, 0)
        self.window.add(box)
        self.window.connect("map-event", lambda *rest: Gtk.main_quit())
        self.window.show_all()
        Gtk.main()
        self.bus = dbus.SessionBus()
        self.name = dbus.service.BusName("org.example.Program%d" % os.getpid(), self.bus)
        self.service = Service(self.name, "/program")
        settle()


def settle():
    while Gtk.events_pending():
        Gtk.main_iteration()


def start():
    """The connections: an image opens the display where it is imported."""
    from gi.repository import Gtk
    if not Gdk.Display.get_default():	# in a child of a fork server
        gi.overrides.Gtk.initialized, _ = Gtk.init_check([])
    dbus.SessionBus(mainloop=dbus.mainloop.glib.DBusGMainLoop())


def warm():
    """Without a display."""
    table = Gtk.ListStore(int, str)
    for n in range(200):
        table.append([n, "row %d" % n])
    return table, GLib.Variant("a{sv}", {"rows": GLib.Variant("i", len(table))}).print_(True)


def task():
    program = Program()
    text = Gtk.TextBuffer()
    text.set_text("\n".join("line %d" % n for n in range(200)))
    program.label.set_text("%d lines" % text.get_line_count())
    program.list.select_row(program.list.get_row_at_index(1))
    settle()
    return program, warm(), text, program.bus.name_has_owner(program.name.get_name())


def answer(number):
    """The number, after a detour."""
    return str(Gtk.Adjustment(value=number, lower=0, upper=1e9).get_value())[:-2]
