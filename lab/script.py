"""scenarios.toml, read for one server: who gets mail, what the hosts do about it, what the names say, and what must come out.

Makes no truth of its own: everything in truth.json was written by hand in scenarios.toml, or was seen on the wire by the sink. A truth is
a line, `OUTCOME [delayed] CLASS REASON STAGE CODE ENHANCED [xATTEMPTS]`, with "-" for what the log does not have.
"""

import collections
import re
import tomllib

EXCLUDED = {"hop": "hops", "probe": "probes", "discarded": "discarded", "suppressed": "suppressed", "notification": "notifications"}
STAGES = ("greeting", "tls", "ehlo", "helo", "mail", "rcpt", "data", "end", "quit")
KEYS = {"name", "about", "to", "send", "later", "sender", "size", "host", "dns", "with", "aliases", "then", "truth", "postfix", "exim",
        "excluded", "instance", "wire", "domain", "sessions", "sendmail"} | set(STAGES)
HOST_KEYS = {"listen", "offers", "encoding"} | set(STAGES)
SENDER = "news@client.test"


class Wrong(Exception):
    """scenarios.toml says something that cannot be, or the run was not what it says."""


class Truth:
    """What must come out for one recipient."""

    def __init__(self, scenario, recipient, line):
        self.scenario, self.recipient, self.instance = scenario, recipient, None
        words = line.split()
        self.attempts = int(words.pop()[1:]) if re.fullmatch(r"x\d+", words[-1]) else 1
        self.outcome = words.pop(0)
        self.delayed = bool(words) and words[0] == "delayed" and bool(words.pop(0))
        self.excluded = EXCLUDED.get(self.outcome)
        self.failed = self.outcome in ("bounced", "expired", "deferred")
        if not (self.failed and len(words) == 5 or not words and (self.excluded or self.outcome == "delivered")):
            raise Wrong(f"{scenario}: a truth is 'OUTCOME [delayed] CLASS REASON STAGE CODE ENHANCED [xN]', not {line!r}")
        null = [None if word == "-" else word for word in words] or [None] * 5
        self.kind, self.reason, self.stage, code, self.enhanced = null
        self.code = code and int(code)

    def row(self):
        return {"scenario": self.scenario, "recipient": self.recipient, "outcome": self.outcome, "class": self.kind,
                "reason": self.reason, "stage": self.stage, "smtp_code": self.code, "enhanced_code": self.enhanced,
                "attempts": self.attempts, "delayed": self.delayed, "instance": self.instance}


class Scenario:
    """One scenario as one server runs it."""

    def __init__(self, raw, server):
        unknown = set(raw) - KEYS
        self.name = raw.get("name", "?")
        if unknown:
            raise Wrong(f"{self.name}: what is {', '.join(sorted(unknown))}?")
        own = raw.get(server, {})
        own = {"truth": own} if not isinstance(own, dict) or not set(own) <= KEYS else own
        raw = {**raw, **own}
        self.runs = raw.get("truth") not in (False, None)
        self.about, self.domain = raw["about"], raw.get("domain", self.name + ".test")
        self.kind, self.then, self.dns = raw.get("with"), raw.get("then"), raw.get("dns")
        self.sender, self.size = raw.get("sender", SENDER), raw.get("size", 0)
        self.second = raw.get("instance") == "second"
        self.sessions, self.wire, self.sendmail = raw.get("sessions"), raw.get("wire", True), raw.get("sendmail", [])
        self.aliases = {name: [self.address(to) for to in others] for name, others in raw.get("aliases", {}).items()}
        to = raw.get("to", ["u"])
        self.send = [[self.address(r) for r in message] for message in raw.get("send", [to])]
        self.later = [[self.address(r) for r in message] for message in raw.get("later", [])]
        self.excluded = raw.get("excluded", {})
        script = {stage: raw[stage] for stage in STAGES if stage in raw}
        self.hosts = [dict(host) for host in raw.get("host", [{}])]
        for host in self.hosts:
            if set(host) - HOST_KEYS:
                raise Wrong(f"{self.name}: a host has no {set(host) - HOST_KEYS}")
            host.update(scenario=self.name, lmtp=self.kind == "lmtp", encoding=host.get("encoding", "utf-8"))
            host["script"] = {**script, **{stage: host[stage] for stage in STAGES if stage in host}}
        truth = raw.get("truth") or {}
        if isinstance(truth, str):
            truth = {r: truth for message in self.send + self.later for r in message}
        self.truth = [Truth(self.name, self.address(r), line) for r, line in truth.items()] if self.runs else []
        for each in self.truth:
            # The queue's name, where a server has several.
            each.instance = None if server == "exim" else "postfix-second" if self.second else "postfix"

    def address(self, local):
        return local if "@" in local.rsplit('"', 1)[-1] or local.startswith(("|", '"|', "/")) else f"{local}@{self.domain}"


