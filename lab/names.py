"""A name server for the lab: a zone that is a dictionary, on port 53 of an address of 127.0.0.0/8 that is the lab's alone.

Knows MX and A, and how to fail: no such name, server failure, no answer at all. Not a name server for anything else.
"""

import socket
import struct
import threading

A, MX, NOERROR, SERVFAIL, NXDOMAIN = 1, 15, 0, 2, 3


def encode(name):
    """A name in wire form (RFC 1035, 3.1); "." is the root."""
    labels = [label.encode() for label in name.strip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


class Names(threading.Thread):
    """Answers from `zone`: {name: {"MX": [(preference, host)], "A": [address], "fails": "servfail" | "silent"}}.

    A name that is in the zone and lacks what is asked for exists without it; any other name does not exist.
    """

    def __init__(self, udp, zone):
        super().__init__(daemon=True)
        self.udp, self.zone = udp, {name.lower(): entry for name, entry in zone.items()}

    def run(self):
        while True:
            query, client = self.udp.recvfrom(4096)
            try:
                reply = self.answer(query)
            except (IndexError, struct.error, UnicodeDecodeError):
                continue
            if reply:
                self.udp.sendto(reply, client)

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind = struct.unpack("!H", query[at + 1 : at + 3])[0]
        question = query[12 : at + 5]
        entry = self.zone.get(".".join(labels).lower())
        fails = (entry or {}).get("fails")
        if fails == "silent":
            return None
        records = []
        if entry and not fails and kind == MX:
            records = [struct.pack("!H", preference) + encode(host) for preference, host in entry.get("MX", [])]
        elif entry and not fails and kind == A:
            records = [socket.inet_aton(address) for address in entry.get("A", [])]
        code = SERVFAIL if fails else NOERROR if entry is not None else NXDOMAIN
        # A reply that is authoritative; recursion is said to be available, or resolvers complain.
        head = query[:2] + struct.pack("!HHHHH", 0x8580 | code, 1, len(records), 0, 0)
        body = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data for data in records)
        return head + question + body
