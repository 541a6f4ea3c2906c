"""A desktop program: GTK 3, a name on the session bus with a method, started where
there is neither a display nor a bus while the image is built."""
import contextlib
import os
import re

from workloads import PYTHON, write
from workloads import _desktop

PACKAGES = "gir1.2-gtk-3.0 python3-gi python3-dbus dbus dbus-daemon xvfb x11-utils"
ENV = {}

IMPORTS = """import gi
gi.require_version("Gtk", "3.0")
from gi.repository import Gtk, Gdk, Gio, GLib, Pango
import dbus
import dbus.mainloop.glib
import dbus.service
"""

APP = '''import sys
%s

FRUITS = "apple", "banana", "cherry"


class Window(Gtk.Window):
    def __init__(self, title):
        super().__init__(title=title)
        self.set_default_size(320, 200)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6, margin=6)
        self.label = Gtk.Label(label="Nothing chosen", ellipsize=Pango.EllipsizeMode.END)
        self.button = Gtk.Button(label="Clear")
        self.button.connect("clicked", lambda button: self.label.set_text("Cleared"))
        self.list = Gtk.ListBox()
        for fruit in FRUITS:
            self.list.add(Gtk.Label(label=fruit, xalign=0))
        self.list.connect("row-selected", self.chosen)
        for child in self.label, self.list, self.button:
            box.pack_start(child, child is self.list, True, 0)
        self.add(box)

    def chosen(self, rows, row):
        self.label.set_text("Chosen: " + row.get_child().get_text())


class Program:
    """What both ways to be on the bus call."""

    def __init__(self, name):
        self.name, self.window = name, Window("Fruits of " + name)
        self.window.connect("map-event", self.mapped)
        self.window.show_all()

    def mapped(self, window, event):
        print("mapped", *window.get_size(), window.get_title(), flush=True)
        if "--once" in sys.argv:
            Gtk.main_quit()
        elif "--gio" in sys.argv:
            GioService(self)
        else:
            DBusService(self)

    def choose(self, index):
        self.window.list.select_row(self.window.list.get_row_at_index(index))
        return self.window.label.get_text()

    def clear(self):
        self.window.button.clicked()
        return self.window.label.get_text()

    def quit(self):
        GLib.idle_add(Gtk.main_quit)
        return "bye"


class DBusService(dbus.service.Object):
    def __init__(self, program):
        self.program = program
        bus = dbus.SessionBus(mainloop=dbus.mainloop.glib.DBusGMainLoop())
        self.bus_name = dbus.service.BusName(program.name, bus)
        super().__init__(self.bus_name, "/program")
        print("owns", program.name, flush=True)

    @dbus.service.method("org.example.Program", in_signature="i", out_signature="s")
    def Choose(self, index):
        return self.program.choose(index)

    @dbus.service.method("org.example.Program", out_signature="s")
    def Clear(self):
        return self.program.clear()

    @dbus.service.method("org.example.Program", out_signature="s")
    def Quit(self):
        return self.program.quit()


class GioService:
    XML = """<node><interface name="org.example.Program">
        <method name="Choose"><arg type="i" direction="in"/>
          <arg type="s" direction="out"/></method>
        <method name="Clear"><arg type="s" direction="out"/></method>
        <method name="Quit"><arg type="s" direction="out"/></method>
        </interface></node>"""

    def __init__(self, program):
        self.program = program
        info = Gio.DBusNodeInfo.new_for_xml(self.XML).interfaces[0]
        self.connection = Gio.bus_get_sync(Gio.BusType.SESSION, None)
        self.connection.register_object("/program", info, self.called, None, None)
        Gio.bus_own_name_on_connection(
            self.connection, program.name, Gio.BusNameOwnerFlags.NONE,
            lambda connection, name: print("owns", name, flush=True), None)

    def called(self, connection, sender, path, interface, method, values, invocation):
        answer = getattr(self.program, method.lower())(*values.unpack())
        invocation.return_value(GLib.Variant("(s)", (answer,)))


print(Gtk.init_check(), sys.argv[1:])
program = Program(next(word for word in sys.argv[1:] if not word.startswith("-")))
Gtk.main()
print("the end")
''' % IMPORTS

