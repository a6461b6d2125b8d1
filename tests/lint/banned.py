"""Functions that are not to be called: unsafe ones anywhere; time, randomness and output but in one place."""
import re

import tree

# (functions, path prefixes where they are allowed, what to do instead)
RULES = [
    ("strcpy strcat sprintf vsprintf strncpy strncat gets", [], "use mr_buf or snprintf"),
    ("strtok gmtime localtime ctime asctime", [], "it keeps hidden state"),
    ("atoi atol atoll atof", [], "use mr_parse_int64 or strtod, which report errors"),
    ("alloca mktemp tmpnam", [], "unsafe"),
    ("time clock_gettime gettimeofday clock timespec_get", ["common/core/clock.c"], "use mr_clock"),
    ("sleep usleep nanosleep clock_nanosleep", ["common/core/clock.c"], "wait on a condition with a deadline"),
    ("rand srand random srandom rand_r drand48", ["common/core/clock.c"], "randomness is passed in, with a logged seed"),
    ("printf fprintf vprintf vfprintf puts putchar",
     ["common/cli/", "common/app/", "common/core/log.c", "tests/"], "use mr_log"),
    ("exit _exit quick_exit", ["common/cli/", "common/app/", "tests/"], "return a status"),
]


def main():
    findings = tree.Findings()
    rules = [(re.compile(r"(?<![\w.])(?<!->)(?:%s)\s*\(" % "|".join(names.split())), allowed, advice)
             for names, allowed, advice in RULES]
    for path in tree.files(".c", ".h"):
        for number, line in enumerate(tree.c_code(tree.read(path) or "").split("\n"), 1):
            for pattern, allowed, advice in rules:
                match = pattern.search(line)
                if match and not path.startswith(tuple(allowed)):
                    findings.add(path, number, f"{match.group(0).rstrip('( ')}() is banned here: {advice}")
    findings.end()


main()
