"""Reads and writes Avro single-object encoding against a directory of .avsc files, by fastavro."""

import copy
import glob
import io
import json
import os

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

MARKER = b"\xc3\x01"
PRIMITIVE = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}


def full_name(schema):
    name = schema["name"]
    return name if "." in name or not schema.get("namespace") else f"{schema['namespace']}.{name}"


# What the processors themselves add to an app's schemas and clients read.
PLATFORM = [
    {
        "type": "record",
        "name": "CommandResult",
        "namespace": "millrace",
        "fields": [
            {"name": "CommandId", "type": "string"},
            {"name": "AggregateId", "type": "string"},
            {
                "name": "Outcome",
                "type": {"type": "enum", "name": "Outcome", "symbols": ["accepted", "no_change", "rejected"]},
            },
            {"name": "Reason", "type": ["null", "string"], "default": None},
            {"name": "Text", "type": ["null", "string"], "default": None},
            {"name": "ExpectedVersion", "type": ["null", "long"], "default": None},
            {"name": "ActualVersion", "type": "long"},
            {"name": "EventIds", "type": {"type": "array", "items": "string"}},
        ],
    }
]


class Schemas:
    """All record types of a directory and of the platform, by their name without namespace and by fingerprint."""

    def __init__(self, directory):
        self.raw, self.by_name, self.by_print, self.prints = {full_name(s): s for s in PLATFORM}, {}, {}, {}
        for path in sorted(glob.glob(os.path.join(directory, "**", "*.avsc"), recursive=True)):
            with open(path, encoding="utf-8") as f:
                loaded = json.load(f)
            for schema in loaded if isinstance(loaded, list) else [loaded]:
                self.raw[full_name(schema)] = schema
        assert len(self.raw) > len(PLATFORM), f"there is no schema in {directory}"
        for name, schema in self.raw.items():
            if schema["type"] == "record":
                self._add(name, schema)

    def _add(self, name, schema):
        parsed = fastavro.parse_schema(self._whole(schema, schema.get("namespace", ""), set()))
        mark = bytes.fromhex(fingerprint(to_parsing_canonical_form(parsed), "CRC-64-AVRO"))
        short = name.rsplit(".", 1)[-1]
        self.by_name[short], self.by_print[mark], self.prints[short] = parsed, (short, parsed), mark

    def _whole(self, schema, namespace, seen):
        """The schema with each type of another file written out where it is first named."""
        if isinstance(schema, list):
            return [self._whole(s, namespace, seen) for s in schema]
        if isinstance(schema, str):
            if schema in PRIMITIVE:
                return schema
            name = schema if "." in schema or not namespace else f"{namespace}.{schema}"
            if name in seen:
                return name
            assert name in self.raw, f"the schemas name {schema}, and there is none such"
            return self._whole(self.raw[name], namespace, seen)
        # Without logical types fastavro gives the numbers that are on the wire.
        schema = {name: copy.deepcopy(value) for name, value in schema.items() if name != "logicalType"}
        kind = schema["type"]
        if kind in ("record", "enum", "fixed"):
            name = full_name({"namespace": namespace, **schema})
            seen.add(name)
            namespace = name.rsplit(".", 1)[0] if "." in name else ""
        if kind == "record":
            for field in schema["fields"]:
                field["type"] = self._whole(field["type"], namespace, seen)
        elif kind == "array":
            schema["items"] = self._whole(schema["items"], namespace, seen)
        elif kind == "map":
            schema["values"] = self._whole(schema["values"], namespace, seen)
        elif kind in PRIMITIVE:
            schema = kind
        elif kind not in ("enum", "fixed"):
            schema = self._whole(kind, namespace, seen)
        return schema

    def decode(self, data):
        """(name, value) of a framed record; (None, None) for a tombstone."""
        if data is None:
            return None, None
        assert data[:2] == MARKER, f"no single-object encoding: {data[:12].hex()}"
        known = self.by_print.get(data[2:10])
        assert known, f"no schema has the fingerprint {data[2:10].hex()}"
        stream = io.BytesIO(data[10:])
        value = fastavro.schemaless_reader(stream, known[1], None)
        assert not stream.read(1), f"{known[0]}: bytes are left over"
        return known[0], value

    def encode(self, name, value):
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self.by_name[name], value)
        return MARKER + self.prints[name] + out.getvalue()