def load(path, server):
    """The scenarios that a server runs, in the order of the file, and the names of all."""
    with open(path, "rb") as file:
        raw = tomllib.load(file)["scenario"]
    scenarios = [Scenario(each, server) for each in raw]
    twice = [n for n, times in collections.Counter(s.name for s in scenarios).items() if times > 1]
    twice += [n for n, times in collections.Counter(t.recipient for s in scenarios for t in s.truth).items() if times > 1]
    if twice:
        raise Wrong(f"named twice: {', '.join(twice)}")
    return [s for s in scenarios if s.runs], [s.name for s in scenarios]


def place(scenarios, network):
    """Gives every host an address; gives the zone that tells them."""
    zone = {"client.test": {"MX": [(10, "mx.client.test")]}, "mx.client.test": {"A": [network + ".9"]}}
    number = iter(n for n in range(10, 255) if n != 53)
    for scenario in scenarios:
        names = []
        for i, host in enumerate(scenario.hosts):
            host["address"] = f"{network}.{next(number)}"
            name = f"mx{i + 1 if i else ''}.{scenario.domain}".encode("idna").decode()
            names.append((10 * (i + 1), name))
            zone[name] = {"A": [host["address"]]}
        dns = scenario.dns or "mx"
        if dns == "null-mx":
            zone[scenario.domain] = {"MX": [(0, ".")]}
        elif dns in ("servfail", "silent"):
            zone[scenario.domain] = {"fails": dns}
        elif dns == "no-data":
            zone[scenario.domain] = {}
        elif dns == "mx-unknown":
            zone[scenario.domain] = {"MX": names}
            del zone[names[0][1]]
        elif dns == "mx-servfail":
            zone[scenario.domain] = {"MX": names}
            zone[names[0][1]] = {"fails": "servfail"}
        elif dns == "address":
            zone[scenario.domain] = {"A": [scenario.hosts[0]["address"]]}
        elif dns == "loop":
            zone[scenario.domain] = {"MX": names}
            zone[names[0][1]] = {"A": [network + ".2"]}
        elif dns == "mx":
            zone[scenario.domain.encode("idna").decode()] = {"MX": names}
        elif dns != "nothing":
            raise Wrong(f"{scenario.name}: no names are made for dns = {dns!r}")
    return zone


def check_wire(scenarios, wire):
    """What the script says must have happened on the wire; gives what did not."""
    wrong = []
    for scenario in scenarios:
        failures = [f for f in wire.failures if f[0] == scenario.name]
        accepted = [a for a in wire.accepted if a[0] == scenario.name]
        sessions = len({f[-1] for f in failures} | {a[-1] for a in accepted})
        if scenario.sessions and sessions != scenario.sessions:
            wrong.append(f"{scenario.name}: {sessions} sessions, not {scenario.sessions}")
        if not scenario.wire or scenario.dns not in (None, "address"):
            continue
        listening = [host for host in scenario.hosts if host.get("listen", True) is True]
        for truth in scenario.truth:
            seen = [f for f in failures if f[1] in (truth.recipient, "*")]
            taken = [a for a in accepted if a[1] == truth.recipient]
            if (truth.outcome == "delivered") != bool(taken):
                wrong.append(f"{scenario.name}: {truth.recipient} is to be {truth.outcome}, and was accepted {len(taken)} times")
            if truth.failed and listening and truth.stage and not any(f[2] == truth.stage and f[3:5] == (truth.code, truth.enhanced) or
                                           truth.code is None and f[2] == truth.stage for f in seen):
                wrong.append(f"{scenario.name}: {truth.recipient}: {truth.stage} {truth.code} {truth.enhanced} was not said, but {seen}")
            attempts = len({f[-1] for f in seen} | {a[-1] for a in taken})
            if len(scenario.hosts) == 1 and listening and scenario.sessions is None and attempts != truth.attempts:
                wrong.append(f"{scenario.name}: {truth.recipient} was tried {attempts} times, not {truth.attempts}")
    return wrong


def truth_of(server, scenarios, names, wire):
    """truth.json: the numbers of the report, and what must come out for every recipient."""
    totals = ["deliveries", "delivered", "delayed", "bounced", "expired", "deferred", "hard", "soft", "attempts"]
    rows = {"totals": dict.fromkeys(totals, 0), "domains": {}}
    excluded = collections.Counter(notifications=len(wire.notifications))
    reasons = collections.Counter()
    recipients = []
    for scenario in scenarios:
        excluded.update(scenario.excluded)
        for truth in scenario.truth:
            if truth.excluded:
                excluded[truth.excluded] += 1
                continue
            recipients.append(truth.row())
            domain = truth.recipient.rsplit("@", 1)[-1].encode("idna").decode() if "@" in truth.recipient else "(local)"
            for row in rows["totals"], rows["domains"].setdefault(domain, dict.fromkeys(totals, 0)):
                for name in ["deliveries", truth.outcome] + [truth.kind] * truth.failed + ["delayed"] * truth.delayed:
                    row[name] += 1
                row["attempts"] += truth.attempts
            if truth.failed:
                reasons["suppressed" if scenario.then in ("remove", "give-up") else truth.reason] += 1
    return {"server": server, "scenarios": {s.name: s.about for s in scenarios}, "not_run": [n for n in names if n not in {s.name for s in scenarios}],
            **rows, "excluded": dict(excluded), "reasons": dict(sorted(reasons.items())), "recipients": recipients}
