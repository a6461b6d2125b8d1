"""A layer includes only itself and what stands to its left, and each dependency has one layer that sees it."""
import os
import re

import tree

RANKS = {"core": 0, "serde": 1, "store": 1, "kafka": 2, "runtime": 3, "script": 4, "app": 5, "cli": 6}
# Headers of a dependency, and the folders that may include them.
DEPENDENCIES = [
    (r"librdkafka/", ["common/kafka"]),
    (r"rocksdb/", ["common/store"]),
    (r"avro(\.h|/)", ["common/serde"]),
    (r"(yajl/)?yajl_gen\.h", ["common/serde", "common/cli"]),
    (r"yajl", ["common/serde"]),
    (r"(lua5\.4/)?(lua|luaconf|lauxlib|lualib)\.h", ["common/script"]),
    # The registry is asked by serde, processors by the CLI through app/http_get.c.
    (r"curl/", ["common/serde", "common/app"]),
    (r"microhttpd\.h", ["common/app"]),
    (r"openssl/", ["common/cli"]),
]
# All that a public header may include beside its like.
STANDARD = re.compile(r"(assert|ctype|errno|float|inttypes|iso646|limits|locale|math|setjmp|signal|stdalign|stdarg|"
                      r"stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|sys/types|time)\.h")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def layer_of_public(header):
    """The layer whose source has the public header's name; None if there is none such."""
    name = os.path.splitext(os.path.basename(header))[0]
    for layer in RANKS:
        if os.path.exists(os.path.join(tree.root(), "common", layer, name + ".c")):
            return layer
    return None


def may_see(layer, other):
    return other == layer or RANKS[other] < RANKS[layer]


def check_dependency(findings, path, line, header):
    for pattern, folders in DEPENDENCIES:
        if re.match(pattern, header):
            if not path.startswith(tuple(f + "/" for f in folders)):
                findings.add(path, line, f"includes {header}, which only {' and '.join(folders)} may")
            return


def check_layer(findings, path, line, layer, quoted, header):
    if quoted:
        other = header.split("/")[0]
        if other not in RANKS:
            findings.add(path, line, f'includes "{header}": write it from common/, as "{layer}/{header}"')
            return
    elif header.startswith("mr/"):
        other = layer_of_public(header)
    else:
        return
    if other is not None and not may_see(layer, other):
        findings.add(path, line, f"includes {header} of {other}, which {layer} may not see")


def check_public(findings, path, line, quoted, header):
    if quoted:
        findings.add(path, line, f'a public header includes the private "{header}"')
    elif not header.startswith("mr/") and not STANDARD.fullmatch(header):
        findings.add(path, line, f"a public header includes {header}, which is not the C library's")


def check_processor(findings, path, line, quoted, header):
    own = os.path.join(tree.root(), os.path.dirname(path), header)
    if header == "kinds.h":  # the visible list of all kinds
        return
    if quoted and not os.path.exists(own):
        findings.add(path, line, f'a processor includes "{header}": only <mr/...> and its own headers are allowed')


def main():
    findings = tree.Findings()
    for path in tree.files(".c", ".h", under="common") + tree.files(".c", ".h", under="processors"):
        text = tree.read(path) or ""
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            quoted, header = match.group(1) == '"', match.group(2)
            parts = path.split("/")
            check_dependency(findings, path, line, header)
            if path.startswith("common/include/"):
                check_public(findings, path, line, quoted, header)
            elif parts[0] == "processors":
                check_processor(findings, path, line, quoted, header)
            elif parts[1] in RANKS:
                check_layer(findings, path, line, parts[1], quoted, header)
            else:
                findings.add(path, line, f"common/{parts[1]} is not a layer")
    findings.end()


main()
