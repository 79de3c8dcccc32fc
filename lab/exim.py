"""Exim in the lab: every message is delivered by a process of its own that we wait for; retries happen only when ordered.

Besides these only one daemon runs, which takes back what the content filter returns.
"""

import contextlib
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from server import ENVIRONMENT, Server

USERS = {"Debian-exim": 64860}

CONFIG = """\
exim_user = Debian-exim
exim_group = Debian-exim
primary_hostname = mta.lab.test
qualify_domain = lab.test
spool_directory = /var/spool/exim4
log_file_path = /log/%slog
pid_file_path = /var/spool/exim4/exim.pid
keep_environment =
local_interfaces = {back}
daemon_smtp_ports = {back_port}
disable_ipv6
dns_ipv4_lookup = *
host_lookup =
rfc1413_query_timeout = 0s
trusted_users = root
acl_smtp_rcpt = accept_all
smtputf8_advertise_hosts = *
allow_utf8_domains
strip_trailing_dot
message_size_limit = 20M
ignore_bounce_errors_after = 2d
timeout_frozen_after = 7d
smtp_return_error_details = false
tls_advertise_hosts =
recipients_max = 1000

begin acl
accept_all:
  accept

begin routers
throw_away:
  driver = redirect
  domains = discard.test
  data = :blackhole:
switched_off:
  driver = redirect
  domains = error.test
  allow_fail
  data = :fail: recipient is on our suppression list
put_off:
  driver = redirect
  domains = put-off.test
  allow_defer
  data = :defer: host lookup did not complete
filter:
  driver = manualroute
  domains = filter.test
  condition = ${{if !eq{{$received_port}}{{{back_port}}}}}
  route_list = * {filter}
  transport = remote_smtp
  self = send
to_itself:
  driver = dnslookup
  domains = loop.test
  transport = remote_smtp
remote:
  driver = dnslookup
  domains = ! lab.test
  transport = ${{lookup{{$domain}}lsearch{{/lab/transports}}{{$value}}{{remote_smtp}}}}
  self = send
  no_more
aliases:
  driver = redirect
  data = ${{lookup{{$local_part}}lsearch{{/lab/aliases}}}}
  allow_fail
  allow_defer
  pipe_transport = address_pipe
  file_transport = address_file
  user = pat
  group = pat
local_user:
  driver = accept
  check_local_user
  transport = mailbox
  cannot_route_message = Unknown user

begin transports
remote_smtp:
  driver = smtp
  port = {port}
  interface = {back}
  allow_localhost
  hosts_require_tls = {tls}
  tls_verify_hosts = {verify}
  tls_try_verify_hosts =
  tls_verify_certificates = /lab/no-such-authority.pem
  hosts_try_prdr =
  hosts_try_chunking =
  connect_timeout = 5s
  command_timeout = 5s
  data_timeout = 5s
  final_timeout = 5s
lmtp:
  driver = smtp
  protocol = lmtp
  port = {port}
  interface = {back}
  allow_localhost
  command_timeout = 5s
mailbox:
  driver = appendfile
  file = /var/mail/$local_part_data
  user = pat
  group = pat
address_pipe:
  driver = pipe
  return_output
  path = /usr/bin
address_file:
  driver = appendfile
  create_file = anywhere

begin retry
expiry.test * F,1s,1s
* * F,4d,1d
"""


class Exim(Server):
    """One Exim."""

    log = "mainlog"
    exim = "/usr/sbin/exim4"

    def start(self):
        self.prepare(USERS)
        owner = (USERS["Debian-exim"], USERS["Debian-exim"])
        os.chown(self.path("log"), *owner)
        self.fresh("var/spool/exim4", owner, 0o750)
        self.fresh("etc/exim4")
        hosts = {kind: " : ".join(h["address"] for s in self.scenarios if s.kind == kind for h in s.hosts) for kind in ("tls", "tls-verify")}
        both = " : ".join(filter(None, hosts.values()))
        filter_host = next((s.hosts[0]["address"] for s in self.scenarios if s.name == "filter"), "127.0.0.1")
        config = CONFIG.format(port=self.port, back=self.back[0], back_port=self.back[1], tls=both, verify=hosts["tls-verify"],
                               filter=filter_host)
        self.write("etc/exim4/exim4.conf", config)
        aliases = {name: others for s in self.scenarios for name, others in s.aliases.items()}
        self.write("lab/aliases", "".join(f"{name}: {', '.join(others)}\n" for name, others in aliases.items()))
        self.write("lab/transports", "".join(f"{s.domain}: lmtp\n" for s in self.scenarios if s.kind == "lmtp"))
        # An authority that signed nothing here: to trust none at all would be a fault of the configuration.
        self.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null", "-out", "/lab/no-such-authority.pem",
                 "-days", "2", "-subj", "/CN=another.test")
        self.run(self.exim, "-bV")
        null = subprocess.DEVNULL
        command = ["chroot", self.root, self.exim, "-bdf"]
        self.daemon = subprocess.Popen(command, stdin=null, stdout=null, stderr=null, env=ENVIRONMENT, start_new_session=True)
        self.wait("Exim's daemon", lambda: os.path.exists(self.path("var/spool/exim4/exim.pid")))

    def settle(self):
        self.wait("Exim to settle", lambda: self.processes() == [self.daemon.pid])

    def lines(self):
        with contextlib.suppress(FileNotFoundError), open(self.path("log/mainlog"), encoding="utf-8", errors="replace") as log:
            return log.read()
        return ""

    def submit(self, scenario, number, recipients):
        # -odf: this process delivers, and ends when it has. -odqs: routed now, sent by the next run of the queue.
        how = "-odqs" if scenario.kind == "reuse" else "-odf"
        self.run(self.exim, how, "-oi", *scenario.sendmail, "-f", scenario.sender, "--", *recipients,
                 text=self.message(scenario, number), check=False)
        self.mail_began = time.time()

    def ids(self):
        """The ids of the messages in the queue."""
        return sorted(name[:-2] for _, _, names in os.walk(self.path("var/spool/exim4/input")) for name in names if name.endswith("-H"))

    def recipients_left(self, message):
        """The recipients of a message as its header file has them."""
        folders = [self.path("var/spool/exim4/input", message[5], message + "-H"), self.path("var/spool/exim4/input", message + "-H")]
        for path in folders:
            with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8", errors="replace") as file:
                return file.read()
        return ""

    def waiting(self, then):
        """The ids of waiting messages to the scenarios of a kind."""
        domains = ["@" + s.domain for s in self.scenarios if then in (s.then, s.kind)]
        return [i for i in self.ids() if any(d in self.recipients_left(i) for d in domains)]

    def retry(self):
        """The second round: everything that waits, once more, and the mail that is to share a connection by a run of the queue."""
        # The retry rule of expiry.test ends one second after the first failure.
        born = time.time()
        self.wait("a second", lambda: time.time() > born + 2.5)
        shared = self.waiting("reuse")
        if shared:
            self.run(self.exim, "-qff", shared[0], shared[-1])
            self.settle()
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda i: self.run(self.exim, "-M", i, check=False), self.ids()))

    def orders(self):
        for then, order in ("remove", "-Mrm"), ("give-up", "-Mg"), ("force-expire", "-Mg"):
            for each in self.waiting(then):
                self.run(self.exim, order, each)

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait(self.left("Exim's daemon to end"))
        self.stop_all()

    def state(self):
        return f"running: {self.processes()}, in the queue: {self.ids()}\n{self.said()}\n{self.lines()[-3000:]}"
