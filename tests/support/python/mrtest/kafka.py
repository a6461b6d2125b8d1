"""The test's own view of Kafka: writing commands, reading whole topics, offsets, groups."""

import threading
import time

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from mrtest.waiting import Deadline

REQUEST_SECONDS = 30


def close(consumer):
    """Of no group. Nobody waits for it: librdkafka looks for a coordinator first, once a second."""
    threading.Thread(target=consumer.close).start()


class Record:
    """One record as it was read; `headers` is {name: text}, the last of a name wins."""

    __slots__ = ("topic", "partition", "offset", "key", "value", "headers", "time")

    def __init__(self, topic, partition, offset, key, value, headers, time=0):
        self.topic, self.partition, self.offset = topic, partition, offset
        self.key, self.value, self.headers, self.time = key, value, headers, time

    @property
    def id(self):
        return self.headers.get("ce_id")

    @property
    def type(self):
        return self.headers.get("ce_type")

    @property
    def subject(self):
        return self.headers.get("ce_subject")

    @property
    def cause(self):
        return self.headers.get("ce_causationid")

    @property
    def sequence(self):
        return int(self.headers["ce_sequence"]) if "ce_sequence" in self.headers else None

    @property
    def place(self):
        return f"{self.topic}[{self.partition}]@{self.offset}"

    def __repr__(self):
        return f"<{self.place} {self.type} {self.subject} id {self.id}>"


def text(data):
    return None if data is None else data.decode(errors="backslashreplace")


def record_of(message):
    headers = {name: text(value) for name, value in message.headers() or []}
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        text(message.key()),
        message.value(),
        headers,
        message.timestamp()[1],
    )


class Cluster:
    """Questions to one cluster."""

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})

    def partitions(self, prefix="", suffix=""):
        """Every partition of the topics whose name begins and ends so."""
        topics = self.admin.list_topics(timeout=REQUEST_SECONDS).topics
        return [
            TopicPartition(name, p)
            for name in sorted(topics)
            if name.startswith(prefix) and name.endswith(suffix)
            for p in sorted(topics[name].partitions)
        ]

    def topics(self, prefix=""):
        return sorted({tp.topic for tp in self.partitions(prefix)})

    def ends(self, partitions, isolation=IsolationLevel.READ_COMMITTED):
        """{(topic, partition): end offset}: with read_committed the last stable one."""
        if not partitions:
            return {}
        asked = self.admin.list_offsets(
            {TopicPartition(tp.topic, tp.partition): OffsetSpec.latest() for tp in partitions},
            isolation_level=isolation,
            request_timeout=REQUEST_SECONDS,
        )
        return {(tp.topic, tp.partition): future.result().offset for tp, future in asked.items()}

    def open_transactions(self, prefix=""):
        """Partitions whose last stable offset is before their end."""
        partitions = self.partitions(prefix)
        stable = self.ends(partitions)
        ends = self.ends(partitions, IsolationLevel.READ_UNCOMMITTED)
        return [
            f"{t}[{p}] is stable up to {stable[t, p]} of {ends[t, p]}"
            for t, p in sorted(ends)
            if stable[t, p] != ends[t, p]
        ]

    def committed(self, group):
        """{(topic, partition): committed offset} of a group, once no transaction holds one back."""
        consumer = Consumer(
            {"bootstrap.servers": self.bootstrap, "group.id": group, "isolation.level": "read_committed"}
        )
        try:
            found = consumer.committed(self.partitions(), timeout=REQUEST_SECONDS)
        finally:
            close(consumer)
        return {(tp.topic, tp.partition): tp.offset for tp in found if tp.offset >= 0}

    def members(self, group):
        """Who is in a group, by the names that its members gave themselves."""
        described = self.admin.describe_consumer_groups([group], request_timeout=REQUEST_SECONDS)[group].result()
        return sorted(member.group_instance_id or member.client_id for member in described.members)

    def groups(self, prefix=""):
        listed = self.admin.list_consumer_groups(request_timeout=REQUEST_SECONDS).result()
        return sorted(g.group_id for g in listed.valid if g.group_id.startswith(prefix))

    def read(self, partitions, start=None, seconds=120, isolation="read_committed"):
        """All records of the partitions up to their end now, in the order of each partition."""
        reader = Reader(self.bootstrap, partitions, start, isolation)
        try:
            return reader.to_end(seconds)
        finally:
            reader.close()

    def count(self, prefix="", suffix="", isolation="read_committed"):
        return len(self.read(self.partitions(prefix, suffix), isolation=isolation))

    def read_topics(self, prefix="", suffix="", seconds=120):
        """{topic: [Record]} of whole topics, read_committed, in the order of each partition."""
        partitions = self.partitions(prefix, suffix)
        result = {tp.topic: [] for tp in partitions}
        for record in self.read(partitions, seconds=seconds):
            result[record.topic].append(record)
        for records in result.values():
            records.sort(key=lambda r: (r.partition, r.offset))
        return result


