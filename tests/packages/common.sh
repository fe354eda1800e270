# What the tests of the packages share: TAP, the machine, a site, and what its service does under systemd whatever kind of
# package it came with. To be read by bash as root on a machine that is booted with systemd and may be spoiled.
# shellcheck shell=bash
set -u -o pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 SYSTEMD_PAGER='' HOME=/root
port=18431
number=0
failed=0

note() {
  sed 's/^/# /'
}

# verdict STATUS NAME
verdict() {
  number=$((number + 1))
  if [ "$1" = 0 ]; then
    echo "ok $number - $2"
  else
    failed=$((failed + 1))
    echo "not ok $number - $2"
    journalctl -n 40 --no-pager -o cat 2>/dev/null | note
  fi
}

# must COMMAND...: without it there is nothing to test.
must() {
  if ! "$@" >"$work/log" 2>&1; then
    tail -n 40 "$work/log" | note
    echo "Bail out! failed: $*"
    exit 1
  fi
}

# check NAME COMMAND...: the command must succeed.
check() {
  local name=$1 status=0
  shift
  "$@" >"$work/said" 2>&1 || status=$?
  [ "$status" = 0 ] || note <"$work/said"
  verdict "$status" "$name"
}

fails() {
  ! "$@"
}

# ---- machine and packages

install() {
  apt-get install -y --no-install-recommends "$@"
}

# Makes a target of the Makefile, deb or rpm, in $work/build; what it needs is installed.
make_packages() {
  must install build-essential autoconf automake libtool
  mkdir -p "$work/wanted" && cp -R "$source/packaging/debian" "$work/wanted/debian"
  (cd "$work/wanted" && must apt-get build-dep -y --no-install-recommends .) || exit 1
  cp -R "$source" "$work/source"
  (cd "$work/source" && must autoreconf -fi && mkdir -p "$work/build" && cd "$work/build" &&
    must "$work/source/configure" -q && must make "$@") || exit 1
}

# ---- a site

# The application says which version it is and which daemon it belongs to; /slow says when it has begun.
write_application() {
  mkdir -p /srv/app
  cat >/srv/app/main.py.new <<P
import asyncio
import os

print("application $1 is loaded", flush=True)

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    if scope["path"] == "/slow":
        with open(os.path.join(os.environ["STATE_DIRECTORY"], "began"), "w") as began:
            began.write("begun\n")
        await asyncio.sleep(2)
    text = f"$1 {os.getppid()} {os.getuid()}\n".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": text})
P
  mv /srv/app/main.py.new /srv/app/main.py
}

write_broken_application() {
  echo 'raise RuntimeError("the database is not there")' >/srv/app/main.py
}

write_site() {
  cat >/etc/unicornd/site.conf <<C
listener web {
    address = "127.0.0.1:$port"
}

pool app {
    listeners = { web }
    command   = "unicornd-worker-async --app main:app"
    directory = "/srv/app"
    workers   = 2
}
C
}

ask() {
  curl -fsS --max-time 60 "http://127.0.0.1:${1-$port}${2-/}"
}

answers_version() {
  [ "$(ask | cut -d' ' -f1)" = "$1" ]
}

daemon_pid() {
  systemctl show -P MainPID unicornd@site
}

# Until the answer comes from a daemon other than $1; each question waits in the queue for its answer.
answers_from_another() {
  for _ in $(seq 100); do
    [ "$(ask | cut -d' ' -f2)" = "$1" ] || return 0
  done
  return 1
}

start_load() {
  coproc LOAD { exec python3 "$source/tests/packages/load.py" 127.0.0.1 $port; }
  # shellcheck disable=SC2153
  load_pid=$LOAD_PID
  read -r -t 60 _ <&"${LOAD[0]}"
}

# Leaves in `load` what became of the requests.
stop_load() {
  local input=${LOAD[1]} output=${LOAD[0]}
  exec {input}>&-
  read -r -t 120 load <&"$output"
  wait "$load_pid" 2>/dev/null
  echo "# load: $load"
}

load_has_no() {
  for word in "$@"; do
    [[ $load == *"\"$word\": 0"* ]] || return 1
  done
}

# ---- tests of the service

test_start() {
  check 'systemctl start unicornd@site' systemctl start unicornd@site
  check 'curl answers' answers_version first
  check 'workers run as unicornd' test "$(ask | cut -d' ' -f3)" = "$(id -u unicornd)"
  check 'unicornctl finds the site' unicornctl --site site status
  check 'who may not is told so' grep -q 'may not open /run/unicornd/site.sock' \
    <<<"$(runuser -u nobody -- unicornctl status 2>&1)"
  check 'systemctl status tells how it is' \
    grep -q 'steady: 2 of 2 workers ready' <<<"$(systemctl status unicornd@site)"
  check 'the manual is there' ls /usr/share/man/man5/site.conf.5*
}

