#!/usr/bin/python3
"""When and how GTK is started in a restored process: gtk.py of tests/workloads shows
that programs work; here is what only an image could do wrongly."""
import os

import lib
import sys
sys.path.insert(0, lib.ROOT + "/tests")
from workloads import _desktop
from tap import done, equal, run, that

IMPORT = """import gi
gi.require_version("Gtk", "3.0")
from gi.repository import Gtk, Gdk
"""
# What a program sees of GTK's start: whose words are left, which display it has.
TELL = IMPORT + """import sys
display = Gdk.Display.get_default()
print(Gtk.init_check(sys.argv), sys.argv, display and display.get_name())
print(Gdk.get_program_class(), sys.modules["gi.overrides.Gtk"].initialized)
"""
CONNECTIONS = """import os
links = [os.readlink("/proc/self/fd/" + n) for n in os.listdir("/proc/self/fd") if n > "2"
         and os.path.exists("/proc/self/fd/" + n)]
print(sum(link.startswith("socket:") for link in links))
"""


def build(name, warmup=IMPORT, imports=(), **env):
    path = os.path.join(lib.TMP, "img", name + ".pyimage")
    warmups = [lib.write(path + ".py", warmup)] if warmup else []
    got = lib.build(path, imports, warmups, env=env)
    equal(got.status, 0, got.err)
    return path


def same(path, code, *words, **env):
    """The image does what python3 does; what that was."""
    env["LANG"] = "C.UTF-8"
    want = lib.run([lib.PYTHON, "-c", code, *words], env=env)
    for way in lib.WAYS.values():
        equal(lib.run([*way(path), "-c", code, *words], env=env), want)
    return want


def starts(path, display):
    got = same(path, TELL, "a", DISPLAY=display)
    that(got.out.startswith(b"(True, argv=['-c', 'a']) ['-c', 'a'] " + display.encode()),
         got)


def words_of_gtk(path, display):
    got = same(path, TELL, "--display=" + display, "a", "--class=Other")
    that(got.out.startswith(b"(True, argv=['-c', 'a']) ['-c', 'a'] "), got)


def no_display(path):
    got = same(path, TELL, "a")
    that(got.out.startswith(b"(False, "), got)


def chosen_before_the_import(path, display):
    code = "import os\nos.environ['GDK_BACKEND'] = 'broadway'\n" + TELL
    that(b"None" in same(path, code, DISPLAY=display).out, "it used another back end")


def not_before_the_import(path, display):
    code = CONNECTIONS + "import gi\n" + IMPORT + CONNECTIONS
    equal(same(path, code, DISPLAY=display, NO_AT_BRIDGE="1").out.split()[0], b"0")


def started_by_a_desktop(path, display):
    """The library takes the id out of the environment of C when it is loaded."""
    code = IMPORT + """import os, subprocess
from gi.repository import GdkX11
display = Gdk.Display.get_default()
print(display and display.get_startup_notification_id(), os.getenv("DESKTOP_STARTUP_ID"))
subprocess.run(["sh", "-c", "echo ${DESKTOP_STARTUP_ID-none}"])
print("end")
"""
    same(path, code, DISPLAY=display)
    same(path, code, DISPLAY=display, DESKTOP_STARTUP_ID="")
    same(path, code, DESKTOP_STARTUP_ID="menu-1_TIME5")
    got = same(path, code, DISPLAY=display, DESKTOP_STARTUP_ID="menu-1_TIME5")
    equal(sorted(got.out.split()), [b"end", b"menu-1_TIME5", b"menu-1_TIME5", b"none"])


def without_a_version(path, display):
    """Each namespace warns that neither has one nor came with another."""
    for names in "Gdk, Gtk", "Gtk, Gdk, Pango", "Pango", "GLib, Gio, GObject":
        got = same(path, "from gi.repository import " + names, DISPLAY=display,
                   NO_AT_BRIDGE="1")
        equal(got.err.count(b"PyGIWarning"), {"Gdk, Gtk": 2, "GLib, Gio, GObject": 0}.get(
            names, 1), names)


def depends_on_gtk(path, display):
    """What needs Gdk is imported with it."""
    code = ("import sys\nimport gi\nfrom gi.repository import GdkX11\n"
            "from gi.repository import Gdk\n"
            "print('gi.repository.Gtk' in sys.modules, Gdk.Display.get_default() is None,"
            " type(GdkX11.x11_get_server_time))\n")
    equal(same(path, code, DISPLAY=display).out.split()[:2], [b"False", b"False"])


def frozen_user(display):
    """A module that holds GTK's classes need not import them again."""
    place = lib.folder("user")
    lib.write(place + "/gtk_user.py", IMPORT + """
class Row(Gtk.ListBoxRow):
    pass

def show():
    window = Gtk.Window(title="user")
    window.add(Row())
    print(window.get_title(), type(window.get_child()).__name__)
""")
    os.chmod(place, 0o755)
    site = "import sys\nsys.path.insert(0, %r)\n" % place
    path = build("gtk-user", site + "import gtk_user\n")
    got = same(path, site + "import gtk_user\ngtk_user.show()", "--class=X", DISPLAY=display)
    equal(got.out, b"user Row\n")
    got = lib.run([path, "-c", "import gtk_user, sys\ngtk_user.show()\nprint(sys.argv)",
                   "--class=X", "a"], env={"DISPLAY": display, "LANG": "C.UTF-8"})
    equal(got.out, b"user Row\n['-c', 'a']\n")


def slices_are_blocks_of_malloc(path):
    """GLib's own parts of pages, until 2.74, would lie all over the frozen heap."""
    code = """import ctypes, os
libc, glib = ctypes.CDLL(None), ctypes.CDLL("libglib-2.0.so.0")
glib.g_slice_alloc.restype = ctypes.c_void_p
libc.malloc_usable_size.restype = ctypes.c_size_t
slices = [glib.g_slice_alloc(ctypes.c_size_t(1000)) for _ in range(8)]
print(all(1000 <= libc.malloc_usable_size(ctypes.c_void_p(slice)) < 1040 for slice in slices))
print(os.environ.get("G_SLICE"), libc.getenv(b"G_SLICE"))
"""
    equal(lib.run([path, "-c", code]), (0, b"True\nNone 0\n", b""))


def main():
    path = build("gtk")
    x11 = build("gtk-x11", IMPORT + "from gi.repository import GdkX11\n")
    run("slices", slices_are_blocks_of_malloc, path)
    with _desktop.display() as display:
        run("its display is opened after the restore", starts, path, display)
        run("its words on the command line", words_of_gtk, path, display)
        run("no display", no_display, path)
        run("a back end chosen before the import", chosen_before_the_import, path, display)
        run("no connection before the import", not_before_the_import, path, display)
        run("started by a desktop", started_by_a_desktop, path, display)
        run("no version asked for", without_a_version, path, display)
        run("a namespace that depends on it", depends_on_gtk, x11, display)
        run("a frozen module that uses it", frozen_user, display)
    done()


main()
