"""Topics of a run: made before it, gone after it."""

from confluent_kafka.admin import NewTopic

from mrtest.waiting import Not, until

# Nothing of an input or output goes away while it is read or counted.
PLAIN = {"cleanup.policy": "delete", "retention.ms": "-1"}


def create(cluster, name, partitions, **config):
    for future in cluster.admin.create_topics([NewTopic(name, partitions, 1, config={**PLAIN, **config})]).values():
        future.result()

    def is_known():
        return len([tp for tp in cluster.partitions(name) if tp.topic == name]) == partitions

    until(f"topic {name} to be there", 30, is_known)


def ends(cluster, name):
    """The end of each partition, as read_committed sees it."""
    found = cluster.ends([tp for tp in cluster.partitions(name) if tp.topic == name])
    return [found[name, p] for p in range(len(found))]


def wait_stable(cluster, name):
    """Offsets are committed before the last of the transaction's other partitions has its mark."""

    def is_stable():
        open_ones = cluster.open_transactions(name)
        return True if not open_ones else Not("; ".join(open_ones))

    until(f"the transactions on {name} to be over", 60, is_stable)


def delete(cluster, prefix):
    """All topics whose name begins so."""
    names = cluster.topics(prefix)
    if not names:
        return
    for future in cluster.admin.delete_topics(names).values():
        future.result()

    def are_gone():
        left = cluster.topics(prefix)
        return True if not left else Not(", ".join(left))

    until(f"the topics {prefix}* to be gone", 60, are_gone)
