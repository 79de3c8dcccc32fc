#!/usr/bin/env python3
"""Writes a Postfix log of any length, and what is true of it, as JSON.

    benches/generate.py LOG TRUTH.json [--lines 1000000] [--lines-per-day 400000] [--seed 1] [--stamps 3164|3339] [--ids short|long]

The same arguments give the same bytes. What a busy server's log has, this one has: 7,000 recipient domains of very unequal
size, some 4,000 different wordings of refusals, replies that name the next hop's queue id, retries with growing gaps that
interleave with new mail, mail for several recipients that end differently, expiry after a day, non-delivery notifications,
refused clients, and lines that say nothing of a delivery. Domains, hosts and addresses are made up; the phrases of replies
are put together from parts, so that no receiver's text is copied.

Long logs span more days at the same rate, so that what is open at one time does not grow with the length.
"""

import argparse
import datetime
import heapq
import itertools
import json
import os
import random

DOMAINS = 7_000
LIFETIME = 86_400  # maximal_queue_lifetime, seconds
LINES_PER_DAY = 400_000
LINES_PER_ARRIVAL = 8.7  # measured
END = datetime.datetime(2026, 11, 22, tzinfo=datetime.timezone.utc)
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
BASE52 = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"

# ---------------------------------------------------------------------------------------------------------------- replies

WHO = ["", "<{rcpt}>: ", "<{rcpt}> ", "{rcpt} ", "[{ip}] ", "{host} ", "Sorry, ", "Error: ", "Transaction failed: ", "RCPT <{rcpt}> refused: "]
END_OF = ["", ".", " ({ref})", " - {ref}", ". See https://postmaster.{domain}/help?code={ref}", ". Contact postmaster@{domain}",
          ". Reference {ref}.", " (in {host})", ". Session {ref}", " id={ref}"]
PERMANENT = {
    "5.1.1": ["User unknown", "No such user here", "Recipient address rejected: User unknown in virtual mailbox table", "mailbox unavailable",
              "Recipient not found", "unknown user account", "Address does not exist", "no mailbox here by that name", "invalid recipient",
              "This address no longer exists", "Unknown local part", "Unrouteable recipient in this system"],
    "5.2.1": ["Mailbox disabled", "The account is inactive", "This account has been suspended", "mailbox closed by its owner", "Account locked"],
    "5.2.2": ["Mailbox full", "user is over quota", "Quota exceeded", "The mailbox has no room for this message"],
    "5.2.3": ["Message size exceeds the limit of this mailbox", "message too big", "Message is larger than allowed"],
    "5.7.1": ["Relay access denied", "Message refused by local policy", "Message rejected as spam", "Service refused, client host is blocked by our list",
              "Sender address rejected: not allowed", "Content rejected by the filter", "Access denied for this sender", "Delivery not authorized"],
    "5.7.26": ["Mail without authentication is refused", "SPF check failed for this sender", "DMARC policy of the sender's domain says reject"],
    "5.4.1": ["Recipient's domain is not served here", "relaying to this domain has been removed"],
}
TEMPORARY = {
    "4.2.2": ["Mailbox full", "user is over quota, try again", "Over quota for now"],
    "4.7.1": ["Greylisted, please try again", "Recipient address rejected: Greylisted", "Try again in five minutes", "Temporarily refused by policy"],
    "4.7.0": ["Too many messages from your address", "Temporarily deferred due to unusual volume", "rate limit reached", "Your host is throttled"],
    "4.3.2": ["System not accepting messages now", "Temporary local problem", "Service is shutting down", "Please try later"],
    "4.3.1": ["Insufficient system storage", "Not enough disk space"],
    "4.4.5": ["Server busy, try again", "Too many connections"],
    "4.1.8": ["Sender's domain could not be resolved", "Domain of sender address does not resolve"],
}
CONNECT = ["connect to {host}[{ip}]:25: Connection timed out", "connect to {host}[{ip}]:25: Connection refused", "connect to {host}[{ip}]:25: No route to host",
           "Host or domain name not found. Name service error for name={domain} type=MX: Host not found, try again",
           "delivery temporarily suspended: connect to {host}[{ip}]:25: Connection timed out"]
SESSION = ["lost connection with {host}[{ip}] while receiving the initial server greeting", "conversation with {host}[{ip}] timed out while sending RCPT TO",
           "host {host}[{ip}] refused to talk to me: 421 4.7.0 {host} Too many connections", "lost connection with {host}[{ip}] while sending end of data -- message may be sent more than once"]
ACCEPTED = ["250 2.0.0 Ok: queued as {short}", "250 OK id={exim}", "250 2.0.0 OK {ref} - accepted", "250 2.6.0 {ref} Queued mail for delivery",
            "250 Message accepted for delivery", "250 2.0.0 {ref} Message accepted for delivery", "250 2.0.0 Ok: queued as {long}"]
