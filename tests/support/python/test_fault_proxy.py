#!/usr/bin/env python3
"""The fault proxy against a server that is told what to answer. No broker is needed."""

import os
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from mrtest import fault_proxy, runner  # noqa: E402
from mrtest.fault_proxy import END_TXN, METADATA, FaultProxy, read_frame, write_frame  # noqa: E402

SECONDS = 10


class Server:
    """Answers every request with its correlation ID, and with where it is; keeps what it was sent."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.requests, self.changed = [], threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    def where(self):
        return b"127.0.0.1" + struct.pack(">i", self.port)

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            while (frame := read_frame(client)) is not None:
                with self.changed:
                    self.requests.append(fault_proxy.Request(frame))
                    self.changed.notify_all()
                write_frame(client, frame[4:8] + self.where())
        except OSError:
            pass
        client.close()

    def keys(self, count):
        """API keys and correlation IDs of the requests, once there are so many."""
        with self.changed:
            assert self.changed.wait_for(
                lambda: len(self.requests) >= count, SECONDS
            ), f"only {len(self.requests)} of {count} requests have come"
            return [(r.api_key, r.correlation) for r in self.requests]

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Client:
    def __init__(self, proxy, name="millrace"):
        host, port = proxy.bootstrap.split(":")
        self.socket = socket.create_connection((host, int(port)), SECONDS)
        self.name = name.encode()

    def send(self, api_key, correlation, body=b""):
        header = struct.pack(">hhih", api_key, 1, correlation, len(self.name))
        write_frame(self.socket, header + self.name + body)

    def answer(self):
        """(correlation ID, the rest) of the next answer; None when the connection has ended."""
        try:
            frame = read_frame(self.socket)
        except ConnectionError:
            return None
        return frame and (struct.unpack_from(">i", frame)[0], frame[4:])

    def ask(self, api_key, correlation, body=b""):
        self.send(api_key, correlation, body)
        return self.answer()

    def close(self):
        self.socket.close()


class Setup:
    """A server, a proxy before it, and a client."""

    def __enter__(self):
        self.server = Server()
        self.proxy = FaultProxy(f"127.0.0.1:{self.server.port}")
        self.client = Client(self.proxy)
        return self.server, self.proxy, self.client

    def __exit__(self, *_):
        self.client.close()
        self.proxy.close()
        self.server.close()


def test_the_broker_is_named_as_the_proxy():
    """In the answers that name brokers, and in no others."""
    with Setup() as (server, proxy, client):
        own = b"127.0.0.1" + struct.pack(">i", int(proxy.bootstrap.split(":")[1]))
        for number, key in enumerate(sorted(fault_proxy.NAMING)):
            assert client.ask(key, number) == (number, own)
        assert client.ask(1, 9) == (9, server.where())


def test_a_request_is_dropped():
    with Setup() as (server, proxy, client):
        rule = proxy.rule(END_TXN, fault_proxy.DROP_REQUEST)
        client.send(END_TXN, 1)
        assert client.ask(METADATA, 2)[0] == 2, "the connection goes on"
        assert server.keys(1) == [(METADATA, 2)]
        assert (rule.seen, rule.hits) == (1, 1)


def test_an_answer_is_dropped():
    with Setup() as (server, proxy, client):
        rule = proxy.rule(END_TXN, fault_proxy.DROP_ANSWER)
        client.send(END_TXN, 1)
        assert client.ask(METADATA, 2)[0] == 2
        assert server.keys(2) == [(END_TXN, 1), (METADATA, 2)]
        assert rule.hits == 1


def test_cut_before_the_broker_has_it():
    with Setup() as (server, proxy, client):
        proxy.rule(END_TXN, fault_proxy.CUT_BEFORE)
        assert client.ask(END_TXN, 1) is None
        again = Client(proxy)
        assert again.ask(END_TXN, 2)[0] == 2
        assert server.keys(1) == [(END_TXN, 2)]
        again.close()


def test_cut_after_the_broker_has_answered():
    with Setup() as (server, proxy, client):
        rule = proxy.rule(END_TXN, fault_proxy.CUT_AFTER)
        assert client.ask(END_TXN, 1) is None
        assert server.keys(1) == [(END_TXN, 1)]
        assert rule.answered == 1


def test_no_broker_is_named_and_the_connection_breaks():
    """In both forms of an answer: lengths of fixed size, and varints."""
    head, node, topics = b"\0" * 4, struct.pack(">i", 1), b"topics"
    with Setup() as (server, proxy, client):
        for length, count, none, name, no_rack in (
            (4, struct.pack(">i", 1), struct.pack(">i", 0), struct.pack(">h", 9), b"\xff\xff"),
            (5, b"\2", b"\1", b"\x0a", b"\0\0"),
        ):
            before = head.ljust(length, b"\0")
            server.where = lambda b=before + count + node + name, r=no_rack + topics: (
                b + b"127.0.0.1" + struct.pack(">i", server.port) + r
            )
            rule = proxy.rule(METADATA, fault_proxy.NAME_NOBODY)
            one = Client(proxy)
            assert one.ask(METADATA, 7) == (7, before + none + topics)
            assert one.answer() is None
            assert rule.answered == 1
            one.close()
        assert client.ask(END_TXN, 8)[0] == 8, "other connections go on"


def test_what_a_metadata_request_asks_for():
    def request(version, body):
        name = b"millrace"
        return fault_proxy.Request(struct.pack(">hhih", METADATA, version, 1, len(name)) + name + body)

    for version, body, wanted in (
        (4, struct.pack(">i", -1), False),
        (4, struct.pack(">i", 0), False),
        (4, struct.pack(">i", 1), True),
        (12, b"\0\0", False),
        (12, b"\0\1", False),
        (12, b"\0\2", True),
    ):
        assert fault_proxy.names_topics(request(version, body)) == wanted, (version, body)


def test_what_is_held_goes_on_in_order_when_it_is_released():
    with Setup() as (server, proxy, client):
        rule = proxy.rule(END_TXN, fault_proxy.HOLD, seconds=60)
        client.send(END_TXN, 1)
        client.send(METADATA, 2)
        proxy.wait_for_hits(rule, 1, SECONDS)
        other = Client(proxy)
        assert other.ask(METADATA, 3)[0] == 3, "other connections are not held"
        assert server.keys(1) == [(METADATA, 3)]
        assert rule.answered == 0
        rule.release()
        assert [client.answer()[0], client.answer()[0]] == [1, 2]
        assert server.keys(3) == [(METADATA, 3), (END_TXN, 1), (METADATA, 2)]
        assert rule.answered == 1
        other.close()


def test_what_is_held_goes_on_after_its_time():
    with Setup() as (_, proxy, client):
        proxy.rule(END_TXN, fault_proxy.HOLD, seconds=0.05)
        assert client.ask(END_TXN, 1)[0] == 1


def test_what_is_held_reaches_the_broker_after_its_client_is_gone():
    with Setup() as (server, proxy, client):
        rule = proxy.rule(END_TXN, fault_proxy.HOLD, seconds=60)
        client.send(END_TXN, 1)
        proxy.wait_for_hits(rule, 1, SECONDS)
        client.close()
        rule.release()
        assert server.keys(1) == [(END_TXN, 1)]
        proxy.wait_for_answers(rule, 1, SECONDS)


def test_the_nth_and_those_after_it():
    with Setup() as (server, proxy, client):
        rule = proxy.rule(END_TXN, fault_proxy.DROP_REQUEST, nth=2, times=2)
        for correlation in range(1, 6):
            client.send(END_TXN, correlation)
        assert [client.answer()[0] for _ in range(3)] == [1, 4, 5]
        assert [correlation for _, correlation in server.keys(3)] == [1, 4, 5]
        assert (rule.seen, rule.hits) == (5, 2)


def test_only_some_clients_and_some_bodies():
    with Setup() as (server, proxy, client):
        by_name = proxy.rule(END_TXN, fault_proxy.DROP_REQUEST, client="^other")
        by_body = proxy.rule(END_TXN, fault_proxy.DROP_REQUEST, body=lambda r: r.frame.endswith(b"commit"))
        other = Client(proxy, "other-1")
        other.send(END_TXN, 1)
        assert other.ask(END_TXN, 2, b"abort")[0] == 2
        client.send(END_TXN, 3, b"commit")
        assert client.ask(END_TXN, 4)[0] == 4
        assert [correlation for _, correlation in server.keys(2)] == [2, 4]
        assert (by_name.hits, by_name.seen, by_body.hits, by_body.seen) == (1, 2, 1, 1)
        other.close()


def test_clear_ends_all_faults():
    with Setup() as (_, proxy, client):
        rule = proxy.rule(END_TXN, fault_proxy.HOLD, seconds=60, times=9)
        client.send(END_TXN, 1)
        proxy.wait_for_hits(rule, 1, SECONDS)
        proxy.clear()
        assert client.answer()[0] == 1
        assert client.ask(END_TXN, 2)[0] == 2
        assert rule.hits == 1


def test_a_broker_that_is_away_and_a_proxy_that_ends():
    server = Server()
    proxy = FaultProxy(f"127.0.0.1:{server.port}")
    client = Client(proxy)
    assert client.ask(METADATA, 1)[0] == 1
    server.close()
    away = Client(proxy)
    assert away.ask(METADATA, 2) is None
    proxy.close()
    assert client.answer() is None
    for one in (client, away):
        one.close()


runner.main(globals())
