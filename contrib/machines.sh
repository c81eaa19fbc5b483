# Sourced by machine, package, test-package and vm/boot, after packages.sh: what they share of a box and its Debian.

# install_box ROOT: the programs, units and users of a box, where a package puts them below ROOT. CVR_TEST_BIN names
# another directory of programs than this checkout's.
install_box() {
    local programs=${CVR_TEST_BIN:-$top/.build/release}
    install -D -m 755 -t "$1/usr/sbin" "$programs/cvrd"
    install -D -m 755 -t "$1/usr/bin" "$programs/cvrctl"
    install -D -m 755 -t "$1/usr/libexec/cvr" "$programs"/cvr-{ingest,sync,playback,gateway,preview} "$top/etc/libexec/cvr-sweep"
    install -D -m 644 -t "$1/usr/lib/systemd/system" "$top"/etc/systemd/*.service
    install -D -m 644 -t "$1/usr/lib/sysusers.d" "$top"/etc/sysusers.d/*.conf
    install -D -m 644 -t "$1/usr/lib/tmpfiles.d" "$top"/etc/tmpfiles.d/*.conf
}

# bare_debian ROOT LIST: a Debian 12 with the packages of a comma-separated list; kept, and made anew for another list.
bare_debian() {
    [ "$(cat "$1.packages" 2>/dev/null)" != "$2" ] || return 0
    say "making a bare Debian 12 (once; some minutes)"
    rm -rf "$1" "$1.packages"
    mkdir -p "${1%/*}"
    debootstrap --variant=minbase --include="$2" bookworm "$1" >"$1.log" || die "debootstrap failed: $(tail -n 5 "$1.log")"
    new_identity "$1"
    echo "$2" >"$1.packages"
}

# new_identity ROOT: with a machine id of its own, a system does not ask for its first settings.
new_identity() { tr -d - </proc/sys/kernel/random/uuid >"$1/etc/machine-id"; }

# The machine in namespaces: systemd-nspawn's process, and the one that is number 1 in there.
spawned='' machine=''

# boot_machine CONSOLE OPTION...: boots real systemd in namespaces of its own; the options are systemd-nspawn's.
boot_machine() {
    local console=$1
    shift
    # Its own filter would keep Landlock from the workers.
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn -q --register=no --keep-unit --console=read-only -M "cvr-$$" \
        --hostname=recorder --resolv-conf=off --timezone=off \
        --system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self" \
        "$@" -b systemd.mask=console-getty.service systemd.mask=systemd-logind.service </dev/null >"$console" 2>&1 &
    spawned=$!
}

# is_machine_up: sets `machine` as soon as it is there; true once its services are started.
is_machine_up() {
    local child state
    kill -0 "$spawned" 2>/dev/null || return 1
    for child in $(pgrep -P "$spawned"); do
        if grep -q $'^NSpid:.*\t1$' "/proc/$child/status" 2>/dev/null; then machine=$child; fi
    done
    [ -n "$machine" ] || return 1
    state=$(nsenter -t "$machine" -a timeout 5 systemctl is-system-running 2>/dev/null || true)
    [[ $state = running || $state = degraded ]]
}

# end_machine: everything in it dies with its number 1, which is not there yet, or the container's own.
end_machine() {
    [ -n "$spawned" ] || return 0
    # shellcheck disable=SC2086 # none or one
    kill -KILL $machine "$spawned" 2>/dev/null || true
    wait "$spawned" 2>/dev/null || true
    spawned=''
}
