"""Each check is seen to fail: what it forbids is planted, one case at a time, in a tree made for it.

Also seen: an innocent tree passes every check.
"""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MAIN = '#include <mr/app.h>\n\nint main(void)\n{\n    return 0;\n}\n'
INNOCENT = {
    "common/include/mr/app.h": "/* time(NULL) in a comment, \"sleep(1)\" too */\n#pragma once\n#include <stdint.h>\nint mr_app(int64_t x);\n",
    "common/native.list": "/* mr_other; */\n{\n  mr_app;\n};\n",
    "common/core/text.c": '#include "core/text.h"\n\nstatic const char *const names[] = {"printf(", "rand()"};\n'
                          "const char *mr_name(const struct clock *clock)\n{\n    return names[clock->time(clock)];\n}\n",
    "common/core/text.h": "#pragma once\n#include <mr/app.h>\n",
    "common/kafka/client.c": '#include "core/text.h"\n#include <librdkafka/rdkafka.h>\n',
    "processors/demo/main.c": MAIN,
    "processors/demo/README.md": "# demo\n",
    "processors/demo/meson.build": "demo = files('main.c')\n",
    "tests/unit/test-text.c": "int main(void)\n{\n    printf(\"fine\");\n    return 0;\n}\n",
    "tests/integration/run.py": "# no time.sleep( here\nprint(1)\n",
    "scripts/do": "#!/usr/bin/env bash\nset -eu\nsleep 1\n",
}
# check, path, what is planted there, what the finding says
PLANTED = [
    ("layering", "common/core/a.c", '#include "kafka/client.h"\n', "which core may not see"),
    ("layering", "common/serde/a.c", '#include "store/db.h"\n', "which serde may not see"),
    ("layering", "common/cli/a.c", "#include <librdkafka/rdkafka.h>\n", "only common/kafka may"),
    ("layering", "common/runtime/a.c", "# include <rocksdb/c.h>\n", "only common/store may"),
    ("layering", "common/app/a.c", "#include <avro.h>\n", "only common/serde may"),
    ("layering", "common/app/a.c", "#include <yajl/yajl_gen.h>\n", "only common/serde and common/cli may"),
    ("layering", "common/cli/a.c", "#include <yajl/yajl_parse.h>\n", "only common/serde may"),
    ("layering", "common/runtime/a.c", "#include <lua.h>\n", "only common/script may"),
    ("layering", "common/core/a.c", '#include "text.h"\n', "write it from common/"),
    ("layering", "common/other/a.c", "#include <stdio.h>\n", "is not a layer"),
    ("layering", "common/include/mr/a.h", '#include "core/text.h"\n', "includes the private"),
    ("layering", "common/include/mr/a.h", "#include <curl/curl.h>\n", "is not the C library's"),
    ("layering", "processors/demo/a.c", '#include "core/text.h"\n', "only <mr/...> and its own"),
    ("layering", "processors/demo/a.c", "#include <librdkafka/rdkafka.h>\n", "only common/kafka may"),
    ("banned", "common/core/a.c", "void f(char *a)\n{\n    strcpy(a, a);\n}\n", "strcpy() is banned"),
    ("banned", "common/core/a.c", "int f(char *a)\n{\n    return atoi (a);\n}\n", "atoi() is banned"),
    ("banned", "common/store/a.c", "long f(void)\n{\n    return time(0);\n}\n", "time() is banned"),
    ("banned", "common/store/a.c", "void f(void)\n{\n    usleep(1);\n}\n", "usleep() is banned"),
    ("banned", "processors/demo/a.c", 'void f(void)\n{\n    printf("x");\n}\n', "printf() is banned"),
    ("banned", "tests/unit/a.c", "int f(void)\n{\n    return rand();\n}\n", "rand() is banned"),
    ("sizes", "common/core/a.c", "int a;\n" * 701, "701 lines, more than 700"),
    ("sizes", "common/core/a.h", "int a;\n" * 301, "301 lines, more than 300"),
    ("sizes", "processors/demo/main.c", MAIN + "int a;\n" * 40, "more than 40"),
    ("sizes", "tests/unit/a.c", "int f(void)\n{\n" + "    ;\n" * 68 + "}\n", "f() has 71 lines, more than 70"),
    ("sleeps", "tests/unit/a.c", "void f(void)\n{\n    sleep(1);\n}\n", "a test sleeps"),
    ("sleeps", "tests/support/a.py", "import time\ntime.sleep(1)\n", "a test sleeps"),
    ("sleeps", "tests/fault/a.sh", "while true; do sleep 1; done\n", "a test sleeps"),
    ("headers", "common/include/mr/a.h", "#pragma once\nuint64_t f(void);\n", "cannot compile it alone"),
    ("headers", "common/include/mr/a.h", "struct a { int b; };\n", "cannot compile it alone"),
    ("globals", "common/core/a.c", "int f(void)\n{\n    static int n;\n    return n++;\n}\n", "n is mutable data"),
    ("globals", "common/core/a.c", "int n = 1;\n", "n is mutable data"),
    ("globals", "common/core/a.c", "_Thread_local int n;\n", "n is mutable data"),
    ("exports", "common/native.list", "{\n  mr_app;\n  mr_gone;\n};\n", "mr_gone is declared in no public header"),
    ("exports", "common/native.list", "{\n  mr_app;\n  mr_gone;\n};\n", "millrace does not export mr_gone"),
    ("exports", "common/native.list", "{\n};\n", "millrace exports mr_app, which is not in the list"),
    ("allocator", "build/link", "-Wl,--as-needed -ljemalloc", "millrace-other is linked without jemalloc"),
    ("processors", "processors/other/main.c", MAIN, "has no README.md"),
    ("text", "common/core/a.c", "int a; \n", "blanks at the end"),
    ("text", "common/core/a.c", "int a;", "no newline at the end"),
    ("text", "common/core/a.c", "int a; /* TO" "DO: b */\n", "left undone"),
    ("text", "deploy/a.lua", "\treturn 1\n", "a tab character"),
    ("shell", "scripts/bad", "#!/bin/sh\nrm -rf $1/x\n", "SC2086"),
]
CHECKS = sorted({case[0] for case in PLANTED})


