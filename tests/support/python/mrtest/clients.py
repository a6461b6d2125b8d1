"""Clients that send and read while others are disturbed, and log each operation (oplog.py)."""

import random
import threading
import traceback

from confluent_kafka import KafkaException, Producer

from mrtest.kafka import Reader
from mrtest.waiting import Deadline

SUBJECTS = 40
TXN_MOST = 8  # values in a transaction
ABORTED = 0.3  # of the transactions
# Most are written before they end, and for a moment readers could see what they must not.
WRITTEN, LOOK_SECONDS = 0.7, 0.05
BACK = 400  # records that a reader which starts over goes back
ASKED_SECONDS = 60  # for the end of a transaction


class Client(threading.Thread):
    """Something that goes on until `stop`; what went wrong in it is raised there."""

    def __init__(self, name, log):
        super().__init__(name=name, daemon=True)
        self.log, self.failure = log, None
        self.ended = threading.Event()

    def run(self):
        try:
            self.work()
        except Exception:  # pylint: disable=broad-except
            self.failure = traceback.format_exc()

    def stop(self, seconds=180):
        self.ended.set()
        self.join(seconds)
        assert not self.is_alive(), f"{self.name} does not end"
        assert self.failure is None, f"{self.name} failed:\n{self.failure}"


class Sender(Client):
    """Sends unique values, each acknowledged by itself."""

    def __init__(self, name, log, bootstrap, topic, schemas, rate, seed):
        super().__init__(name, log)
        self.bootstrap, self.topic, self.schemas, self.rate = bootstrap, topic, schemas, rate
        self.random, self.count = random.Random(f"{seed} {name}"), 0
        self.producer = None

    def connect(self, **more):
        """A producer that waits for a broker as long as it takes."""
        self.producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "client.id": self.name,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "socket.timeout.ms": 5000,
                "log_level": 0,
                **more,
            }
        )

    def work(self):
        self.connect(**{"message.timeout.ms": 180000})
        while not self.ended.wait(1 / self.rate):
            self.send(None)
            self.producer.poll(0)
        left = self.producer.flush(120)
        assert left == 0, f"{left} values were not acknowledged"

    def send(self, txn):
        """The next value; its key is one of the sender's own, its subject anybody's."""
        self.count += 1
        value, subject = f"{self.name}/{self.count}", f"subject-{self.random.randrange(SUBJECTS)}"
        key = f"{self.name}-{self.random.randrange(8)}"
        self.log.note(self.name, "send", "invoke", value=value, topic=self.topic, key=key, txn=txn)
        self.producer.produce(
            self.topic,
            self.schemas.encode("Sent", {"Subject": subject, "Value": value}),
            key,
            headers={"ce_id": value, "ce_type": "Sent", "ce_source": self.name, "ce_subject": subject},
            on_delivery=lambda error, message: self._delivered(value, error, message),
        )

    def _delivered(self, value, error, message):
        if error is None:
            self.log.note(self.name, "send", "ok", value=value, partition=message.partition(), offset=message.offset())
        else:
            self.log.note(self.name, "send", "info", value=value, error=str(error))


class TransactionalSender(Sender):
    """Sends its values in transactions and aborts some of them. Where it is not told how one ended, a new producer
    ends it."""

    def work(self):
        self._anew()
        number = 0
        while not self.ended.wait(TXN_MOST / 2 / self.rate):
            number += 1
            try:
                self._transaction(f"{self.name}:{number}")
            except KafkaException:
                self._anew()

    def _anew(self):
        """What a transaction before left open is aborted by the broker."""
        self.connect(**{"transactional.id": self.name, "transaction.timeout.ms": 60000})
        self._ask(self.producer.init_transactions)

    def _ask(self, question):
        """Asks for as long as librdkafka says that it may be asked again."""
        deadline = Deadline(ASKED_SECONDS)
        while True:
            try:
                question(10)
                return
            except KafkaException as e:
                if deadline.is_over() or not e.args[0].retriable():
                    raise

    def _transaction(self, txn):
        self.producer.begin_transaction()
        for _ in range(self.random.randint(1, TXN_MOST)):
            self.send(txn)
        if self.random.random() < WRITTEN:
            self.producer.flush(ASKED_SECONDS)
            self.ended.wait(LOOK_SECONDS)
        if self.random.random() < ABORTED:
            self._end("abort", txn, self.producer.abort_transaction)
        else:
            self._end("commit", txn, self.producer.commit_transaction)

    def _end(self, op, txn, question):
        self.log.note(self.name, op, "invoke", txn=txn)
        try:
            self._ask(question)
        except KafkaException as e:
            self.log.note(self.name, op, "info", txn=txn, error=str(e))
            raise
        self.log.note(self.name, op, "ok", txn=txn)


class Poller(Client):
    """Reads committed records of all partitions, all along. With `again` it starts over every so many seconds, as a
    new process that goes on before where the last one was."""

    def __init__(self, name, log, bootstrap, partitions, schemas, again=None):
        super().__init__(name, log)
        self.bootstrap, self.partitions, self.schemas, self.again = bootstrap, partitions, schemas, again
        self.next = {(tp.topic, tp.partition): 0 for tp in partitions}

    def work(self):
        back = 0
        while not self.ended.is_set():
            starts = {place: max(0, offset - back) for place, offset in self.next.items()}
            self._follow(starts, Deadline(self.again) if self.again else None)
            back = BACK

    def _follow(self, starts, deadline):
        self.log.note(self.name, "assign", "ok", starts=[[*place, offset] for place, offset in starts.items()])
        reader = Reader(self.bootstrap, self.partitions, starts)
        try:
            while not (self.ended.is_set() or (deadline and deadline.is_over())):
                self._poll(reader)
        finally:
            reader.close()

    def _poll(self, reader):
        records = reader.poll()
        if not records:
            return
        found = []
        for r in records:
            self.next[r.topic, r.partition] = r.offset + 1
            found.append([r.topic, r.partition, r.offset, r.key, self.schemas.decode(r.value)[1]["Value"]])
        self.log.note(self.name, "poll", "ok", records=found)

    def has_read(self, ends):
        """Whether it has been at {(topic, partition): offset of the last record}."""
        return all(self.next[place] > offset for place, offset in ends.items())