test_reload() {
  write_application second
  start_load
  check 'systemctl reload of good code' systemctl reload unicornd@site
  stop_load
  check 'no request failed meanwhile' load_has_no refused lost
  check 'the new code serves' answers_version second
}

# entries FIELD...: what workers of this run have written, as "site slot generation level identifier".
entries() {
  journalctl -u unicornd@site _SYSTEMD_INVOCATION_ID="$(systemctl show -P InvocationID unicornd@site)" \
    --no-pager -o json "$@" | python3 -c 'import json, sys
for line in sys.stdin:
    entry = json.loads(line)
    if "application" in entry["MESSAGE"]:
        print(*(entry.get(name) for name in ("UNICORND_SITE", "UNICORND_SLOT", "UNICORND_GENERATION", "PRIORITY",
                                             "SYSLOG_IDENTIFIER")))'
}

test_journal() {
  journalctl --sync
  check 'the journal knows the lines of a pool by slot and generation' \
    test "$(entries UNICORND_POOL=app | sort | tr '\n' ' ')" = \
    'site 1 1 6 unicornd site 1 2 6 unicornd site 2 1 6 unicornd site 2 2 6 unicornd '
  check 'and those of one worker' test "$(entries UNICORND_POOL=app UNICORND_SLOT=2 UNICORND_GENERATION=2)" = \
    'site 2 2 6 unicornd'
  check 'what happened to them' grep -q ' worker_ready: ' \
    <<<"$(journalctl UNICORND_SITE=site UNICORND_EVENT=worker_ready --no-pager)"
  check 'and who they were stands in each line' grep -q 'unicornd\[.*: app/2\[[0-9]*\]: application second is loaded' \
    <<<"$(journalctl -u unicornd@site -o short --no-pager)"
}

test_broken_reload() {
  write_broken_application
  start_load
  check 'systemctl reload of broken code fails' fails systemctl reload unicornd@site
  stop_load
  check 'no request failed meanwhile' load_has_no refused lost
  check 'the journal has the last words of the worker' \
    grep -q 'unicornctl.*: .*RuntimeError: the database is not there' \
    <<<"$(journalctl -u unicornd@site -o short --no-pager)"
  unicornctl --site site reload >"$work/reload" 2>&1
  check 'unicornctl reload says status 5' test $? = 5
  check 'and the last words of the worker' grep -q 'RuntimeError: the database is not there' "$work/reload"
  check 'the old code goes on' answers_version second
  check 'and the unit is active' systemctl -q is-active unicornd@site
  write_application second
}

test_kill() {
  local before
  before=$(daemon_pid)
  start_load
  check 'the daemon is killed' systemctl kill -s KILL --kill-who=main unicornd@site
  check 'systemd starts another one' answers_from_another "$before"
  stop_load
  check 'no connection was refused' load_has_no refused
  check 'it was one restart' test "$(systemctl show -P NRestarts unicornd@site)" = 1
}

test_restart() {
  start_load
  check 'systemctl restart' systemctl restart unicornd@site
  stop_load
  check 'no request failed meanwhile' load_has_no refused lost
}

test_address_in_use() {
  cp /etc/unicornd/site.conf /etc/unicornd/other.conf
  check 'an address that another site has is refused' fails systemctl start unicornd@other
  systemctl stop unicornd@other
  journalctl --sync
  check 'the journal says who has it' \
    grep -q "127.0.0.1:$port: Address already in use (unicornd, process $(daemon_pid), listens there)" \
    <<<"$(journalctl -u unicornd@other -o cat --no-pager)"
  systemctl reset-failed unicornd@other
  rm /etc/unicornd/other.conf
}

test_stop() {
  local slow
  rm -f /var/lib/unicornd/site/began
  mkfifo -m 0622 /var/lib/unicornd/site/began
  ask "$port" /slow >"$work/slow" &
  slow=$!
  read -r -t 60 _ </var/lib/unicornd/site/began
  check 'systemctl stop' systemctl stop unicornd@site
  wait "$slow"
  check 'a request that ran was answered' grep -q '^second ' "$work/slow"
  check 'nobody listens any more' fails ask
  check 'no process is left' fails pgrep -u unicornd
}

test_wrong_configuration() {
  cp /etc/unicornd/site.conf "$work/site.conf"
  sed -i 's/workers   = 2/workers = many/' /etc/unicornd/site.conf
  check 'a wrong configuration is not started' fails systemctl start unicornd@site
  check 'the journal says why, with the line' grep -q 'site.conf:9: .*workers' \
    <<<"$(journalctl -u unicornd@site -n 20 -o cat --no-pager)"
  check 'it has failed' test "$(systemctl show -P ActiveState unicornd@site)" = failed
  check 'and nobody tries again' test "$(systemctl show -P NRestarts unicornd@site)" = 0
  cp "$work/site.conf" /etc/unicornd/site.conf
  check 'mended, it starts at once' systemctl start unicornd@site
}

# The last line, and the exit status.
finish() {
  echo "1..$number"
  [ "$failed" = 0 ]
}
