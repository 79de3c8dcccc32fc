"""The scripted SMTP server: every host of every scenario listens on an address of its own and does what its script says.

A script gives, by stage (greeting, tls, helo, mail, rcpt, data, end, quit), a reply or an action; a list gives one for each visit, the
last of them for all that follow; at rcpt and end a table gives them by local part. Actions: "drop" closes without a word, "stall" says
nothing until the client goes away, "cut" and "choke" (at end) close or stop reading in the middle of the message, "reinject" (at end) hands the message back to the
server under test and repeats its reply, as a content filter does. What happened is written down (`Wire`): it is what the truth is
checked against, and what counts notifications.
"""

import asyncio
import logging
import re
import smtplib
import socket
import ssl
import threading

EXTENSIONS = ["PIPELINING", "SIZE 10240000", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN", "SMTPUTF8"]


class Gone(Exception):
    """The session is over."""


class Wire:
    """What was seen on the wire."""

    def __init__(self):
        self.lock = threading.Lock()
        self.failures = []  # (scenario, recipient or "*", stage, code or action, enhanced code, session)
        self.accepted = []  # (scenario, recipient, session)
        self.notifications = []  # recipients of accepted mail with the null sender
        self.sessions = 0
        self.open = 0


def at_visit(what, visit):
    """The entry for a visit: of a list the one with its number, the last for all beyond."""
    return what[min(visit, len(what)) - 1] if isinstance(what, list) else what


def codes(reply):
    """The basic and the enhanced code of a reply's last line."""
    match = re.match(r"(\d{3})[ -]?(?:([245]\.\d{1,3}\.\d{1,3})(?=\s|$))?", reply.splitlines()[-1])
    return (int(match[1]), match[2]) if match else ("garbage", None)


class Session:
    """One connection."""

    def __init__(self, sink, host, reader, writer):
        self.sink, self.host, self.reader, self.writer = sink, host, reader, writer
        self.script = host["script"]
        self.sender, self.recipients, self.secure = None, [], False
        with sink.wire.lock:
            sink.wire.sessions += 1
            self.number = sink.wire.sessions
        host["visits"] = self.visit = host.get("visits", 0) + 1

    async def act(self, stage, what, recipients=("*",), default="250 2.0.0 Ok"):
        """Replies, or does something else; gives whether the reply is positive."""
        reply = at_visit(what, self.visit) if what is not None else default
        if reply in ("drop", "stall"):
            self.fail(stage, reply, recipients)
            if reply == "stall":
                await self.reader.read()
            raise Gone
        code, enhanced = codes(reply)
        good = isinstance(code, int) and code < 400
        if not good:
            self.fail(stage, code, recipients, enhanced)
        raw = reply.format(rcpt=recipients[0], visit=self.visit).encode(self.host["encoding"])
        self.writer.write(b"".join(line + b"\r\n" for line in raw.split(b"\n")))
        await self.writer.drain()
        if code == 421:
            raise Gone
        return good

    def fail(self, stage, code, recipients=("*",), enhanced=None):
        with self.sink.wire.lock:
            for recipient in recipients:
                self.sink.wire.failures.append((self.host["scenario"], recipient, stage, code, enhanced, self.number))

    async def run(self):
        if not await self.act("connect", self.script.get("greeting"), default="220 mx.test ESMTP"):
            # RFC 5321, 3.1: a server that refuses waits for QUIT.
            await self.reader.readline()
            return
        while line := await self.reader.readline():
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            command = text.split(" ")[0].split(":")[0].upper()
            handler = getattr(self, "on_" + command.lower(), None)
            if handler is None:
                await self.act("helo", "502 5.5.2 Command not recognised")
            else:
                await handler(text)

    async def on_ehlo(self, text):
        script = self.script.get("ehlo") or self.script.get("helo")
        if script is not None:
            await self.act("helo", script)
            return
        offers = list(self.host.get("offers", EXTENSIONS))
        if "tls" in self.script and not self.secure:
            offers.append("STARTTLS")
        lines = ["mx.test", *offers]
        await self.act("helo", "\n".join(f"250{' ' if i + 1 == len(lines) else '-'}{line}" for i, line in enumerate(lines)))

    on_lhlo = on_ehlo

    async def on_helo(self, text):
        await self.act("helo", self.script.get("helo"), default="250 mx.test")

    async def on_starttls(self, text):
        what = at_visit(self.script.get("tls", "502 5.5.1 no TLS"), self.visit)
        if what == "good":
            await self.act("helo", "220 2.0.0 go ahead")
            await self.writer.start_tls(self.sink.tls)
            self.secure = True
        elif what == "broken":
            await self.act("helo", "220 2.0.0 go ahead")
            self.fail("helo", "broken TLS")
            self.writer.write(b"this is no TLS record at all\r\n")
            await self.writer.drain()
            raise Gone
        else:
            await self.act("helo", what)

    async def on_mail(self, text):
        self.sender = re.search(r"<([^>]*)>", text)[1]
        self.recipients, self.refused = [], False
        good = await self.act("mail", self.script.get("mail"), default="250 2.1.0 Ok")
        self.sender = self.sender if good else None

    async def on_rcpt(self, text):
        # An address may hold a quoted local part, and a parameter may follow it.
        recipient = re.search(r"<((?:\"(?:[^\"\\]|\\.)*\"|[^>])*)>", text)[1]
        if self.sender is None:
            # After a refused MAIL in one pipeline: the refusal is already written down.
            await self.write("503 5.5.1 no sender")
            return
        if await self.act("rcpt", self.by_recipient("rcpt", recipient), [recipient], "250 2.1.5 Ok"):
            self.recipients.append(recipient)

    def by_recipient(self, stage, recipient):
        what = self.script.get(stage)
        if isinstance(what, dict):
            what = what.get(recipient.rsplit("@", 1)[0], what.get("*"))
        return what

    async def write(self, reply):
        self.writer.write(reply.encode() + b"\r\n")
        await self.writer.drain()

    async def on_data(self, text):
        if not self.recipients:
            await self.write("554 5.5.1 no valid recipients")
            return
        if not await self.act("data", self.script.get("data"), self.recipients, "354 go ahead"):
            return
        end = self.script.get("end")
        if not isinstance(end, dict):
            end = at_visit(end, self.visit)
        if end == "cut":
            self.fail("end_of_data", "cut", self.recipients)
            await self.reader.readline()
            self.writer.transport.abort()
            raise Gone
        if end == "choke":
            self.fail("end_of_data", "choke", self.recipients)
            await asyncio.sleep(120)
            raise Gone
        lines = []
        while (line := await self.reader.readline()) != b".\r\n":
            if not line:
                raise Gone
            lines.append(line[1:] if line.startswith(b"..") else line)
        if end == "reinject":
            end = await asyncio.to_thread(self.reinject, b"".join(lines))
        groups = [[r] for r in self.recipients] if self.host.get("lmtp") else [self.recipients]
        for group in groups:
            what = self.by_recipient("end", group[0]) if isinstance(end, dict) else end
            if await self.act("end_of_data", what, group, f"250 2.0.0 Ok: queued as SINK{self.number:06}"):
                self.accept(group)
        self.sender, self.recipients = None, []

    def accept(self, recipients):
        with self.sink.wire.lock:
            self.sink.wire.accepted += [(self.host["scenario"], r, self.number) for r in recipients]
            if self.sender == "":
                self.sink.wire.notifications += recipients

    def reinject(self, message):
        with smtplib.SMTP(*self.sink.back, timeout=60) as server:
            server.ehlo("filter.test")
            server.mail(self.sender)
            for recipient in self.recipients:
                server.rcpt(recipient)
            code, text = server.data(message)
            return f"{code} {text.decode()}"

    async def on_rset(self, text):
        self.sender, self.recipients = None, []
        await self.write("250 2.0.0 Ok")

    async def on_noop(self, text):
        await self.write("250 2.0.0 Ok")

    async def on_quit(self, text):
        await self.act("quit", self.script.get("quit"), default="221 2.0.0 Bye")
        raise Gone


class Sink(threading.Thread):
    """All hosts of all scenarios, in one thread."""

    def __init__(self, hosts, port, certificate, back):
        super().__init__(daemon=True)
        self.hosts, self.port, self.back, self.wire = hosts, port, back, Wire()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(*certificate)
        self.ready, self.problem, self.wrong = threading.Event(), None, []

    def run(self):
        # Connections that break are the script: asyncio need not warn of them.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        asyncio.run(self.serve())

    async def serve(self):
        try:
            for host in self.hosts:
                listener = socket.socket()
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                # Small and fixed, so that a large message does not fit when a host stops reading.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
                listener.bind((host["address"], self.port))
                await asyncio.start_server(lambda r, w, host=host: self.session(host, r, w), sock=listener)
        except OSError as problem:
            self.problem = problem
        self.ready.set()
        await asyncio.Event().wait()

    async def session(self, host, reader, writer):
        session = Session(self, host, reader, writer)
        self.wire.open += 1
        try:
            await session.run()
        except (Gone, OSError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        except Exception as problem:  # a fault of the script: the run is no truth
            self.wrong.append(f"{host['scenario']}: the scripted server: {problem!r}")
        finally:
            self.wire.open -= 1
            writer.close()
