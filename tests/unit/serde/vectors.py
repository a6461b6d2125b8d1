#!/usr/bin/env python3
"""Prints fastavro_vectors.h: encodings, resolutions and fingerprints by an independent
implementation (pip install fastavro). Run by hand when a vector is added."""
import io
import json

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

ITEM = {"type": "record", "name": "Item", "namespace": "t", "fields": [
    {"name": "id", "type": "string"}, {"name": "n", "type": "int"}]}
CART = {"type": "record", "name": "Cart", "namespace": "t", "fields": [
    {"name": "id", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "items", "type": {"type": "array", "items": ITEM}},
    {"name": "tags", "type": {"type": "map", "values": ["null", "double"]}},
    {"name": "note", "type": ["null", "string"], "default": None}]}
NODE = {"type": "record", "name": "Node", "fields": [
    {"name": "v", "type": "long"}, {"name": "kids", "type": {"type": "array", "items": "Node"}}]}
COLOR = {"type": "enum", "name": "Color", "symbols": ["RED", "GREEN", "BLUE"]}
MANY = {"type": "record", "name": "Many", "fields": [
    {"name": "b", "type": "boolean"}, {"name": "i", "type": "int"}, {"name": "l", "type": "long"},
    {"name": "f", "type": "float"}, {"name": "d", "type": "double"}, {"name": "y", "type": "bytes"},
    {"name": "s", "type": "string"}, {"name": "x", "type": {"type": "fixed", "name": "X", "size": 3}},
    {"name": "c", "type": COLOR}, {"name": "z", "type": "null"},
    {"name": "u", "type": ["int", "string", {"type": "array", "items": "long"}]}]}


def record(name, *fields):
    return {"type": "record", "name": name, "fields": list(fields)}


def field(name, kind, **more):
    return {"name": name, "type": kind, **more}


ENCODINGS = [
    ("null", None), ("boolean", True), ("int", -2147483648), ("int", 2147483647),
    ("long", -9223372036854775808), ("long", 9223372036854775807), ("long", 8192),
    ("float", 1.5), ("double", -0.1), ("string", "h\u00e9\U0001f3ab"), ("string", ""),
    ("bytes", b"\x00\xff"), (COLOR, "BLUE"),
    ({"type": "array", "items": "int"}, []), ({"type": "array", "items": "int"}, [1, -1, 300]),
    ({"type": "map", "values": "string"}, {"a": "1", "b": ""}),
    (["null", "string"], None), (["null", "string"], "x"),
    (ITEM, {"id": "A", "n": -3}),
    (CART, {"id": "c1", "at": 1587414600000, "items": [{"id": "i", "n": 1}, {"id": "j", "n": 2}],
            "tags": {"p": 2.5, "q": None}, "note": None}),
    (CART, {"id": "", "at": -1, "items": [], "tags": {}, "note": "hi"}),
    (NODE, {"v": 1, "kids": [{"v": 2, "kids": []}, {"v": 3, "kids": [{"v": 4, "kids": []}]}]}),
    (MANY, {"b": False, "i": 7, "l": -7, "f": 0.25, "d": 1e300, "y": b"ab", "s": "s", "x": b"xyz",
            "c": "GREEN", "z": None, "u": [5, 6]}),
    (MANY, {"b": True, "i": 0, "l": 0, "f": -0.5, "d": 0.5, "y": b"", "s": "", "x": b"\x01\x02\x03",
            "c": "RED", "z": None, "u": "text"}),
]

INNER1 = record("In", field("a", "int"))
INNER2 = record("In", field("a", "long"), field("b", "string", default="new"))
RESOLUTIONS = [
    ("added field", record("R", field("a", "int")),
     record("R", field("a", "int"), field("b", "string", default="x")), {"a": 1}),
    ("removed field", record("R", field("gone", {"type": "array", "items": {"type": "map", "values": ITEM}}),
                             field("a", "int")),
     record("R", field("a", "int")), {"gone": [{"k": {"id": "i", "n": 1}}, {}], "a": 5}),
    ("reordered", record("R", field("a", "int"), field("b", "string")),
     record("R", field("b", "string"), field("a", "int")), {"a": 1, "b": "y"}),
    ("int to long", "int", "long", -5), ("int to float", "int", "float", 3),
    ("int to double", "int", "double", 3), ("long to float", "long", "float", 4),
    ("long to double", "long", "double", 4), ("float to double", "float", "double", 0.5),
    ("string to bytes", "string", "bytes", "ab"), ("bytes to string", "bytes", "string", b"ab"),
    ("enum by name", {"type": "enum", "name": "E", "symbols": ["A", "B", "C"]},
     {"type": "enum", "name": "E", "symbols": ["C", "B", "A"]}, "A"),
    ("enum default", {"type": "enum", "name": "E", "symbols": ["A", "B", "NEW"]},
     {"type": "enum", "name": "E", "symbols": ["B", "OLD"], "default": "OLD"}, "NEW"),
    ("union widened", ["null", "string"], ["null", "long", "string"], "w"),
    ("into a union", "string", ["null", "string"], "w"),
    ("into a union, promoted", "int", ["null", "string", "double"], 7),
    ("out of a union", ["null", "int"], "long", 7),
    ("array of records with an added field", {"type": "array", "items": INNER1},
     {"type": "array", "items": INNER2}, [{"a": 1}, {"a": 2}]),
    ("map of records in a union", {"type": "map", "values": ["null", INNER1]},
     {"type": "map", "values": [INNER2, "null"]}, {"k": {"a": 9}, "l": None}),
    ("field alias", record("R", field("old", "int")),
     record("R", field("new", "int", aliases=["old"])), {"old": 4}),
    ("record alias", record("Old", field("a", "int")),
     {"type": "record", "name": "New", "aliases": ["Old"], "fields": [field("a", "int")]}, {"a": 4}),
    ("recursive", NODE, {"type": "record", "name": "Node", "fields": [
        {"name": "kids", "type": {"type": "array", "items": "Node"}},
        {"name": "v", "type": "double"}, {"name": "w", "type": "int", "default": 3}]},
     {"v": 1, "kids": [{"v": 2, "kids": []}]}),
    ("default of every kind", record("R"), record(
        "R", field("b", "boolean", default=True), field("i", "int", default=-1),
        field("l", "long", default=1 << 40), field("f", "float", default=1.5),
        field("d", "double", default=2), field("y", "bytes", default="a\u00ff"),
        field("s", "string", default="def"), field("e", COLOR, default="GREEN"),
        field("a", {"type": "array", "items": "int"}, default=[1, 2]),
        field("m", {"type": "map", "values": "int"}, default={"k": 1}),
        field("u", ["null", "int"], default=None), field("v", ["int", "null"], default=8),
        field("r", ITEM, default={"id": "d", "n": 1})), {}),
]