STAGES = [" (in reply to RCPT TO command)", " (in reply to RCPT TO command)", " (in reply to MAIL FROM command)", " (in reply to end of DATA command)"]


def wordings(table, first_digit):
    """Every way to say everything in `table`: code, wording and stage, with places for what differs by message."""
    basic = {"5": ["550", "554", "552"], "4": ["450", "451", "421", "452"]}[first_digit]
    out = []
    for enhanced, cores in sorted(table.items()):
        for i, (core, who, end) in enumerate(itertools.product(cores, WHO, END_OF)):
            code = basic[i % len(basic)]
            out.append((enhanced, f"{code} {enhanced} {who}{core}{end}", STAGES[i % len(STAGES)]))
    return out


class Receiver:
    """A recipient's domain: its host, and how that one words things."""

    def __init__(self, number, random_, hard, soft):
        tld = ("example", "test", "invalid")[number % 3]
        self.name = f"{('mail', 'firm', 'shop', 'uni', 'town')[number % 5]}{number}.{tld}"
        self.host = f"mx{number % 4 + 1}.{self.name}"
        self.ip = f"198.{18 + number % 2}.{number // 250 % 250}.{number % 250 + 1}"
        self.hard = random_.sample(hard, 5)
        self.soft = random_.sample(soft, 3)
        self.accepted = random_.choice(ACCEPTED)


# ------------------------------------------------------------------------------------------------------------------ server


class Mail:
    """A message in the queue; `todo` holds recipients as [address, receiver, failures to come, end, deferred already, wording]."""

    __slots__ = ("id", "inode", "arrival", "sender", "size", "todo", "gap")


