#!/bin/sh
# All of the user land of the Linux dom0: start Xen's toolstack, let the real xl create one guest, tell its verdict.
#
# There are two serial ports. The first is the host's own: Xen, Linux and this script's diagnostics go there, and xtask
# keeps them in a file. The second belongs to the guest's console alone, so that whoever runs the guest sees and types
# what the guest sees and types, and nothing else.
#
# The verdict leaves through port 0xf4, where QEMU's isa-debug-exit ends the machine with it: 0x40 | status, as the
# kernel does by itself on platforms that let it reach ports. Statuses of our own:
unable=61  # the host could not create the guest
crashed=62 # the guest ended without saying how

name=anyring
guest_log=/var/log/xen/guest-$name.log
tool_log=/var/log/xl.log
terminal=/dev/ttyS1
shown=/shown
export PATH=/bin:/xen

main() {
    set_up_devices
    load_modules
    start_toolstack
    say "dom0 is up, xl creates the guest"
    run_guest
    conclude
}

set_up_devices() {
    mkdir -p /proc /sys /dev /tmp /var/run/xen /var/lock /var/lib/xen /var/log/xen
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys
    mount -t devtmpfs devtmpfs /dev
    # Without pseudo-terminals xenconsoled has nowhere to put a guest's console.
    mkdir -p /dev/pts
    mount -t devpts devpts /dev/pts
    # What the guest prints and what is typed for it passes unchanged.
    stty -F $terminal raw -echo
}

load_modules() {
    for module in /modules/*; do
        insmod "$module" || give_up "the module $module does not load"
    done
    mount -t xenfs xenfs /proc/xen || give_up "xenfs cannot be mounted: Linux is not under Xen"
}

start_toolstack() {
    xenstored --pid-file=/var/run/xenstored.pid || give_up "xenstored does not start"
    await 10 test -S /var/run/xenstored/socket || give_up "xenstored does not listen"
    xen-init-dom0 || give_up "dom0 cannot be entered in xenstore"
    xenconsoled --log=guest --log-dir=/var/log/xen --pid-file=/var/run/xenconsoled.pid ||
        give_up "xenconsoled does not start"
}

# xl stays in the foreground until the guest has ended. The guest is then kept ("preserve"), so that the console can
# still show its last words: all that the log has. The guest has waited until xenconsoled took them, but xenconsoled writes
# them to its log behind that; a guest that crashed may have none.
run_guest() {
    mkfifo /console
    tee $shown </console >$terminal &
    attach <$terminal >/console &
    xl create -F -q /guest/$name.cfg 2>$tool_log || give_up "xl cannot create the guest"
    [ -s $guest_log ] || return
    await 2 last_words_logged
    await 10 all_shown || say "the console is stuck; the guest printed: $(cat $guest_log)"
}

# Nothing is lost by attaching when the guest already runs: xenconsoled keeps what nobody has read. Whoever detaches
# (Ctrl-]) is attached again, since there is nothing else to be at. It is what "xl console" starts, except that it must
# be told to read its input, since its output is not a terminal; the guest is domain 1, the first beside dom0.
attach() {
    until [ -e $guest_log ]; do
        sleep 0.05
    done
    while :; do
        xenconsole --interactive --type pv 1
        sleep 0.2
    done
}

last_words_logged() {
    grep -q "anyring: \(exit status\|power off\|reboot\)" $guest_log
}

all_shown() {
    [ "$(stat -c %s $shown)" -ge "$(stat -c %s $guest_log)" ]
}

# A guest that says "exit status" has decided; one that powers off or reboots has ended well; any other has crashed. Of one that says
# nothing it is not known what it did before it halted, so it has not ended well.
conclude() {
    status=$(sed -n 's/.*anyring: exit status \([0-9][0-9]*\).*/\1/p' $guest_log | tail -n 1)
    reason=$(sed -n 's/.*has shut down, reason code \([0-9][0-9]*\).*/\1/p' $tool_log | tail -n 1)
    [ -n "$status" ] && leave "$status"
    [ -s $guest_log ] || say "the guest printed nothing: as PVH domU a kernel has no console but by a ROM for Xen"
    case $reason in
    0 | 1) [ ! -s $guest_log ] || leave 0 ;;
    esac
    cat $tool_log
    say "the guest ended without an exit status; xl's shutdown reason is '${reason:-none}' (3 is a crash)"
    leave $crashed
}

# Waits up to so many seconds for a command to succeed.
await() {
    tries=$(($1 * 20))
    shift
    until "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.05
    done
}

say() {
    printf 'host: %s\r\n' "$1" >$terminal
    echo "host: $1"
}

give_up() {
    say "$1"
    cat $tool_log 2>/dev/null
    leave $unable
}

leave() {
    # Changing a terminal's settings waits until all output has left it.
    stty -F $terminal raw -echo
    printf "\\$(printf %o $((0x40 | $1)))" | dd of=/dev/port bs=1 seek=$((0xf4)) conv=notrunc 2>/dev/null
    # Not reached in a machine with isa-debug-exit.
    poweroff -f
    sleep 60
}

main