class Reader:
    """Follows partitions that are given, by assignment: it is in no group that anybody else sees."""

    def __init__(self, bootstrap, partitions, start=None, isolation="read_committed"):
        self.partitions = [(tp.topic, tp.partition) for tp in partitions]
        self.at_end = set()
        self.consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "mrtest-reader",
                "enable.auto.commit": False,
                "isolation.level": isolation,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "log_level": 0,
                "fetch.wait.max.ms": 100,
                "queued.max.messages.kbytes": 262144,
            }
        )
        self.consumer.assign(
            [
                TopicPartition(tp.topic, tp.partition, (start or {}).get((tp.topic, tp.partition), 0))
                for tp in partitions
            ]
        )

    def poll(self, seconds=0.2, most=2000):
        """Records that have come; notes which partitions are read to their end."""
        records = []
        for message in self.consumer.consume(most, seconds):
            error = message.error()
            if error is None:
                self.at_end.discard((message.topic(), message.partition()))
                records.append(record_of(message))
            elif error.code() == KafkaError._PARTITION_EOF:
                self.at_end.add((message.topic(), message.partition()))
            elif error.fatal() or error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
                raise KafkaException(error)
        return records

    def to_end(self, seconds):
        """All records up to the end of every partition, met once each."""
        records, ended, deadline = [], set(), Deadline(seconds)
        while len(ended) < len(self.partitions):
            assert (
                not deadline.is_over()
            ), f"read {len(records)} records in {seconds} s and not to the end of " + ", ".join(
                f"{t}[{p}]" for t, p in sorted(set(self.partitions) - ended)
            )
            records += self.poll()
            ended |= self.at_end
        return records

    def close(self):
        close(self.consumer)


_following = []


class Follower(threading.Thread):
    """Reads committed records all along while a test runs: what it saw can be compared with the end.

    `arrivals` says when records came, as (moment, partitions), to about `pace` seconds.
    """

    def __init__(self, bootstrap, partitions, pace=0.2):
        super().__init__(daemon=True)
        self.reader, self.pace = Reader(bootstrap, partitions), pace
        self.records, self.failure = [], None
        self.arrivals = []
        self.next = {}
        self._end = threading.Event()
        self._new = threading.Condition()
        _following.append(self)
        self.start()

    def run(self):
        try:
            while not self._end.is_set():
                records = self.reader.poll(self.pace)
                if records:
                    with self._new:
                        self.records += records
                        self.arrivals.append((time.monotonic(), {record.partition for record in records}))
                        for record in records:
                            self.next[record.topic, record.partition] = record.offset + 1
                        self._new.notify_all()
        except Exception as e:  # pylint: disable=broad-except
            self.failure = e
        finally:
            self.reader.close()

    def wait_for(self, what, wanted, seconds, start=0):
        """The first record from index `start` on for which `wanted` is true."""
        deadline = Deadline(seconds)
        with self._new:
            while True:
                for record in self.records[start:]:
                    if wanted(record):
                        return record
                start = len(self.records)
                assert self.failure is None, f"the reader failed: {self.failure}"
                assert not deadline.is_over(), f"no {what} within {seconds:g} s"
                self._new.wait(min(1.0, deadline.left()))

    def end(self):
        """No thread of a client may outlive the interpreter."""
        if self in _following:
            _following.remove(self)
        self._end.set()
        self.join(30)

    def stop(self):
        self.end()
        assert self.failure is None, f"the reader failed: {self.failure}"
        return self.records


def end_all():
    """Ends what a test left reading."""
    for follower in _following[:]:
        follower.end()


class Writer:
    """Writes records as a client does: idempotent, partitioned as Java's clients, each acknowledged.

    `on_acknowledged` is called with each record that the broker has, from within send and flush.
    """

    def __init__(self, bootstrap, on_acknowledged=None, **more):
        self.failures, self.on_acknowledged = [], on_acknowledged
        self.producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "message.timeout.ms": 180000,
                "log_level": 0,
                **more,
            }
        )

    def _delivered(self, error, message):
        if error is not None:
            self.failures.append(f"{message.topic()} key {message.key()}: {error}")
        elif self.on_acknowledged is not None:
            self.on_acknowledged(message)

    def send(self, topic, key, value, headers, partition=-1):
        while True:
            try:
                self.producer.produce(
                    topic, value, key, partition=partition, headers=headers, on_delivery=self._delivered
                )
                break
            except BufferError:
                self.producer.poll(0.1)
        self.producer.poll(0)

    def flush(self, seconds=60):
        left = self.producer.flush(seconds)
        assert left == 0, f"{left} records were not acknowledged within {seconds} s"
        assert not self.failures, f"{len(self.failures)} records were not written, the first: {self.failures[0]}"
