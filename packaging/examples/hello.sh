#!/bin/sh
# hello.sh - a worker of unicornd in shell: does a small job for ever, with readiness, heartbeat and a clean end.
#
# Its pool needs no listeners. `>&$UNICORND_STATUS_FD` is one digit in dash: with more than six listeners, use bash.
set -eu

stop=
pause=
trap 'stop=yes; [ -z "$pause" ] || kill "$pause" 2>/dev/null || :' TERM
# A shell dies of SIGPIPE before it could notice the write error.
trap '' PIPE

# Without unicornd nobody listens. A write error means that the daemon is gone: then this worker ends too.
say() {
  [ -n "${UNICORND_STATUS_FD:-}" ] || return 0
  { printf '%s\n' "$1" >&"$UNICORND_STATUS_FD"; } 2>/dev/null || stop=yes
}

job() {
  read -r load _ </proc/loadavg
  say "STATUS=load $load"
}

if [ -n "${UNICORND_STATUS_FD:-}" ] && ! (: >&"$UNICORND_STATUS_FD") 2>/dev/null; then
  echo "hello.sh: this shell cannot write to descriptor $UNICORND_STATUS_FD" >&2
  exit 78
fi

# Beats at least twice as often as asked for (in microseconds).
period=1
[ "${WATCHDOG_USEC:-2000000}" -ge 2000000 ] || period=0.1

say READY=1
while [ -z "$stop" ]; do
  say WATCHDOG=1
  job
  # In the background, because a trap would wait for the end of a foreground sleep.
  sleep "$period" &
  pause=$!
  [ -z "$stop" ] || kill "$pause"
  wait "$pause" || :
  pause=
done
