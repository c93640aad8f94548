"""A tray and a daemon for notifications, as a desktop has them, that say what they are told.

Each notification is written as a line `NOTIFY <first line>` and clicked (its button) a moment later. The icon's menu is
read every second and written as lines `LABEL <text beside the icon>` and `MENU <text>`. A file `click` in the directory
that is given names the beginning of a line of the menu to click.
"""

import sys
from pathlib import Path

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NOTIFICATIONS = "org.freedesktop.Notifications"
WATCHER = "org.kde.StatusNotifierWatcher"
PROPERTIES = "org.freedesktop.DBus.Properties"
PERSON_MS = 700


def say(*words):
    print(*words, flush=True)


class Notifier(dbus.service.Object):
    count = 0

    @dbus.service.method(NOTIFICATIONS, in_signature="susssasa{sv}i", out_signature="u")
    def Notify(self, app, replaces, icon, summary, body, actions, hints, timeout):
        self.count += 1
        number = self.count
        say("NOTIFY", summary)
        button = actions[2] if len(actions) > 2 else "default"

        def click():
            self.ActionInvoked(number, button)
            self.NotificationClosed(number, 2)

        GLib.timeout_add(PERSON_MS, click)
        return number

    @dbus.service.method(NOTIFICATIONS, out_signature="as")
    def GetCapabilities(self):
        return ["actions", "body"]

    @dbus.service.method(NOTIFICATIONS, out_signature="ssss")
    def GetServerInformation(self):
        return ("neighbours", "tests", "1", "1.2")

    @dbus.service.signal(NOTIFICATIONS, signature="us")
    def ActionInvoked(self, number, key):
        pass

    @dbus.service.signal(NOTIFICATIONS, signature="uu")
    def NotificationClosed(self, number, reason):
        pass


class Tray(dbus.service.Object):
    def __init__(self, bus, place):
        super().__init__(bus, "/StatusNotifierWatcher")
        self.bus, self.place, self.item = bus, place, None
        GLib.timeout_add(1000, self.look)

    @dbus.service.method(WATCHER, in_signature="s", sender_keyword="sender")
    def RegisterStatusNotifierItem(self, path, sender=None):
        self.item = (sender, path)

    @dbus.service.method(PROPERTIES, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        return True if name == "IsStatusNotifierHostRegistered" else dbus.Int32(0)

    @dbus.service.method(PROPERTIES, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        return {"IsStatusNotifierHostRegistered": True, "ProtocolVersion": dbus.Int32(0)}

    def look(self):
        if self.item is not None:
            try:
                self.read(*self.item)
            except dbus.DBusException as error:
                say("TROUBLE", error)
        return True

    def read(self, sender, path):
        item = dbus.Interface(self.bus.get_object(sender, path), PROPERTIES)
        about = item.GetAll("org.kde.StatusNotifierItem")
        say("LABEL", about.get("XAyatanaLabel", ""))
        menu = dbus.Interface(self.bus.get_object(sender, about["Menu"]), "com.canonical.dbusmenu")
        wanted = self.place / "click"
        beginning = wanted.read_text() if wanted.exists() else None
        for number, text in self.lines(menu.GetLayout(0, -1, ["label"])[1]):
            say("MENU", text)
            if beginning and text.startswith(beginning):
                wanted.unlink()
                beginning = None
                menu.Event(number, "clicked", dbus.Int32(0), dbus.UInt32(0))

    def lines(self, node):
        number, about, children = node
        if "label" in about:
            yield number, str(about["label"]).replace("__", "_")
        for child in children:
            yield from self.lines(child)


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
session = dbus.SessionBus()
names = [dbus.service.BusName(name, session) for name in (NOTIFICATIONS, WATCHER)]
notifier = Notifier(session, "/org/freedesktop/Notifications")
tray = Tray(session, Path(sys.argv[1]))
say("READY")
GLib.MainLoop().run()
