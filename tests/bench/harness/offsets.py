"""How far a group has come, seen from outside: its committed offsets of one topic, asked for again and again."""

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from mrtest.waiting import Not, until

EVERY_SECONDS = 0.01
REQUEST_SECONDS = 30
# What the broker says while a group's coordinator is being found or loaded.
PASSING = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError._WAIT_COORD,
)


class Offsets:
    """The committed offsets of a group. An offset within an open transaction is not committed and not waited for."""

    def __init__(self, bootstrap, group, topic, partitions):
        self.asked = [TopicPartition(topic, p) for p in range(partitions)]
        self.consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": group,
                "isolation.level": "read_uncommitted",
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )

    def committed(self):
        """By partition; 0 where nothing is."""
        found = self.consumer.committed(self.asked, timeout=REQUEST_SECONDS)
        by_partition = {tp.partition: max(0, tp.offset) for tp in found}
        return [by_partition[tp.partition] for tp in self.asked]

    def total(self):
        return sum(self.committed())

    def wait_above(self, what, low, seconds, process):
        """(moment, total) when the sum of the offsets is first seen above `low`."""
        return self._wait(what, seconds, process, lambda offsets: sum(offsets) > low)

    def wait_all(self, what, ends, seconds, process):
        """(moment, total) when every partition is first seen committed up to its end."""
        return self._wait(what, seconds, process, lambda offsets: all(o >= e for o, e in zip(offsets, ends)))

    def _wait(self, what, seconds, process, is_reached):
        def look():
            assert process.is_running(), f"{process.name} ended with {process.popen.returncode}\n{process.tail()}"
            try:
                offsets = self.committed()
            except KafkaException as e:
                if e.args[0].code() in PASSING:
                    return Not(e)
                raise
            moment = time.monotonic()
            return (moment, sum(offsets)) if is_reached(offsets) else Not(f"committed offsets {offsets}")

        return until(what, seconds, look, every=EVERY_SECONDS)

    def close(self):
        self.consumer.close()
