"""Postfix in the lab: two queues with one log, started without Postfix's shell scripts; retries happen only when ordered.

The queue `postfix` keeps mail for a day. The queue `postfix-second` has short queue ids, and its life ends between the two rounds: what
waits in it expires. Nothing is retried by the clock: a round is `postqueue -f`.
"""

import contextlib
import os
import re
import subprocess
import time

from server import ENVIRONMENT, Server, Stuck

USERS = {"postfix": 64850, "postdrop": 64851}
QUEUE = "active bounce corrupt defer deferred flush hold incoming private saved trace pid".split()

MASTER = """\
pickup unix n - n - 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n - 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
fragile unix - - n - - smtp
reuse unix - - n - 1 smtp
soft unix - - n - - smtp
    -o soft_bounce=yes
slow unix - - n - - smtp
relay unix - - n - - smtp
    -o syslog_name=${multi_instance_name?{$multi_instance_name}:{postfix}}/$service_name
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
pipe unix - n n - - pipe
    flags=R user=pat argv=/usr/bin/env sh -c ${nexthop}
scache unix - - n - 1 scache
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

MAIN = """\
compatibility_level = 3.6
queue_directory = /var/spool/{name}
data_directory = /var/lib/{name}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
default_privs = nobody
syslog_name = {name}
maillog_file = /log/maillog
maillog_file_prefixes = /log
myhostname = mta.lab.test
mydestination = lab.test
myorigin = lab.test
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_tcp_port = {port}
lmtp_tcp_port = {port}
transport_maps = texthash:/lab/transport
virtual_alias_maps = texthash:/lab/virtual
virtual_alias_domains =
alias_maps = texthash:/lab/aliases
alias_database =
header_checks = regexp:/lab/header_checks
enable_long_queue_ids = {long}
maximal_queue_lifetime = {life}
bounce_queue_lifetime = {life}
minimal_backoff_time = 1d
maximal_backoff_time = 1d
queue_run_delay = 1d
smtp_connect_timeout = 5s
smtp_helo_timeout = 5s
smtp_mail_timeout = 5s
smtp_rcpt_timeout = 5s
smtp_data_init_timeout = 5s
smtp_data_xfer_timeout = 5s
smtp_data_done_timeout = 5s
smtp_quit_timeout = 5s
smtp_starttls_timeout = 5s
smtp_tls_security_level = may
smtp_tls_policy_maps = texthash:/lab/tls
smtp_connection_cache_on_demand = no
smtp_connection_cache_destinations = reuse.test
smtp_connection_cache_time_limit = 30s
fragile_initial_destination_concurrency = 1
reuse_destination_concurrency_limit = 1
reuse_destination_recipient_limit = 1
message_size_limit = 10240000
smtputf8_enable = yes
notify_classes =
"""


class Postfix(Server):
    """The two queues."""

    log = "maillog"
    owners = {"first": "postfix", "second": "postfix-second"}

    def start(self):
        self.prepare(USERS)
        special = {s.domain: s.kind for s in self.scenarios if s.kind}
        transports = {"fragile": "fragile:", "reuse": "reuse:", "soft": "soft:", "discard": "discard:", "slow": "slow:"}
        lines = [f"{domain} {transports[kind]}" for domain, kind in special.items() if kind in transports]
        lines += [f"{domain} lmtp:mx.{domain}" for domain, kind in special.items() if kind == "lmtp"]
        lines += ["error.test error:5.7.1 recipient is on our suppression list", "pipe-ok.test pipe:true",
                  "pipe-fails.test pipe:echo no such mailbox here; exit 67", "pipe-tempfail.test pipe:exit 75"]
        self.write("lab/transport", "\n".join(lines) + "\n")
        tls = {"tls": "encrypt", "tls-verify": "secure"}
        self.write("lab/tls", "".join(f"{domain} {tls[kind]}\n" for domain, kind in special.items() if kind in tls))
        aliases = {name: others for s in self.scenarios for name, others in s.aliases.items()}
        local = {"forward", "command-fails", "command-ok", "file"}
        self.write("lab/virtual", "".join(f"{n}@lab.test {', '.join(o)}\n" for n, o in aliases.items() if n not in local))
        self.write("lab/aliases", "".join(f"{n} {', '.join(o)}\n" for n, o in aliases.items() if n in local))
        self.write("lab/header_checks", f"/^X-Lab: filter/ FILTER smtp:[{self.host_of('filter')}]:{self.port}\n")
        for name, life in ("postfix", "1d"), ("postfix-second", "1d"):
            self.configure(name, life)
            postfix, postdrop = USERS["postfix"], USERS["postdrop"]
            self.fresh(f"var/spool/{name}")
            for folder in QUEUE:
                self.fresh(f"var/spool/{name}/{folder}", (0, 0) if folder == "pid" else (postfix, 0), 0o755 if folder == "pid" else 0o700)
            self.fresh(f"var/spool/{name}/maildrop", (postfix, postdrop), 0o1730)
            self.fresh(f"var/spool/{name}/public", (postfix, postdrop), 0o2710)
            self.fresh(f"var/lib/{name}", (postfix, postfix), 0o700)
        self.masters = {}
        for name in self.owners.values():
            self.start_queue(name)

    def host_of(self, name):
        return next((s.hosts[0]["address"] for s in self.scenarios if s.name == name), "127.0.0.1")

    def configure(self, name, life):
        first = name == "postfix"
        text = MAIN.format(name=name, port=self.port, long="yes" if first else "no", life=life)
        self.write(f"etc/{name}/main.cf", text)
        back = f"{self.back[0]}:{self.back[1]} inet n - n - - smtpd\n    -o receive_override_options=no_header_body_checks\n"
        self.write(f"etc/{name}/master.cf", MASTER + (back if first else ""))
        self.write(f"etc/{name}/dynamicmaps.cf", "")

    def start_queue(self, name):
        command = ["chroot", self.root, "/usr/lib/postfix/sbin/master", "-c", f"/etc/{name}", "-d"]
        null = subprocess.DEVNULL
        self.masters[name] = subprocess.Popen(command, stdin=null, stdout=null, stderr=null, env=ENVIRONMENT, start_new_session=True)
        self.wait(f"{name} to start", lambda: self.is_up(name))

    def is_up(self, name):
        if self.masters[name].poll() is not None:
            raise Stuck(f"{name}: master ended with {self.masters[name].returncode}\n{self.state()}")
        return os.path.exists(self.path("var/spool", name, "public/qmgr")) and os.path.exists(self.path("var/spool", name, "public/pickup"))

    def stop_queue(self, name):
        self.masters[name].terminate()
        self.masters[name].wait(self.left(f"{name} to end"))
        for socket in "qmgr", "pickup":
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path("var/spool", name, "public", socket))

    def lines(self):
        with contextlib.suppress(FileNotFoundError), open(self.path("log/maillog"), encoding="utf-8", errors="replace") as log:
            return log.read()
        return ""

    def ids(self, *folders):
        """The ids of the messages in some folders of both queues."""
        found = []
        for name in self.owners.values():
            for folder in folders:
                for _, _, files in os.walk(self.path("var/spool", name, folder)):
                    found += files
        return found

    def settle(self):
        """Waits until nothing moves: no mail on its way, and for all mail that left the queues the log says so."""
        self.wait("Postfix to settle", lambda: not self.ids("active", "incoming", "maildrop", "active", "incoming") and self.all_told())

    def all_told(self):
        lines = self.lines()
        seen = re.findall(r"^(?:.*?: )([0-9A-Za-z]{6,}): (?:uid=|client=|message-id=)", lines, re.M)
        done = set(re.findall(r": ([0-9A-Za-z]{6,}): (?:removed|requeued)$", lines, re.M))
        return set(seen) <= done | set(self.ids("deferred", "hold"))

    def submit(self, scenario, number, recipients):
        name = self.owners["second" if scenario.second else "first"]
        command = ["/usr/sbin/sendmail", "-C", f"/etc/{name}", "-i", *scenario.sendmail, "-f", scenario.sender, "--", *recipients]
        self.run(*command, text=self.message(scenario, number))

    def submit_one_by_one(self, scenario):
        return False

    def retry(self):
        """The second round: everything that waits, once more. The life of what waits in the second queue is over."""
        self.stop_queue("postfix-second")
        self.configure("postfix-second", "0")
        self.start_queue("postfix-second")
        for scenario, ids in self.waiting("force-expire"):
            self.run("/usr/sbin/postsuper", "-c", "/etc/postfix", *[a for i in ids for a in ("-e", i)])
        before = {i: self.activations(i) for i in self.ids("deferred")}
        for name in self.owners.values():
            self.run("/usr/sbin/postqueue", "-c", f"/etc/{name}", "-f")
        self.wait("the second round to begin", lambda: all(self.activations(i) > n for i, n in before.items()))

    def activations(self, queue_id):
        return self.lines().count(f" {queue_id}: from=")

    def waiting(self, then):
        """The scenarios of a kind, and the ids of their messages that wait."""
        lines = self.lines()
        for scenario in self.scenarios:
            if scenario.then == then:
                ids = set(re.findall(r": ([0-9A-Za-z]+): to=<[^>]*@" + re.escape(scenario.domain) + ">", lines))
                yield scenario, sorted(ids & set(self.ids("deferred")))

    def orders(self):
        """What an administrator does to mail that waits."""
        for scenario, ids in self.waiting("remove"):
            for each in ids:
                self.run("/usr/sbin/postsuper", "-c", "/etc/postfix", "-d", each)
        for scenario, ids in self.waiting("requeue"):
            for each in ids:
                self.run("/usr/sbin/postsuper", "-c", "/etc/postfix", "-r", each)
                self.run("/usr/sbin/postkick", "-c", "/etc/postfix", "public", "pickup", "W")
                self.wait("a requeued message", lambda each=each: f"orig_id={each}" in self.lines())

    def stop(self):
        for name in self.masters:
            self.stop_queue(name)
        self.stop_all()

    def state(self):
        return f"in the queues: {self.ids('maildrop', 'incoming', 'active')}\n{self.said()}\n{self.lines()[-3000:]}"