def write(top, path, text):
    full = os.path.join(top, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as f:
        f.write(text)


def build_library(top):
    """What meson would have built of common/core/a.c and an innocent file, for the check of globals."""
    write(top, "build/innocent.c", "static int f(void)\n{\n    return 1;\n}\n"
                                   "int (*const fs_ops[])(void) = {f};\nconst char *const g = \"x\";\n")
    objects = []
    for source in ("build/innocent.c", "common/core/a.c"):
        if os.path.exists(os.path.join(top, source)):
            objects.append(f"build/{len(objects)}.o")
            subprocess.run(["gcc", "-c", "-fPIC", "-o", objects[-1], source], cwd=top, check=True)
    os.makedirs(os.path.join(top, "build/common/core"))
    subprocess.run(["ar", "crs", "build/common/core/liba.a"] + objects, cwd=top, check=True)


def build_program(top):
    """A program that exports mr_app alone, whatever the list says."""
    write(top, "build/main.c", "int mr_app(int x)\n{\n    return x;\n}\nint main(void)\n{\n    return mr_app(0);\n}\n")
    write(top, "build/exported", "{ mr_app; };\n")
    os.makedirs(os.path.join(top, "build/common/cli"))
    subprocess.run(["gcc", "-o", "build/common/cli/millrace", "build/main.c", "-Wl,--dynamic-list=build/exported"],
                   cwd=top, check=True)


def build_processor(top, options):
    """A processor that calls nothing of its allocator."""
    write(top, "build/other.c", "int main(void)\n{\n    return 0;\n}\n")
    os.makedirs(os.path.join(top, "build/processors/other"))
    subprocess.run(["gcc", "-o", "build/processors/other/millrace-other", "build/other.c", *options.split()],
                   cwd=top, check=True)


def run(check, planted):
    with tempfile.TemporaryDirectory() as top:
        for path, text in {**INNOCENT, **planted}.items():
            write(top, path, text)
        command = [sys.executable, os.path.join(HERE, check + ".py"), top]
        if check == "globals":
            build_library(top)
            command.append(os.path.join(top, "build"))
        if check == "allocator":
            build_processor(top, planted.get("build/link", "-Wl,--no-as-needed -ljemalloc"))
            command.append(os.path.join(top, "build"))
        if check == "exports":
            build_program(top)
            command.append(os.path.join(top, "build"))
        return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def main():
    missing = [tool for tool in ("gcc", "clang", "ctags", "shellcheck", "objdump", "nm") if not shutil.which(tool)]
    if missing:
        print("skipped: there is no " + ", ".join(missing))
        sys.exit(77)
    failed = 0
    for check in CHECKS:
        done = run(check, {})
        if done.returncode != 0:
            failed += 1
            print(f"{check} finds fault with an innocent tree:\n{done.stdout}")
    for check, path, text, message in PLANTED:
        done = run(check, {path: text})
        if done.returncode != 1 or message not in done.stdout:
            failed += 1
            print(f"{check} exits {done.returncode} and does not say '{message}' of {path}:\n{done.stdout}")
    print(f"{len(CHECKS) + len(PLANTED)} cases, {failed} failed")
    sys.exit(1 if failed else 0)


main()
