#!/usr/bin/env bash
# Prove README's two commands from nothing: make a Debian root that has Python, venv and make only, clone the committed
# HEAD into it, and run `make demo` and `make test` there.
#
#   tests/fresh-machine.sh [TARGET...]                             default: demo test
#   PYTEST_ADDOPTS='tests/filters -x' tests/fresh-machine.sh test  a selection of the tests
#
# Debian's mirrors, apt's Acquire settings, pip's configuration and the proxies are those of this machine. Files and
# folders that pip's configuration names (certificates, local packages) have the same path in the root.
# The root stays in build/fresh-machine for a look; the next run replaces it. Debian's packages are downloaded once.
set -euo pipefail

cd "$(dirname "$0")/.."
suite=${SUITE:-bookworm} # Python 3.11, the oldest that Vellum runs on
packages=python3,python3-venv,make
root=$PWD/build/fresh-machine/root
downloads=$PWD/build/fresh-machine/downloads

fail() {
    echo "error: $1" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || fail "a Debian root needs an administrator: run it as root (sudo make fresh-machine)"
for program in debootstrap unshare git python3; do
    command -v "$program" >/dev/null || fail "$program is missing: apt-get install debootstrap util-linux git python3"
done

# The root's mounts and processes are in namespaces that end with this script, whichever way it ends.
if [ "${1:-}" != --inside ]; then
    [ $# -gt 0 ] || set -- demo test
    unshare --mount --propagation private --pid --fork --kill-child --mount-proc "$0" --inside "$@" &
    namespaces=$!
    trap 'kill -KILL $namespaces 2>/dev/null || true' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    status=0
    wait "$namespaces" || status=$?
    exit "$status"
fi
shift

times=()
step="" started=0

end_step() {
    [ -z "$step" ] || times+=("$(printf '%6d s  %s' $((SECONDS - started)) "$step")")
    step=""
}

begin_step() {
    end_step
    step=$1 started=$SECONDS
    echo "== $step"
}

# shellcheck disable=SC2317 # the trap calls it
report() {
    local status=$?
    [ "$status" = 0 ] || step="$step: FAILED"
    end_step
    printf '%s\n' "== time of each step" "${times[@]}" "the root is in $root"
    exit "$status"
}
trap report EXIT

# Print a pip.conf with every option of this machine's configuration files and PIP_ variables; the latter win.
pip_configuration() {
    python3 - <<'PYTHON'
import ast, collections, subprocess, sys

listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
sections = collections.defaultdict(dict)
for line in sorted(listed.splitlines(), key=lambda line: line.startswith(":env:")):
    name, _, value = line.partition("=")
    section, _, option = name.rpartition(".")
    sections["global" if section == ":env:" else section][option] = " ".join(ast.literal_eval(value).split())
for section, options in sections.items():
    print(f"[{section}]", *(f"{option} = {value}" for option, value in options.items()), sep="\n")
PYTHON
}

# Make a file or folder of this machine readable at the same path in the root; a file is copied, for apt may replace it.
share() {
    if [ -d "$1" ]; then
        mkdir -p "$root$1"
        mount --bind "$1" "$root$1"
        mount -o remount,bind,ro "$root$1"
    elif [ -f "$1" ]; then
        install -D -m 644 "$1" "$root$1"
    fi
}

# Run a command in the root with the environment of a fresh machine, and say at which second each line came.
inside() {
    local names=() name
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PYTEST_ADDOPTS; do
        [ -z "${!name:-}" ] || names+=("$name=${!name}")
    done
    # The root becomes the whole file system: in a chroot there are no user namespaces, which Chromium's sandbox needs.
    # shellcheck disable=SC2016 # the inner shell expands them
    unshare --mount --propagation private sh -c \
        'cd "$0" && pivot_root . mnt && umount --lazy /mnt && exec /usr/bin/env --ignore-environment "$@"' "$root" \
        HOME=/root TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${names[@]}" "$@" \
        2>&1 </dev/null |
        while IFS= read -r line || [ -n "$line" ]; do printf '%6d s  %s\n' $((SECONDS - started)) "$line"; done
}

make_root() {
    local sources mirror word
    # shellcheck disable=SC2016 # these are apt's variables
    sources=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        grep -E "^deb [^ ]+ $suite(-updates|-security)? main$" | sort -u) || true
    mirror=$(awk -v suite="$suite" '$3 == suite { print $2; exit }' <<<"$sources")
    [ -n "$mirror" ] || fail "apt's configuration of this machine names no mirror of Debian $suite"
    begin_step "Debian $suite with $packages"
    rm -rf --one-file-system "$root"
    mkdir -p "$root" "$downloads"
    mount --bind "$root" "$root"
    debootstrap --variant=minbase --include="$packages" --cache-dir="$downloads" \
        "$suite" "$root" "$mirror" >"$root.log" ||
        { tail "$root.log" "$root/debootstrap/debootstrap.log" && fail "debootstrap failed"; }
    echo "$sources" >"$root/etc/apt/sources.list"
    apt-config dump --no-empty Acquire | grep -vE '::(IndexTargets|cdrom)::' >"$root/etc/apt/apt.conf.d/00acquire"
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io" # a root that is thrown away needs no sync to disk
    printf '%s\n' '127.0.0.1 localhost' "127.0.1.1 $(uname -n)" '::1 localhost' >"$root/etc/hosts"
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t devpts devpts "$root/dev/pts"
    mkdir -p "$root/dev/shm"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    pip_configuration >"$root/etc/pip.conf"
    # The pages of a local index, a file:// address, link to packages in a folder beside it.
    for word in $(<"$root/etc/pip.conf"); do
        case $word in
            file:///*) share "$(dirname "${word#file://}")" ;;
            /*) share "$word" ;;
        esac
    done
    inside python3 --version
    inside make --version
}

clone() {
    begin_step "clone of $(git -c safe.directory='*' log -1 --format='%h (%s)')"
    git -c safe.directory='*' bundle create --quiet "$root/srv/vellum.bundle" HEAD
    git -c advice.detachedHead=false clone --quiet "$root/srv/vellum.bundle" "$root/srv/vellum"
    rm "$root/srv/vellum.bundle"
}

# In one command, so that bash has read it all and the file may change while it runs.
{
    make_root
    clone
    for target; do
        begin_step "make $target"
        inside make -C /srv/vellum "$target"
    done
    exit
}
