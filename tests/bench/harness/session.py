"""One benchmark under way: its broker, the turns that were taken, and what is written about them."""

import contextlib
import os
import shutil
import subprocess

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from harness import machine, measure, results, topics
from harness.contender import Run
from harness.warm_up import warm_up
from mrtest import places
from mrtest.broker import Broker
from mrtest.kafka import Cluster
from mrtest.runner import say

# What Kafka's own start script gives a broker where nothing else is said.
BROKER = {
    "KAFKA_HEAP_OPTS": "-Xmx1G -Xms1G",
    "KAFKA_JVM_PERFORMANCE_OPTS": "-server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 "
    "-XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent",
}
TROUBLE = (AssertionError, KafkaException, OSError, subprocess.SubprocessError)


class Session:
    """Turns are taken one at a time; after each, the results so far are on the disk."""

    def __init__(self, settings):
        self.settings, self.files = settings, places.fresh_files()
        self.broker = self.broker_load = self.cluster = None
        self.turns = 0
        self.results = results.Results(settings)

    @contextlib.contextmanager
    def fresh_broker(self):
        """A broker without data, for as long as the block lasts."""
        directory = os.path.join(self.files, "broker")
        shutil.rmtree(directory, ignore_errors=True)
        self.broker = Broker(directory, BROKER)
        self.broker_load = machine.BrokerLoad(self.broker)
        self.cluster = Cluster(self.broker.bootstrap)
        try:
            self._open_internal_topics()
            warm_up(self.cluster, self.settings, self.files)
            yield self.cluster
        finally:
            self.broker.end()
            shutil.rmtree(directory, ignore_errors=True)

    def _open_internal_topics(self):
        """Offsets and transactions have their topics before the first contender comes."""
        name = "internal"
        topics.create(self.cluster, name, 1)
        writer = Producer({"bootstrap.servers": self.cluster.bootstrap, "transactional.id": name, "log_level": 0})
        reader = Consumer({"bootstrap.servers": self.cluster.bootstrap, "group.id": name})
        writer.init_transactions(60)
        writer.begin_transaction()
        writer.produce(name, b"")
        writer.send_offsets_to_transaction([TopicPartition(name, 0, 1)], reader.consumer_group_metadata(), 60)
        writer.commit_transaction(60)
        reader.close()

    def turn(self, labels, contender, guarantee, work, source=None, settings=None):
        """One contender, alone: `work(run, row)` yields each process that it has started. `settings`: when they are
        not the session's."""
        self.turns += 1
        name = f"bench-{self.turns:04d}"
        run = Run(
            name=name,
            cluster=self.cluster,
            directory=os.path.join(self.files, name),
            input=source or f"{name}.in",
            settings=settings or self.settings,
            guarantee=guarantee,
        )
        row = {**labels, "contender": contender.name, "kind": contender.kind, "title": contender.title}
        row.update(guarantee=guarantee, at=machine.now(), failed=None)
        processes = []
        try:
            self.broker_load.wait_idle()
            for process in work(run, row):
                processes.append(process)
            measure.end(processes[-1])
        except TROUBLE as e:
            row["failed"] = str(e) or repr(e)
        finally:
            for process in processes:
                process.kill()
            if processes:
                row["version"] = contender.version(processes[0])
        try:
            topics.delete(self.cluster, name)
        except TROUBLE as e:
            row["failed"] = row["failed"] or f"its topics cannot be deleted: {e}"
        if row["failed"] is None and not os.environ.get("MR_KEEP"):
            run.clear()
        self.results.add(row)
        say(results.line(row))
