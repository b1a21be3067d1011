"""Connects to a running fit with keys that it knows, and sends nonsense of many kinds.

    /usr/bin/python3 pyzmq_nonsense.py ENDPOINT KEYS PLAN SECONDS

KEYS is a key folder with worker.secret, worker.public and coordinator.public; PLAN is the fit's plan.json, which
says what a hello has to hold to be believed. Prints a JSON object: how many messages of each kind were sent.
"""

import json
import os
import random
import struct
import sys
import time

import zmq

HELLO, READY, WORK, RESULT, BEAT, FAILURE, GOODBYE = 1, 4, 5, 6, 7, 8, 9
SHARD_REQUEST, SHARD_PART, SHARD_RECEIVED, SHARD_REFUSED = 13, 14, 15, 16


def header(kind, run=bytes(16), epoch=0, job=0, assignment=0, part=0, session=0, bulk=0, magic=b"ISMX", version=6):
    return struct.pack("<4sHH16sQQQIIQ", magic, version, kind, run, epoch, job, assignment, part, session, bulk)


class Peer:
    """A connection with valid keys."""

    def __init__(self, endpoint, keys):
        def key(name):
            with open(os.path.join(keys, name)) as file:
                return file.read()[:40].encode()

        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.sndtimeo = 200
        self.socket.curve_serverkey = key("coordinator.public")
        self.socket.curve_publickey = key("worker.public")
        self.socket.curve_secretkey = key("worker.secret")
        self.socket.connect(endpoint)

    def send(self, frames):
        try:
            self.socket.send_multipart(frames)
        except zmq.Again:
            return False
        return True

    def register(self, plan, name):
        """Says hello and returns run, epoch and session of the welcome; None when none comes."""
        hello = {
            "worker": name, "incarnation": 1, "host": "python", "processID": os.getpid(), "threads": 1,
            "version": plan["version"], "build": plan["build"], "fingerprint": plan["numerics"]["digest"],
            "numerics": "as yours", "isLocalChild": True, "isRelay": False,
        }
        self.send([header(HELLO), json.dumps(hello).encode(), b""])
        if not self.socket.poll(5000):
            return None
        words = struct.unpack("<4sHH16sQQQIIQ", self.socket.recv_multipart()[0])
        return dict(run=words[3], epoch=words[4], session=words[8])

    def close(self):
        self.socket.close()


def nonsense(rng, session):
    """Kinds of nonsense by name; each makes the frames of one message."""
    noise = lambda limit: rng.randbytes(rng.randrange(limit))
    good = lambda kind, **fields: header(kind, **{**session, **fields})
    return {
        "noise": lambda: [noise(300) for _ in range(rng.randrange(1, 8))],
        "noise in three frames": lambda: [rng.randbytes(64), noise(300), noise(300)],
        "nothing": lambda: [b""],
        "one large frame": lambda: [rng.randbytes(100_000)],
        "wrong magic": lambda: [good(BEAT, magic=b"XMSI"), b"", b""],
        "wrong version": lambda: [good(BEAT, version=rng.randrange(7, 65536)), b"", b""],
        "truncated header": lambda: [good(BEAT)[: rng.randrange(64)], b"", b""],
        "header with a tail": lambda: [good(BEAT) + noise(10) + b"x", b"", b""],
        "unknown kind": lambda: [good(rng.randrange(17, 65536)), b"", b""],
        "too many frames": lambda: [good(BEAT)] + [b"x"] * rng.randrange(3, 2000),
        "part of nothing": lambda: [good(RESULT, part=rng.randrange(1, 9), bulk=1 << 20), b"", bytes(1 << 17)],
        "huge number of parts": lambda: [good(RESULT, part=0, bulk=1 << 32), bytes(8), bytes(1 << 17)],
        "bulk over every limit": lambda: [good(RESULT, bulk=(1 << 64) - 1), bytes(8), b"x"],
        "bulk that is not there": lambda: [good(RESULT, bulk=80), bytes(8), b""],
        "result for nobody": lambda: [good(RESULT, job=9, assignment=rng.getrandbits(63), bulk=8), bytes(8), bytes(8)],
        "beat of noise": lambda: [good(BEAT), noise(100), b""],
        "beat of thousands": lambda: [good(BEAT), struct.pack("<QBBH", 1, 1, 0, 65535) + bytes(8 * 65), b""],
        "ready that is no JSON": lambda: [good(READY), b"{" * rng.randrange(1, 60_000), b""],
        "hello of the wrong shape": lambda: [header(HELLO), json.dumps({"worker": [1] * 99}).encode(), b""],
        "hello of impossible numbers": lambda: [header(HELLO), b'{"threads": 1e999, "processID": -1}', b""],
        "what only a coordinator says": lambda: [good(rng.choice([2, 3, WORK, 10, SHARD_PART, SHARD_REFUSED])), noise(100), b""],
        "request for noise": lambda: [good(SHARD_REQUEST), noise(100), b""],
        "request for what is not there": lambda: [good(SHARD_REQUEST), rng.randbytes(32 + 8), b""],
        "ticket of nobody": lambda: [good(SHARD_RECEIVED), rng.randbytes(8), b""],
        "failure of a child": lambda: [good(FAILURE), b'{"exitCode":65,"message":"bad","job":0,"assignment":0}', b""],
        "goodbye": lambda: [good(GOODBYE), b'{"exitCode":0,"message":"\\u0000\\u001b[2J"}', b""],
    }


def main():
    endpoint, keys, plan_path, seconds = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])
    with open(plan_path) as file:
        plan = json.load(file)
    rng = random.Random(7)
    deadline = time.monotonic() + seconds
    sent, registered, rounds = {}, 0, 0
    while time.monotonic() < deadline:
        # Each kind over a connection of its own, half of them as somebody who has registered.
        for name in nonsense(rng, {}):
            peer = Peer(endpoint, keys)
            session = peer.register(plan, f"python-{rounds}-{name}") if rng.random() < 0.5 else None
            registered += session is not None
            make = nonsense(rng, session or {})[name]
            for _ in range(rng.choice([1, 20, 1000])):
                if not peer.send(make()):
                    break
                sent[name] = sent.get(name, 0) + 1
            time.sleep(0.01)
            peer.close()
            if time.monotonic() > deadline + 5:
                break
        rounds += 1
    print(json.dumps({"sent": sent, "registered": registered, "rounds": rounds}))


main()
