"""A proxy in front of one broker that holds, loses or cuts off chosen Kafka requests.

Clients are given the proxy's `bootstrap`; in the answers that name the broker (Metadata, FindCoordinator,
DescribeCluster) its port is replaced by the proxy's, so that they stay here. Everybody else talks to the
broker itself. Nothing is random: a rule hits the nth request that matches it, and those after it up to `times`.
"""

import re
import socket
import struct
import threading

METADATA = 3
PRODUCE, INIT_PRODUCER_ID, ADD_PARTITIONS, ADD_OFFSETS, END_TXN, TXN_OFFSET_COMMIT = 0, 22, 24, 25, 26, 28
# Metadata, FindCoordinator, DescribeCluster: their answers hold the broker's host, and its port right behind.
NAMING = {METADATA, 10, 60}

# What can happen to a request. It and all behind it on its connection wait; they reach the broker even if the client
# has hung up meanwhile, as packets do that were on their way.
HOLD = "hold"
DROP_REQUEST = "drop request"  # the broker never sees it; the connection stays
DROP_ANSWER = "drop answer"
CUT_BEFORE = "cut before"  # the connection breaks, the broker never sees the request
CUT_AFTER = "cut after"  # the broker has answered, the connection breaks before the client sees it
FAULTS = (HOLD, DROP_REQUEST, DROP_ANSWER, CUT_BEFORE, CUT_AFTER)
# Of Metadata that asks for topics only: the answer names no broker, and the connection breaks. So does a broker that is
# the last of its cluster to end in order.
NAME_NOBODY = "name nobody"


class Rule:
    """One fault for some of the requests with an API key. It counts those that match (`seen`), those of them that it
    has hit (`hits`), and those of the latter that the broker has answered."""

    def __init__(self, api_key, fault, seconds, nth, times, client, body):
        assert fault in (*FAULTS, NAME_NOBODY), f"there is no fault '{fault}', only {', '.join(FAULTS)}, {NAME_NOBODY}"
        assert (fault == HOLD) == (seconds is not None), "what is held, and only that, has a time in seconds"
        self.api_key, self.fault, self.seconds = api_key, fault, seconds
        self.first, self.last = nth, nth + times - 1
        self.client, self.body = re.compile(client), body
        self.seen, self.hits, self.answered = 0, 0, 0
        self.released = threading.Event()

    def takes(self, request):
        """Whether this request is hit; counts it."""
        if request.api_key != self.api_key or not self.client.search(request.client_id):
            return False
        if self.body is not None and not self.body(request):
            return False
        self.seen += 1
        hit = self.first <= self.seen <= self.last
        self.hits += hit
        return hit

    def release(self):
        """Lets go what is held, now and from now on."""
        self.released.set()

    def __str__(self):
        return f"API key {self.api_key}, {self.fault}: {self.hits} hits among {self.seen} requests"


class Request:
    """The header of a request that both versions of it share, and the whole frame."""

    def __init__(self, frame):
        self.frame = frame
        self.api_key, self.api_version, self.correlation, length = struct.unpack_from(">hhih", frame)
        self.client_id = frame[10 : 10 + max(length, 0)].decode(errors="replace")


