"""Everything that was committed to an app's topics, decoded once, for the checks."""

import datetime
import json


def milliseconds(text):
    """Of a ce_time."""
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round((moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)).total_seconds() * 1000)


class History:
    """{topic: [Record]}, in the order of partition and offset, and how to decode the values."""

    def __init__(self, topics, schemas):
        self.topics, self.schemas = topics, schemas
        self.values = {}

    def records(self, topic):
        return self.topics.get(topic, [])

    def partitions(self, topic):
        """{partition: [Record]}"""
        result = {}
        for record in self.records(topic):
            result.setdefault(record.partition, []).append(record)
        return result

    def decode(self, record):
        """(schema name, value)"""
        found = self.values.get(record)
        if found is None:
            found = self.values[record] = self.schemas.decode(record.value)
        return found

    def value(self, record):
        return self.decode(record)[1]

    def json(self, record):
        """The fields of a JSON record with the schema's defaults; None when it is not JSON of its type."""
        schema = self.schemas.by_name.get(record.type)
        try:
            fields = json.loads(record.value)
        except (ValueError, TypeError):
            return None
        if schema is None or not isinstance(fields, dict):
            return None
        result = {}
        for field in schema["fields"]:
            if field["name"] not in fields and "default" not in field:
                return None
            result[field["name"]] = fields.get(field["name"], field.get("default"))
        return result

    def time(self, record):
        """Of the event, not of the log."""
        return milliseconds(record.headers["ce_time"]) if "ce_time" in record.headers else record.time

    def without_repeats(self):
        """What a consumer that drops repeated IDs sees: per key, each (ID, cause) once, the first.

        A repeat that differs from the first is kept, so that a check finds it.
        """
        topics = {}
        for topic, records in self.topics.items():
            seen, kept = set(), []
            for record in records:
                same = (record.key, record.id, record.cause, record.type, record.value)
                if record.id is None or same not in seen:
                    seen.add(same)
                    kept.append(record)
            topics[topic] = kept
        return History(topics, self.schemas)