# Parts of the libraries that keep state of their own: loaders, fonts, schemas, icon
# themes, threads that Gio starts, a nested main loop.
PARTS = '''import hashlib
import sys
import gi
gi.require_version("Gtk", "3.0")
gi.require_version("PangoCairo", "1.0")
from gi.repository import Gdk, GdkPixbuf, Gio, GLib, GObject, Gtk, PangoCairo

loop = GLib.MainLoop()


class Counter(Gtk.Button):
    __gtype_name__ = "WorkloadCounter"
    count = GObject.Property(type=int)


def run_until_idle():
    GLib.idle_add(loop.quit, priority=GLib.PRIORITY_LOW)
    loop.run()


def pictures():
    made = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, False, 8, 32, 24)
    made.fill(0x336699ff)
    made.savev("made.png", "png", [], [])
    read = GdkPixbuf.Pixbuf.new_from_file("made.png")
    print(read.get_width(), sorted(f.get_name() for f in GdkPixbuf.Pixbuf.get_formats()))


def drawn():
    window = Gtk.OffscreenWindow()
    window.add(Gtk.Label(label="H\\xe9 \\u20ac"))
    window.show_all()
    run_until_idle()
    picture = window.get_pixbuf()
    print(hashlib.sha256(picture.get_pixels()).hexdigest(), picture.get_width())
    fonts = PangoCairo.FontMap.get_default().list_families()
    print(sorted(font.get_name() for font in fonts))


def settings():
    schemas = Gio.SettingsSchemaSource.get_default()
    print(schemas.lookup("org.gtk.Settings.FileChooser", True) is not None)
    theme = Gtk.IconTheme.get_default()
    print(theme.has_icon("document-open"), len(theme.list_icons()))
    print(Gtk.Settings.get_default().get_property("gtk-theme-name"))


def in_a_thread():
    def loaded(file, result):
        print(file.load_contents_finish(result)[1])
        loop.quit()
    Gio.File.new_for_path(__file__ + ".txt").load_contents_async(None, loaded)
    loop.run()


def application():
    app = Gtk.Application(application_id="org.example.Parts",
                          flags=Gio.ApplicationFlags.NON_UNIQUE)

    def activate(app):
        window = Gtk.ApplicationWindow(application=app, title="Parts")
        window.add(Gtk.Builder.new_from_string(
            "<interface><object class='WorkloadCounter' id='c'>"
            "<property name='count'>5</property></object></interface>", -1).get_object("c"))
        dialog = Gtk.FileChooserDialog(title="Files", transient_for=window)
        dialog.add_buttons("_Open", Gtk.ResponseType.OK)
        window.connect("map-event", lambda *rest: app.quit())
        window.show_all()
        print(window.get_child().count, dialog.get_action())
    app.connect("activate", activate)
    print(app.run(sys.argv[:1]))


def clipboard():
    board = Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD)
    board.set_text("kept", -1)
    print(board.wait_for_text())


for part in pictures, drawn, settings, in_a_thread, application, clipboard:
    part()
'''

# Starts the command behind --, once for each name, waits until their windows are
# shown, looks at them, calls their methods and has them quit.
DRIVER = '''import subprocess
import sys
import dbus

VARIES = "id:", "Absolute", "Corners", "geometry", "Colormap"  # by order of arrival
stop = sys.argv.index("--")
names, command = sys.argv[1:stop], sys.argv[stop + 1:]
bus = dbus.SessionBus()
programs = {}
for name in names:
    programs[name] = subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True)
for name, child in programs.items():
    for line in child.stdout:
        print(line, end="")
        if line.startswith("owns"):
            break
for name in programs:
    for look in (["xwininfo", "-stats"], ["xprop", "WM_CLASS", "WM_NAME", "_NET_WM_NAME"]):
        shown = subprocess.run([look[0], "-name", "Fruits of " + name, *look[1:]],
                               stdout=subprocess.PIPE, text=True)
        print(*(line for line in shown.stdout.splitlines()
                if not any(word in line for word in VARIES)), sep="\\n")
# a window that goes while another one is looked for ends the look
for name in programs:
    program = dbus.Interface(bus.get_object(name, "/program"), "org.example.Program")
    print(program.Choose(1), program.Clear(), program.Choose(2), program.Quit(), sep="\\n")
for name, child in programs.items():
    print(child.stdout.read(), end="")
    print(name, "ended with status", child.wait(), flush=True)
'''


@contextlib.contextmanager
def session(home):
    with _desktop.display() as display, _desktop.bus() as address:
        yield {"DISPLAY": display, "DBUS_SESSION_BUS_ADDRESS": address}


def needs(_home):
    """pkgutil.extend_path() looks for it in each folder of sys.path."""
    return ["no gi.pkg in the script's or working folder (module gi looked)"]


def arrange(home):
    write(home, "app.py", APP)
    write(home, "imports.py", IMPORTS)
    write(home, "drive.py", DRIVER)
    write(home, "parts.py", PARTS)
    write(home, "parts.py.txt", "text\n")


def build(home):
    return ["-w", home + "/imports.py"]


def mask(data):
    """GLib's messages tell the pid and the time, D-Bus's errors the connection."""
    data = re.sub(rb"\(([\w.]+):\d+\)", rb"(\1:PID)", data)
    return re.sub(rb"\d\d:\d\d:\d\d\.\d{3}", b"TIME", data)


def driven(home, names, *words, **more):
    app = [home + "/app.py", *words]
    return dict(plain=[PYTHON, *app], image=app, mask=mask,
                before=[PYTHON, home + "/drive.py", *names, "--"], **more)


def runs(home):
    app = [home + "/app.py", "--once", "org.example.Once"]
    parts = home + "/parts.py"
    return {
        # Without its bridge to screen readers nothing is said before the window.
        "first window": dict(plain=[PYTHON, *app], image=app, mask=mask, bench=True,
                             target=3, env={"NO_AT_BRIDGE": "1"}),
        "dbus-python": driven(home, ["org.example.A"]),
        "Gio": driven(home, ["org.example.B"], "--gio"),
        "GTK's own options": driven(home, ["org.example.C"], "--class=Named", "--name=other"),
        # What the bridge says comes in pieces, which two would mix.
        "two at once": driven(home, ["org.example.D", "org.example.E"],
                              env={"NO_AT_BRIDGE": "1"}),
        "in the C locale": driven(home, ["org.example.F"], env={"LANG": "C"}),
        "parts of the libraries": dict(plain=[PYTHON, parts], image=[parts], mask=mask,
                                       files=["made.png"]),
        "no display": dict(plain=[PYTHON, *app], image=app, mask=mask,
                           env={"DISPLAY": ""}),
    }