class FaultProxy:
    """Listens on a port of its own until `close`."""

    def __init__(self, bootstrap):
        host, port = bootstrap.split(":")
        self.broker = (host, int(port))
        self.listener = socket.create_server((host, 0))
        own_port = self.listener.getsockname()[1]
        self.bootstrap = f"{host}:{own_port}"
        # Both are of the same length, so nothing else in an answer changes.
        self.broker_name, self.own_name = (host.encode() + struct.pack(">i", p) for p in (int(port), own_port))
        self._rules, self._connections, self._threads = [], set(), []
        self._changed = threading.Condition()
        self._closed = False
        self.start(self._accept)

    def rule(self, api_key, fault, seconds=None, nth=1, times=1, client="", body=None):
        """A new rule. `client` is a regular expression found in the client ID, `body` a question about the Request;
        what is held goes on after `seconds` or when it is released."""
        rule = Rule(api_key, fault, seconds, nth, times, client, body)
        with self._changed:
            self._rules.append(rule)
        return rule

    def clear(self, *rules):
        """From now on these rules, or all, hit nothing more; what they hold goes on."""
        with self._changed:
            for rule in rules or self._rules[:]:
                rule.release()
                self._rules.remove(rule)

    def wait_for_hits(self, rule, hits, seconds):
        with self._changed:
            assert self._changed.wait_for(lambda: rule.hits >= hits, seconds), f"within {seconds:g} s only {rule}"

    def wait_for_answers(self, rule, answers, seconds):
        """Until the broker has answered so many of the requests that a rule has hit, whoever still wants to know."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: rule.answered >= answers, seconds
            ), f"within {seconds:g} s {rule.answered} were answered of {rule}"

    def close(self):
        self.clear()
        with self._changed:
            self._closed = True
            connections = list(self._connections)
        # A thread that waits in accept() does not wake when its socket is closed, but by a shutdown.
        self.listener.shutdown(socket.SHUT_RDWR)
        for connection in connections:
            connection.cut()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), f"the proxy's thread {thread.name} does not end"
        self.listener.close()

    def start(self, work):
        thread = threading.Thread(target=work, name=work.__qualname__, daemon=True)
        self._threads = [t for t in self._threads if t.is_alive()] + [thread]
        thread.start()

    def fault_of(self, request):
        """The rule that hits a request, or None."""
        with self._changed:
            hit = None
            for rule in self._rules:
                if rule.takes(request) and hit is None:
                    hit = rule
            self._changed.notify_all()
            return hit

    def answered(self, rule):
        with self._changed:
            rule.answered += 1
            self._changed.notify_all()

    def forget(self, connection):
        with self._changed:
            self._connections.discard(connection)

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                broker = socket.create_connection(self.broker, 5)
            except OSError:
                client.close()
                continue
            broker.settimeout(None)
            connection = Connection(self, client, broker)
            with self._changed:
                if self._closed:
                    connection.cut()
                    return
                self._connections.add(connection)
            self.start(connection.requests)
            self.start(connection.answers)


class Connection:
    """One client's connection and the one to the broker that belongs to it; a thread for each direction."""

    def __init__(self, proxy, client, broker):
        self.proxy, self.client, self.broker = proxy, client, broker
        self.waiting = {}  # by correlation ID: (API key, rule or None) of what the broker has not answered yet
        self.lock = threading.Lock()
        for side in (client, broker):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def requests(self):
        """From the client to the broker."""
        try:
            while (frame := read_frame(self.client)) is not None:
                if not self._pass_on(Request(frame)):
                    break
            self.broker.shutdown(socket.SHUT_WR)
        except OSError:
            self.cut()

    def _pass_on(self, request):
        """False: the connection is cut."""
        rule = self.proxy.fault_of(request)
        fault = rule and rule.fault
        if fault == CUT_BEFORE:
            self.cut()
            return False
        if fault == DROP_REQUEST:
            return True
        if fault == HOLD:
            rule.released.wait(rule.seconds)
        with self.lock:
            self.waiting[request.correlation] = (request.api_key, rule)
        write_frame(self.broker, request.frame)
        return True

    def answers(self):
        """From the broker to the client; read to the end, even if the client is gone."""
        try:
            while (frame := read_frame(self.broker)) is not None:
                with self.lock:
                    api_key, rule = self.waiting.pop(struct.unpack_from(">i", frame)[0])
                if rule is not None and rule.fault == NAME_NOBODY:
                    frame = without_broker(frame, self.proxy.broker_name)
                if rule is None or rule.fault in (HOLD, NAME_NOBODY):
                    self._answer(api_key, frame)
                if rule is not None:
                    self.proxy.answered(rule)
                    if rule.fault in (CUT_AFTER, NAME_NOBODY):
                        break
        except OSError:
            pass
        self.cut()
        self.proxy.forget(self)

    def _answer(self, api_key, frame):
        if api_key in NAMING:
            frame = frame.replace(self.proxy.broker_name, self.proxy.own_name)
        try:
            write_frame(self.client, frame)
        except OSError:
            pass

    def cut(self):
        """Both sides see the connection end. The sockets themselves are closed when nobody reads from them."""
        for side in (self.client, self.broker):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def names_topics(request):
    """Whether a Metadata request asks for topics by name, not for brokers alone or for all that there are."""
    at = 10 + len(request.client_id)
    # From version 9 on lengths are varints, one more than they say, and tagged fields come before.
    return request.frame[at + 1] > 1 if request.api_version >= 9 else struct.unpack_from(">i", request.frame, at)[0] > 0


def without_broker(frame, broker_name):
    """An answer to Metadata that names a single broker, without it: its node ID, host and port, and no rack."""
    at = frame.index(broker_name)
    end = at + len(broker_name) + 2
    if frame[at + len(broker_name) : end] == b"\xff\xff":
        begin, count, none = at - 10, struct.pack(">i", 1), struct.pack(">i", 0)
    else:
        begin, count, none = at - 6, b"\2", b"\1"
    assert frame[begin : begin + len(count)] == count, "more than one broker, or a rack"
    return frame[:begin] + none + frame[end:]


def read_exactly(side, n):
    """n bytes; None when the other side has ended."""
    parts = bytearray()
    while len(parts) < n:
        part = side.recv(n - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


def read_frame(side):
    """What follows a length of four bytes; None at the end."""
    length = read_exactly(side, 4)
    return None if length is None else read_exactly(side, struct.unpack(">i", length)[0])


def write_frame(side, frame):
    side.sendall(struct.pack(">i", len(frame)) + frame)