class Server:
    def __init__(self, args):
        self.random = random.Random(args.seed)
        self.out = open(args.log, "w", buffering=1 << 20, newline="\n")
        self.wanted = args.lines
        days = max(2.5, args.lines / args.lines_per_day)
        self.start = END.timestamp() - days * 86_400
        self.gap = days * 86_400 * LINES_PER_ARRIVAL / args.lines
        self.long = args.ids == "long"
        self.iso = args.stamps == "3339"
        hard, soft = wordings(PERMANENT, "5"), wordings(TEMPORARY, "4")
        self.receivers = [Receiver(n, self.random, hard, soft) for n in range(DOMAINS)]
        # A few receivers get most of the mail, and every one gets some.
        self.weights = list(itertools.accumulate(1 / (n + 3) + 1 / 2_000 for n in range(DOMAINS)))
        self.events, self.order = [], itertools.count()
        self.pending, self.lines, self.second, self.stamp_text = [], 0, None, ""
        self.inodes, self.free = itertools.count(0x40000), []
        self.domains, self.wordings = {}, set()
        self.truth = dict.fromkeys(("messages", "notifications", "rejects", "expired_messages"), 0)

    # Time and lines

    def at(self, when, what, *args):
        heapq.heappush(self.events, (when, next(self.order), what, args))

    def say(self, when, program, pid, text):
        heapq.heappush(self.pending, (when, next(self.order), f" mx1 postfix/{program}[{pid}]: {text}\n"))
        self.lines += 1

    def flush(self, until):
        pending, write, stamp = self.pending, self.out.write, self.stamp
        while pending and pending[0][0] <= until:
            when, _, text = heapq.heappop(pending)
            write(stamp(when))
            write(text)

    def stamp(self, when):
        moment = self.start + when
        second = int(moment)
        if second != self.second:
            self.second = second
            t = datetime.datetime.fromtimestamp(second, datetime.timezone.utc)
            clock = "%02d:%02d:%02d" % (t.hour, t.minute, t.second)
            self.stamp_text = "%d-%02d-%02dT%s" % (t.year, t.month, t.day, clock) if self.iso else "%s %2d %s" % (MONTHS[t.month - 1], t.day, clock)
        return "%s.%06d+00:00" % (self.stamp_text, (moment - second) * 1e6) if self.iso else self.stamp_text

    # Ids

    def new_id(self, when):
        """A queue id and its inode; an inode is free again when its message is removed, so that short ids come back."""
        inode = self.free.pop(self.random.randrange(len(self.free))) if len(self.free) > 64 else next(self.inodes)
        moment = self.start + when
        micros = int(moment % 1 * 1_000_000)
        if not self.long:
            return "%05X%X" % (micros, inode), inode
        return digits(int(moment), 52, 6) + digits(micros, 52, 4) + "z" + digits(inode, 51, 1), inode

    def removed(self, when, mail):
        self.say(when, "qmgr", 611, f"{mail.id}: removed")
        self.free.append(mail.inode)

    # What happens

    def arrive(self, when):
        if self.random.random() < 0.88:
            self.message(when)
        else:
            self.reject(when)
        self.at(when + self.random.expovariate(1 / self.gap), self.arrive)

    def message(self, when):
        pick = self.random
        mail = Mail()
        mail.id, mail.inode = self.new_id(when)
        mail.arrival, mail.gap, mail.size = when, 300, pick.randrange(900, 90_000)
        mail.sender = "%s@brand%d.example" % (pick.choice(("news", "billing", "noreply", "alerts", "hello")), pick.randrange(40))
        mail.todo = []
        for _ in range(pick.choices((1, 2, 3, 7), (82, 10, 6, 2))[0]):
            receiver = pick.choices(self.receivers, cum_weights=self.weights)[0]
            fate = pick.random()
            failures, end = (
                (0, "sent") if fate < 0.875
                else (0, "bounced") if fate < 0.93
                else (pick.choice((1, 1, 1, 2, 3, 5)), "sent") if fate < 0.982
                else (2, "bounced") if fate < 0.987
                else (1_000_000, "expired")
            )
            mail.todo.append([f"user{pick.randrange(900_000)}@{receiver.name}", receiver, failures, end, False, None])
        # The same address twice in one message would be one delivery.
        mail.todo = list({entry[0]: entry for entry in mail.todo}.values())
        client, pid, count = pick.randrange(9), pick.randrange(1_000, 32_000), len(mail.todo)
        host = f"app{client}.example[10.0.0.{client}]"
        self.truth["messages"] += 1
        self.say(when - 0.02, "smtpd", pid, f"connect from {host}")
        self.say(when, "smtpd", pid, f"{mail.id}: client={host}")
        self.say(when + 0.02, "cleanup", pid + 3, f"{mail.id}: message-id=<{pick.getrandbits(72):018x}@brand.example>")
        self.say(when + 0.05, "smtpd", pid, f"disconnect from {host} ehlo=1 mail=1 rcpt={count} data=1 quit=1 commands={count + 4}")
        self.at(when + 0.06, self.queue_run, mail)

    def reject(self, when):
        pick = self.random
        host, pid = "unknown[203.0.113.%d]" % pick.randrange(255), pick.randrange(1_000, 32_000)
        self.truth["rejects"] += 1
        self.say(when, "smtpd", pid, f"connect from {host}")
        self.say(when, "smtpd", pid, f"NOQUEUE: reject: RCPT from {host}: 554 5.7.1 <v{pick.randrange(99)}@brand1.example>: Relay access denied; "
                 f"from=<x@y{pick.randrange(999)}.invalid> to=<v@brand1.example> proto=ESMTP helo=<y.invalid>")
        self.say(when, "smtpd", pid, f"disconnect from {host} ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4")

    def queue_run(self, when, mail):
        """One try for every recipient that still waits."""
        self.say(when, "qmgr", 611, f"{mail.id}: from=<{mail.sender}>, size={mail.size}, nrcpt={len(mail.todo)} (queue active)")
        waiting, bounced = [], False
        for entry in mail.todo:
            outcome = self.attempt(when + self.random.uniform(0.2, 2.5), mail, entry)
            bounced |= outcome == "bounced"
            if outcome == "deferred":
                waiting.append(entry)
        mail.todo = waiting
        if waiting and when - mail.arrival > LIFETIME:
            self.truth["expired_messages"] += 1
            for entry in waiting:
                row = self.domains[entry[1].name]
                row["deferred"] -= 1
                row["expired"] += 1
            self.say(when + 2.8, "qmgr", 611, f"{mail.id}: from=<{mail.sender}>, status=expired, returned to sender")
            waiting, bounced = [], True
        if bounced:
            self.notify(when + 2.9, mail)
        if waiting:
            self.at(when + mail.gap * self.random.uniform(0.9, 1.2), self.queue_run, mail)
            mail.gap = min(mail.gap * 2, 4_000)
        else:
            self.removed(when + 3.5, mail)

    def attempt(self, when, mail, entry):
        pick = self.random
        address, receiver, failures, end, was_deferred, wording = entry
        row = self.domains.get(receiver.name)
        if row is None:
            row = self.domains[receiver.name] = dict.fromkeys(("deliveries", "delivered", "delayed", "bounced", "expired", "deferred", "attempts"), 0)
        if not was_deferred:
            row["deliveries"] += 1
        row["attempts"] += 1
        program, relay, ref = "smtp", f"{receiver.host}[{receiver.ip}]:25", "%012x%03d" % (pick.getrandbits(48), pick.randrange(1000))
        if failures:
            outcome = "deferred"
            entry[2] -= 1
            if not was_deferred:
                entry[4] = True
                row["deferred"] += 1
                kind = pick.random()
                entry[5] = pick.choice(receiver.soft) if kind < 0.7 else ("4.4.1", pick.choice(CONNECT), None) if kind < 0.9 else ("4.4.2", pick.choice(SESSION), "")
            dsn, text, stage = entry[5]
            if stage is None:
                relay = "none"
                program = "error" if text.startswith("delivery temp") else "smtp"
        elif end == "bounced":
            outcome = "bounced"
            dsn, text, stage = pick.choice(receiver.hard)
        else:
            outcome = "sent"
            dsn, text, stage = "2.0.0", receiver.accepted, ""
        if outcome != "deferred":
            row["delivered" if outcome == "sent" else "bounced"] += 1
            if was_deferred:
                row["deferred"] -= 1
                row["delayed"] += outcome == "sent"
        if outcome != "sent":
            self.wordings.add(text)
        text = text.format(rcpt=address, ip=receiver.ip, host=receiver.host, domain=receiver.name, ref=ref, short="%011X" % pick.getrandbits(44),
                           long="4" + ref[:9].translate(CONSONANTS) + "z" + ref[9:13].translate(CONSONANTS), exim=f"1x{ref[:4]}-{ref[4:10]}-{ref[10:12]}")
        if stage:
            text = f"host {receiver.host}[{receiver.ip}] said: {text}{stage}"
        delay = when - mail.arrival
        delay = "%.2g" % delay if delay < 100 else "%d" % delay
        extra = ", conn_use=%d" % pick.randrange(2, 9) if relay != "none" and pick.random() < 0.12 else ""
        alias = ", orig_to=<list%d@brand1.example>" % pick.randrange(50) if pick.random() < 0.03 else ""
        pid = pick.randrange(900, 9_000)
        if outcome == "sent" and pick.random() < 0.3:
            self.say(when - 0.1, program, pid, f"Untrusted TLS connection established to {relay}: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)")
        elif stage is None and program == "smtp" and relay == "none" and text.startswith("connect"):
            self.say(when - 0.1, program, pid, text)
        self.say(when, program, pid, f"{mail.id}: to=<{address}>{alias}, relay={relay}{extra}, delay={delay}, delays={delay}/0.01/0.{pick.randrange(10, 99)}/0.2, "
                 f"dsn={dsn}, status={outcome} ({text})")
        return outcome

    def notify(self, when, mail):
        self.truth["notifications"] += 1
        notice = Mail()
        notice.id, notice.inode = self.new_id(when)
        stamp = datetime.datetime.fromtimestamp(self.start + when, datetime.timezone.utc)
        self.say(when, "cleanup", 7_001, f"{notice.id}: message-id=<{stamp:%Y%m%d%H%M%S}.{notice.id}@mx1.example>")
        self.say(when + 0.01, "bounce", 7_002, f"{mail.id}: sender non-delivery notification: {notice.id}")
        self.say(when + 0.02, "qmgr", 611, f"{notice.id}: from=<>, size={self.random.randrange(2_000, 9_000)}, nrcpt=1 (queue active)")
        self.say(when + 0.2, "local", 7_003, f"{notice.id}: to=<{mail.sender}>, relay=local, delay=0.05, delays=0.03/0.01/0/0.01, dsn=2.0.0, status=sent (delivered to mailbox)")
        self.removed(when + 0.3, notice)

    def run(self):
        self.at(1.0, self.arrive)
        while self.lines < self.wanted:
            when, _, what, args = heapq.heappop(self.events)
            # No event says anything more than a tenth of a second before its own time.
            self.flush(when - 0.1)
            what(when, *args)
        self.flush(float("inf"))
        self.out.close()
        # Stamps without a year take it from the time of the file.
        os.utime(self.out.name, (self.second, self.second))
        totals = {}
        for row in self.domains.values():
            for key, value in row.items():
                totals[key] = totals.get(key, 0) + value
        return {"lines": self.lines, **self.truth, "wordings": len(self.wordings), "totals": totals, "domains": self.domains}


CONSONANTS = str.maketrans("abcdef", "bcdfgh")


def digits(number, base, least):
    out = ""
    while number or len(out) < least:
        number, digit = divmod(number, base)
        out = BASE52[digit] + out
    return out


def main():
    parser = argparse.ArgumentParser(description="Writes a Postfix log and what is true of it.")
    parser.add_argument("log")
    parser.add_argument("truth")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--lines-per-day", type=int, default=LINES_PER_DAY)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stamps", choices=("3164", "3339"), default="3164", help="RFC of the syslog's stamps")
    parser.add_argument("--ids", choices=("short", "long"), default="short", help="queue ids; long ones hold a clock")
    args = parser.parse_args()
    truth = Server(args).run()
    with open(args.truth, "w") as out:
        json.dump(truth, out, indent=1, sort_keys=True)
        out.write("\n")
    print({"lines": truth["lines"], "domains": len(truth["domains"]), "wordings": truth["wordings"], **truth["totals"]})


if __name__ == "__main__":
    main()
