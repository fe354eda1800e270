#!/bin/sh
# hello.sh - a worker of unicornd in shell: does a small job for ever, with readiness, heartbeat and a clean end.
#
# The pool needs no listeners. `>&$UNICORND_STATUS_FD` takes one digit in dash: a pool of a shell script should not have
# more than six listeners, or use bash.
set -eu

stop=
pause=
trap 'stop=yes; [ -z "$pause" ] || kill "$pause" 2>/dev/null || :' TERM

say() {
  # Without unicornd nobody listens. A write error means that the daemon is gone: then this worker ends too.
  [ -n "${UNICORND_STATUS_FD:-}" ] || return 0
  { printf '%s\n' "$1" >&"$UNICORND_STATUS_FD"; } 2>/dev/null || stop=yes
}

job() {
  read -r load _ </proc/loadavg
  say "STATUS=load $load"
}

# A shell dies of SIGPIPE before it could notice the write error.
trap '' PIPE

# Twice as often as asked for, at most once a second; the variable counts microseconds.
period=1
[ "${WATCHDOG_USEC:-2000000}" -ge 2000000 ] || period=0.1

say READY=1
while [ -z "$stop" ]; do
  say WATCHDOG=1
  job
  # A foreground sleep would put the trap off until its end.
  sleep "$period" &
  pause=$!
  wait "$pause" || :
  pause=
done
