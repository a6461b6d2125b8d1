# Helpers that the scripts beside this file source. They expect `set -euo pipefail`.
# shellcheck shell=bash

# The name the messages start with, and the top of the tree.
script_name=${0##*/}
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
export root

say() {
    printf '%s: %s\n' "$script_name" "$*" >&2
}

die() {
    say "$*"
    exit 1
}

# Prints where downloaded and built things are kept between runs.
cache_dir() {
    printf '%s/millrace\n' "${XDG_CACHE_HOME:-$HOME/.cache}"
}

# wait_until SECONDS COMMAND...: polls until the command succeeds; fails when the time is over.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

# free_ports N: prints N ports of the loopback interface that nothing listens on. They lie below the
# range for outgoing connections, so no client's own socket can take one while a server is down.
free_ports() {
    python3 - "$1" <<'EOF'
import random, socket, sys

with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
    top = int(f.read().split()[0])
found = []
for port in random.sample(range(10240, max(top, 11264)), 1000):
    if len(found) == int(sys.argv[1]):
        break
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
    found.append(port)
print("\n".join(map(str, found)))
EOF
}

# spawn PIDFILE OUT ERR COMMAND...: starts the command in the background, OUT and ERR being appended to.
# It stays in the caller's process group, so that who ends a test with its group ends this too, but
# a Ctrl-C is the caller's to handle.
spawn() {
    local pidfile=$1 out=$2 err=$3
    shift 3
    (
        trap '' INT
        exec "$@" >>"$out" 2>>"$err" </dev/null
    ) &
    printf '%s\n' "$!" >"$pidfile"
    wait_until 10 has_begun "$!"
}

# Whether a forked shell has become the command it was to run, or has ended. The kernel shows the new
# program a moment before its command line, which is_running looks at.
has_begun() {
    local exe
    exe=$(readlink "/proc/$1/exe") || return 0
    [ "$exe" != "$(readlink "/proc/$BASHPID/exe")" ] && [ -n "$(tr -d '\0' 2>/dev/null <"/proc/$1/cmdline")" ]
}

# is_running PIDFILE WORD: whether the process is there and still the one whose command line has WORD.
is_running() {
    local pid
    pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$2"
}

is_gone() {
    ! is_running "$@"
}
