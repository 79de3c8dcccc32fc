#!/usr/bin/env python3
"""Writes the made-up day of a Postfix server that the pictures in docs/ show: demo.py > mail.log

No text, address or network in it is anyone's; the same bytes each time.
"""

import math
import random

dice = random.Random(7)
PROVIDERS = {  # relay, and how much of the mail goes there
    "mx1.l.google.com": 30, "example-com.mail.protection.outlook.com": 24, "mta5.am0.yahoodns.net": 9, "mx00.gmx.net": 8,
    "mx01.mail.icloud.com": 6, "mx-in.orange.fr": 5, "mx.own.example": 18,
}
NAMES = "acme birch cedar delta ember fjord grove harbor iris juniper kestrel linden maple north opal pine quartz river stone tulip".split()
DOMAINS = [(f"{a}-{b}.example", dice.choices(list(PROVIDERS), PROVIDERS.values())[0], 1 / (3 + i))
           for i, (a, b) in enumerate(dice.sample([(a, b) for a in NAMES for b in NAMES if a != b], 240))]
REPLIES = [  # how often, reply, what Postfix does, for which relays ("" for all)
    (14, "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table (in reply to RCPT TO command)", "bounced", ""),
    (6, "550 5.1.1 The email account that you tried to reach does not exist (in reply to RCPT TO command)", "bounced", "google"),
    (5, "552 5.2.2 <{to}>: Mailbox full (in reply to RCPT TO command)", "bounced", ""),
    (9, "450 4.2.0 <{to}>: Recipient address rejected: Greylisted, please try again (in reply to RCPT TO command)", "greylisted", "own"),
    (5, "421 4.7.0 Too many messages from your address, try again later (in reply to MAIL FROM command)", "deferred", "yahoo"),
    (4, "550 5.7.26 Unauthenticated mail is refused: SPF and DKIM did not pass (in reply to end of DATA command)", "bounced", "google"),
    (3, "554 5.7.1 Message rejected as spam (in reply to end of DATA command)", "bounced", "gmx"),
    (2, "550 5.2.1 The account is disabled (in reply to RCPT TO command)", "bounced", "icloud"),
]
LISTED = "554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using zen.spamhaus.org (in reply to RCPT TO command)"


def stamp(second):
    return f"2026-11-21T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}+00:00"


def main():
    lines = []
    arrivals = sorted(int(dice.triangular(0, 86_000, 50_000)) if dice.random() < .7 else dice.randrange(86_000) for _ in range(9_000))
    for number, at in enumerate(arrivals):
        queue_id, host = f"{0x4A0000000 + number:010X}", dice.choices(["mx1", "mx2"], [3, 1])[0]
        sender = dice.choices(["news.shop.example", "shop.example", "billing.example"], [5, 4, 1])[0]
        domain, relay, _ = dice.choices(DOMAINS, [d[2] for d in DOMAINS])[0]
        to, where = f"user{dice.randrange(400)}@{domain}", f"{relay}[198.51.100.{dice.randrange(1, 250)}]"

        def attempt(second, delay, reply, status, dsn):
            lines.append((second, f"{host} postfix/smtp[77]: {queue_id}: to=<{to}>, relay={where}:25, delay={delay:.2g}, delays=0.1/0/0.2/{delay:.2g}, "
                                  f"dsn={dsn}, status={status} ({reply})"))

        lines.append((at, f"{host} postfix/smtpd[70]: {queue_id}: client=app.shop.example[192.0.2.80]"))
        lines.append((at, f"{host} postfix/qmgr[71]: {queue_id}: from=<mailer@{sender}>, size={dice.randrange(2000, 90000)}, nrcpt=1 (queue active)"))
        quick = math.exp(dice.gauss(.3, 1.1))
        reply, what = "250 2.0.0 OK", "sent"
        if host == "mx2" and at > 50_400 and "outlook" in relay and dice.random() < .7:
            reply, what = LISTED, "bounced"
        elif dice.random() < .085:
            _, reply, what, only = dice.choices(REPLIES, [r[0] for r in REPLIES])[0]
            if only not in relay:
                reply, what = REPLIES[0][1:3] if dice.random() < .25 else ("250 2.0.0 OK", "sent")
        said = f"host {where} said: {reply.format(to=to)}"
        if what == "sent":
            attempt(at + int(quick), quick, f"{reply}: queued as A{number:05}", "sent", "2.0.0")
        elif what == "bounced":
            attempt(at + 1, 1.2, said, "bounced", reply.split()[1])
        else:
            attempt(at + 1, 1.2, said, "deferred", reply.split()[1])
            later = at + dice.choice([330, 640, 1300, 3900])
            if later >= 86_400 or what == "deferred" and at > 80_000:
                continue
            attempt(later, later - at, f"250 2.0.0 OK: queued as B{number:05}", "sent", "2.0.0")
        lines.append((max(line[0] for line in lines[-3:]), f"{host} postfix/qmgr[71]: {queue_id}: removed"))
    for second, text in sorted(lines, key=lambda line: line[0]):
        print(stamp(min(second, 86_399)), text)


main()
