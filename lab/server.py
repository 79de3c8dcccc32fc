"""What Postfix and Exim have in common here: a root of their own, their addresses, how to run a command in it, and how to wait.

Every wait is for a condition. The only limit is the one of the whole run, after which it fails and says what it waited for.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import time

LIMIT = 300.0
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class Stuck(Exception):
    """The run took too long."""


class Server:
    """One server in its root."""

    def __init__(self, root, scenarios, network, port):
        self.root, self.scenarios, self.network, self.port = root, scenarios, network, port
        self.deadline = time.monotonic() + LIMIT
        self.back = (f"{network}.2", port + 1)  # where the content filter hands mail back

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def fresh(self, name, owner=(0, 0), mode=0o755):
        """An empty folder."""
        shutil.rmtree(self.path(name), ignore_errors=True)
        os.makedirs(self.path(name), exist_ok=True)
        os.chown(self.path(name), *owner)
        os.chmod(self.path(name), mode)

    def prepare(self, users):
        """The few files of a Unix that a server looks at."""
        self.fresh("lab")
        self.fresh("log", mode=0o777)
        for name, minor in ("null", 3), ("random", 8), ("urandom", 9):
            if not os.path.exists(self.path("dev", name)):
                os.mknod(self.path("dev", name), 0o20666, os.makedev(1, minor))
                os.chmod(self.path("dev", name), 0o666)
        os.chmod(self.path("tmp"), 0o1777)
        users = {"root": 0, "daemon": 1, "nobody": 65534, "pat": 64870, **users}
        self.write("etc/passwd", "".join(f"{name}:x:{number}:{number}::/:/bin/false\n" for name, number in users.items()))
        self.write("etc/group", "".join(f"{name}:x:{number}:\n" for name, number in {**users, "mail": 8}.items()))
        self.write("etc/hosts", "127.0.0.1 localhost\n")
        # One question, one second: a name server that says nothing is a scenario.
        self.write("etc/resolv.conf", f"nameserver {self.network}.53\noptions timeout:1 attempts:1\n")
        self.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
        self.fresh("var/mail", mode=0o1777)
        # What a server says before it has a log of its own.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path("dev/log"))
        self.syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        here = os.open(self.root, os.O_RDONLY)
        self.syslog.bind(f"/proc/self/fd/{here}/dev/log")  # by a short name: a socket's is limited to 107 bytes
        os.close(here)
        os.chmod(self.path("dev/log"), 0o666)
        self.syslog.setblocking(False)

    def run(self, *command, text="", check=True):
        """Runs a command in the root; gives its output."""
        command = ["chroot", self.root, *command]
        ran = subprocess.run(command, input=text.encode(), capture_output=True, env=ENVIRONMENT, timeout=self.left("a command"))
        if check and ran.returncode:
            raise Stuck(f"{' '.join(command[2:])}: exit {ran.returncode}: {(ran.stderr + ran.stdout).decode(errors='replace')[-800:]}")
        return ran.stdout.decode(errors="replace")

    def left(self, what):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Stuck(f"{LIMIT:.0f} s are over, still waiting for {what}\n{self.state()}")
        return left

    def wait(self, what, condition):
        """Waits until the condition holds, twice in a row."""
        held = 0
        while held < 2:
            self.left(what)
            held = held + 1 if condition() else 0
            time.sleep(0.05)

    def processes(self):
        """The processes that run in the root."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/root") == self.root:
                    found.append(int(pid))
        return found

    def stop_all(self):
        """Ends what still runs in the root, which is the lab's own."""
        for how in signal.SIGTERM, signal.SIGKILL:
            end = time.monotonic() + 5
            while (left := self.processes()) and time.monotonic() < end:
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, how)
                time.sleep(0.1)

    def message(self, scenario, number):
        body = "A line of the body.\n" * max(1, scenario.size // 20)
        return f"From: {scenario.sender or 'postmaster@client.test'}\nSubject: {scenario.name} {number}\nX-Lab: {scenario.kind}\n\n{body}"

    def said(self):
        """What came by syslog."""
        lines = []
        with contextlib.suppress(BlockingIOError):
            while True:
                lines.append(self.syslog.recv(4096).decode(errors="replace"))
        return "\n".join(lines)

    def state(self):
        """What a run that is stuck should tell."""
        return self.said()


@contextlib.contextmanager
def alone(root):
    """Holds the root for one run: two of them would mix their mail."""
    with open(os.path.join(root, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def free_network():
    """A network 127.88.x.0/24 whose port 53 nobody has, which is ours from now on, and a port that is free there."""
    for third in range(1, 255):
        network = f"127.88.{third}"
        names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            names.bind((f"{network}.53", 53))
        except PermissionError:
            raise
        except OSError:
            names.close()
            continue
        for port in range(2500, 2600, 2):
            with contextlib.suppress(OSError), socket.socket() as one, socket.socket() as two:
                one.bind((f"{network}.2", port))
                two.bind((f"{network}.2", port + 1))
                return network, port, names
    raise Stuck("no network of 127.88.0.0/16 has a free port 53")


def full(address, port):
    """A host that never answers: it listens, and its queue of connections is full. Gives the sockets that keep it so."""
    server = socket.socket()
    server.bind((address, port))
    server.listen(0)
    held = [server]
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex((address, port))
        held.append(client)
    return held