def quoted(text):
    return json.dumps(text, ensure_ascii=True)


def encode(schema, value):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)
    return out.getvalue()


def plain(value):
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if hasattr(value, "timestamp"):
        return int(value.timestamp() * 1000)
    return value


def in_order(value, schema, named):
    """As mr_value_to_json has it: fields in the schema's order, bytes as code points."""
    if isinstance(schema, str) and schema in named:
        schema = named[schema]
    if isinstance(schema, list):
        kinds = {dict: ("record", "map"), list: ("array",), str: ("string", "enum"), int: ("int", "long")}
        fits = [s for s in schema if (s["type"] if isinstance(s, dict) else s) in kinds.get(type(value), ())]
        return in_order(value, fits[0], named) if fits else plain(value)
    if not isinstance(schema, dict):
        return plain(value)
    if "name" in schema:
        named[schema["name"]] = schema
    if schema["type"] == "record":
        return {f["name"]: in_order(value[f["name"]], f["type"], named) for f in schema["fields"]}
    if schema["type"] == "array":
        return [in_order(v, schema["items"], named) for v in value]
    if schema["type"] == "map":
        return {k: in_order(value[k], schema["values"], named) for k in sorted(value)}
    return plain(value)


def as_json(value, schema):
    return json.dumps(in_order(value, schema, {}), separators=(",", ":"))


def c_string(text):
    """A C literal; pieces, because a hexadecimal escape would take what follows."""
    out = "".join(c if 32 <= ord(c) < 127 and c not in '"\\' else
                  ("\\" + c if c in '"\\' else "".join(f"\\{b:03o}" for b in c.encode())) for c in text)
    pieces, at = [], 0
    while at < len(out) or not pieces:
        end = min(at + 76, len(out))
        while end < len(out) and "\\" in out[max(at, end - 3):end]:
            end -= 1
        pieces.append(f'"{out[at:end]}"')
        at = end
    return "\n     ".join(pieces)


def main():
    print("/* Made by vectors.py with fastavro %s; not to be edited. */" % fastavro.__version__)
    print("#pragma once\n\n#include <stdint.h>\n\n/* clang-format off */")
    print("static const struct {\n    const char *schema;\n    uint64_t fingerprint;\n"
          "    const char *hex;\n    const char *json;\n} fastavro_encodings[] = {")
    for schema, value in ENCODINGS:
        text = json.dumps(schema, separators=(",", ":"))
        crc = fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO")
        number = int.from_bytes(bytes.fromhex(crc), "little")
        print(f'    {{{c_string(text)},\n     UINT64_C(0x{number:016x}), "{encode(schema, value).hex()}",\n'
              f"     {c_string(as_json(value, schema))}}},")
    print("};\n")
    print("static const struct {\n    const char *name;\n    const char *writer;\n    const char *reader;\n"
          "    const char *hex;\n    const char *json;\n} fastavro_resolutions[] = {")
    for name, writer, reader, value in RESOLUTIONS:
        data = encode(writer, value)
        read = fastavro.schemaless_reader(io.BytesIO(data), fastavro.parse_schema(writer),
                                          fastavro.parse_schema(reader))
        print(f'    {{"{name}",\n     {c_string(json.dumps(writer, separators=(",", ":")))},\n'
              f'     {c_string(json.dumps(reader, separators=(",", ":")))},\n     "{data.hex()}",\n'
              f"     {c_string(as_json(read, reader))}}},")
    print("};\n/* clang-format on */")


main()
