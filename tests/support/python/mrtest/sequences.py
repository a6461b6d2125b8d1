"""Checks of Kafka's own exactly-once tests: per partition, the same sequence, one output for each input; and sets of
numbers that are copied. Each returns complaints; none is good.
"""

from collections import Counter

from mrtest import checks


def same(topic, wanted, found):
    """Two {partition: [what]} are equal: order, number and values. What is left over on either side counts."""
    complaints = []
    for partition in sorted(set(wanted) | set(found)):
        w, f = wanted.get(partition, []), found.get(partition, [])
        if w != f:
            first = next((i for i, (a, b) in enumerate(zip(w, f)) if a != b), min(len(w), len(f)))
            complaints.append(
                f"{topic}[{partition}] has {len(f)} records for {len(w)} inputs; number {first} should be "
                f"{checks.show(w[first:first + 1])} and is {checks.show(f[first:first + 1])}"
            )
    return complaints


def running(inputs, step):
    """{partition: [(key, aggregate)]}: what each input makes of its key's aggregate, by step(last or None, what)."""
    result, last = {}, {}
    for partition, records in inputs.items():
        rows = result[partition] = []
        for key, what in records:
            last[partition, key] = step(last.get((partition, key)), what)
            rows.append((key, last[partition, key]))
    return result


def written(topic, acknowledged, records):
    """What the broker acknowledged is what is there: per partition every offset once, without gap, the same record.

    `acknowledged` are (partition, offset, key, value) in bytes, `records` those of the topic.
    """
    complaints, said = [], {}
    for partition, offset, key, value in acknowledged:
        if (partition, offset) in said:
            complaints.append(f"{topic}[{partition}]@{offset} was acknowledged twice")
        said[partition, offset] = (key, value)
    there = {(r.partition, r.offset): (r.key.encode(), r.value) for r in records}
    for partition, offset in sorted(set(said) | set(there)):
        place = (partition, offset)
        if said.get(place) != there.get(place):
            complaints.append(
                f"{topic}[{partition}]@{offset}: acknowledged was {said.get(place)}, there is {there.get(place)}"
            )
    for partition in sorted({p for p, _ in there}):
        offsets = sorted(o for p, o in there if p == partition)
        if offsets != list(range(len(offsets))):
            complaints.append(f"{topic}[{partition}]: {len(offsets)} records have offsets up to {offsets[-1]}")
    return complaints


def copied_once(topic, wanted, found):
    """Numbers that differ from each other: none is there twice, and the sets are equal."""
    counts = Counter(found)
    complaints = [f"{topic}: {n} is there {times} times" for n, times in sorted(counts.items()) if times > 1]
    complaints += [f"{topic}: {n} is missing" for n in sorted(set(wanted) - set(counts))]
    return complaints + [f"{topic}: {n} was never written" for n in sorted(set(counts) - set(wanted))]


def in_order(topic, inputs, outputs):
    """Of each input partition, every output partition has the numbers in order. Both are {partition: [number]}."""
    place = {n: (p, i) for p, numbers in inputs.items() for i, n in enumerate(numbers)}
    complaints = []
    for partition, numbers in sorted(outputs.items()):
        last = {}
        for n in numbers:
            source, index = place.get(n, (None, 0))
            if index < last.get(source, (0, None))[0]:
                complaints.append(f"{topic}[{partition}]: {n} comes after {last[source][1]}, which was written later")
            last[source] = (index, n)
    return complaints
