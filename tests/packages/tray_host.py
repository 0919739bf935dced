"""Stands in for the part of a desktop that shows tray icons: waits for an icon, prints the words of its menu, one a line.

    tray_host.py                 prints the menu
    tray_host.py WORDS           also clicks on the entry that has these words

It speaks on the session bus that the environment names. An app may be there before it: apps register
again when a tray appears.
"""

import sys

from gi.repository import Gio, GLib

WATCHER = """<node><interface name='org.kde.StatusNotifierWatcher'>
  <method name='RegisterStatusNotifierItem'><arg type='s' direction='in'/></method>
  <property name='IsStatusNotifierHostRegistered' type='b' access='read'/>
  <property name='ProtocolVersion' type='i' access='read'/>
  <property name='RegisteredStatusNotifierItems' type='as' access='read'/>
</interface></node>"""
PROPERTIES = {
    "IsStatusNotifierHostRegistered": GLib.Variant("b", True),
    "ProtocolVersion": GLib.Variant("i", 0),
    "RegisteredStatusNotifierItems": GLib.Variant("as", []),
}
SECONDS = 60

loop = GLib.MainLoop()
bus = Gio.bus_get_sync(Gio.BusType.SESSION)
icons = []


def on_call(_connection, sender, _path, _interface, _method, parameters, invocation):
    icons.append((sender, parameters.unpack()[0]))
    invocation.return_value(None)
    loop.quit()


def ask(app, path, interface, method, arguments, answer):
    kind = GLib.VariantType(answer) if answer else None
    return bus.call_sync(app, path, interface, method, arguments, kind, Gio.DBusCallFlags.NONE, 20_000, None)


def give_up():
    sys.exit(f"no app showed an icon within {SECONDS} s")


interface = Gio.DBusNodeInfo.new_for_xml(WATCHER).interfaces[0]
bus.register_object("/StatusNotifierWatcher", interface, on_call, lambda *a: PROPERTIES[a[4]], None)
Gio.bus_own_name_on_connection(bus, interface.name, Gio.BusNameOwnerFlags.NONE, None, None)
GLib.timeout_add_seconds(SECONDS, give_up)
while not icons:
    loop.run()

app, item = icons[0]
get = GLib.Variant("(ss)", ("org.kde.StatusNotifierItem", "Menu"))
(menu,) = ask(app, item, "org.freedesktop.DBus.Properties", "Get", get, "(v)").unpack()
everything = GLib.Variant("(iias)", (0, -1, []))
_, (_, _, children) = ask(app, menu, "com.canonical.dbusmenu", "GetLayout", everything, "(u(ia{sv}av))").unpack()
entries = [(number, about.get("label", "").replace("_", "")) for number, about, _ in children]
print("\n".join(words for _, words in entries if words))

if len(sys.argv) > 1:
    chosen = [number for number, words in entries if words == sys.argv[1]]
    if not chosen:
        sys.exit(f"there is no entry {sys.argv[1]}")
    click = GLib.Variant("(isvu)", (chosen[0], "clicked", GLib.Variant("i", 0), 0))
    ask(app, menu, "com.canonical.dbusmenu", "Event", click, None)
