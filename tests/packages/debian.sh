#!/bin/bash
# The Debian packages, from the build to the purge, on a machine that is booted with systemd and may be spoiled: it
# installs and removes packages, users and units. Run as root in a fresh Debian 12 (a container will do):
#
#   tests/packages/debian.sh            builds the packages and tests them
#   tests/packages/debian.sh FOLDER     tests those that are in the folder
#
# Prints TAP; exits with 0 when every test passed.
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

build_packages() {
  must install build-essential autoconf automake libtool
  mkdir -p "$work/wanted" && cp -R "$source/packaging/debian" "$work/wanted/debian"
  (cd "$work/wanted" && must apt-get build-dep -y --no-install-recommends .) || exit 1
  cp -R "$source" "$work/source"
  (cd "$work/source" && must autoreconf -fi && mkdir -p "$work/build" && cd "$work/build" &&
    must "$work/source/configure" -q && DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS:-nocheck} must make deb) || exit 1
  packages=$work/build/deb
}

find_packages() {
  for name in unicornd unicornd-python3 libunicornworker0 libunicornworker-dev; do
    echo "$packages/${name}"_[0-9]*.deb
  done
}

# The same packages with a higher version, as an upgrade brings them.
make_newer() {
  newer=$work/newer
  mkdir -p "$newer"
  for package in $(find_packages); do
    rm -rf "$work/tree"
    dpkg-deb -R "$package" "$work/tree" || return 1
    sed -i -e 's/^\(Version: .*\)$/\1+newer/' -e 's/(= \([^)]*\))/(= \1+newer)/g' "$work/tree/DEBIAN/control"
    dpkg-deb -b --root-owner-group "$work/tree" "$newer/$(basename "$package")" || return 1
  done
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

# ---- tests

# It stops at the first command that fails.
run_readme() {
  (cd "$work" && bash -e -c 'sudo() { "$@"; }; . ./readme.sh')
}

# What README.md tells to type, as it is written, but for the port.
test_readme() {
  echo 'APT::Get::Assume-Yes "yes";' >/etc/apt/apt.conf.d/90yes
  ln -s "$packages" "$work/deb"
  awk '/^```sh$/ { block = ""; inside = 1; next } /^```$/ { if (block ~ /sudo apt-get install/) printf "%s", block
    inside = 0 } inside { block = block $0 "\n" }' "$source/README.md" | sed "s/:8000/:$port/" >"$work/readme.sh"
  check 'README.md has a part for packages' test -s "$work/readme.sh"
  check 'what README.md tells to type works' run_readme
  check 'the site of README.md is enabled' systemctl -q is-enabled unicornd@site
  check 'and stops' systemctl stop unicornd@site
}

test_start() {
  check 'systemctl start unicornd@site' systemctl start unicornd@site
  check 'curl answers' answers_version first
  check 'workers run as unicornd' test "$(ask | cut -d' ' -f3)" = "$(id -u unicornd)"
  check 'unicornctl finds the site' unicornctl --site site status
  check 'who may not is told so' grep -q 'may not open /run/unicornd/site.sock' \
    <<<"$(runuser -u nobody -- unicornctl status 2>&1)"
  check 'systemctl status tells how it is' \
    grep -q 'steady: 2 of 2 workers ready' <<<"$(systemctl status unicornd@site)"
  check 'the manual is there' test -e /usr/share/man/man5/site.conf.5.gz
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

test_socket_activation() {
  mkdir -p /etc/systemd/system/unicornd@lazy.socket.d
  printf '[Socket]\nListenStream=\nListenStream=127.0.0.1:%s\n' $((port + 1)) \
    >/etc/systemd/system/unicornd@lazy.socket.d/address.conf
  sed 's/address = .*/address = "systemd:web"/' /etc/unicornd/site.conf >/etc/unicornd/lazy.conf
  systemctl daemon-reload
  check 'the socket is started alone' systemctl start unicornd@lazy.socket
  check 'nothing runs yet' fails systemctl -q is-active unicornd@lazy.service
  check 'the first request is answered' ask $((port + 1))
  check 'the site is started, too' systemctl start unicornd@lazy.service
  check 'by the socket' grep -q '^TriggeredBy=.*unicornd@lazy.socket' <<<"$(systemctl show -p TriggeredBy unicornd@lazy)"
  check 'it stops' systemctl stop unicornd@lazy.socket unicornd@lazy.service
  rm -rf /etc/systemd/system/unicornd@lazy.socket.d /etc/unicornd/lazy.conf
  printf 'listener web { address = "systemd:web" }\npool app {\n    listeners = { web }\n    command = "%s"\n}\n' \
    'unicornd-worker-async --app files:/srv/app' >/etc/unicornd/lazy.conf
  systemctl daemon-reload
  check 'the Unix socket of the unit as it is' systemctl start unicornd@lazy.socket
  check 'answers too' curl -fsS --max-time 60 --unix-socket /run/unicornd/lazy.http http://lazy/main.py
  systemctl stop unicornd@lazy.socket unicornd@lazy.service
  rm /etc/unicornd/lazy.conf
}

# What the guide advises to begin with: the old server as the worker, in the unit as it is.
test_gunicorn() {
  must install gunicorn
  printf 'def application(environ, start):\n    start("200 OK", [])\n    return [b"gunicorn\\n"]\n' >/srv/app/wsgi.py
  sed -e "s/:$port/:$((port + 4))/" -e 's/command .*/command = "gunicorn --workers 1 wsgi:application"/' \
    /etc/unicornd/site.conf >/etc/unicornd/gunicorn.conf
  check 'Gunicorn is a worker' systemctl start unicornd@gunicorn
  check 'and answers' test "$(ask $((port + 4)))" = gunicorn
  check 'it reloads' systemctl reload unicornd@gunicorn
  check 'and answers still' test "$(ask $((port + 4)))" = gunicorn
  check 'it stops' systemctl stop unicornd@gunicorn
  check 'its workers were sound' fails grep -q PermissionError <<<"$(journalctl -u unicornd@gunicorn --no-pager)"
  sed -i 's/gunicorn --workers 1/unicornd-worker-sync --app/' /etc/unicornd/gunicorn.conf
  check 'the same application in ours' systemctl start unicornd@gunicorn
  check 'answers too' test "$(ask $((port + 4)))" = gunicorn
  check 'it stops' systemctl stop unicornd@gunicorn
  rm -rf /etc/unicornd/gunicorn.conf /var/lib/unicornd/gunicorn /srv/app/wsgi.py
  must apt-get purge -y gunicorn python3-gunicorn
}

# Pools with a user of their own, with the drop-in of the examples.
test_users() {
  local examples=/usr/share/doc/unicornd/examples
  useradd --system shop
  mkdir -p /etc/systemd/system/unicornd@users.service.d
  cp $examples/systemd/pools-with-users.conf /etc/systemd/system/unicornd@users.service.d/
  sed -e "s/:$port/:$((port + 2))/" -e 's/workers   = 2/user = shop/' /etc/unicornd/site.conf >/etc/unicornd/users.conf
  systemctl daemon-reload
  check 'a daemon as root, a pool with a user' systemctl start unicornd@users
  check 'its workers are that user' test "$(ask $((port + 2)) | cut -d' ' -f3)" = "$(id -u shop)"
  check 'it reloads' systemctl reload unicornd@users
  check 'it stops' systemctl stop unicornd@users
  check 'the folders are still those of the other sites' \
    test "$(stat -c %U /run/unicornd /var/log/unicornd | tr '\n' ' ')" = 'unicornd unicornd '
  rm -rf /etc/systemd/system/unicornd@users.service.d /etc/unicornd/users.conf
  systemctl daemon-reload
}

# The whole site as another user, with the drop-in of the examples.
test_site_user() {
  mkdir -p /etc/systemd/system/unicornd@own.service.d
  cp /usr/share/doc/unicornd/examples/systemd/site-with-user.conf /etc/systemd/system/unicornd@own.service.d/
  sed -e "s/:$port/:$((port + 3))/" /etc/unicornd/site.conf >/etc/unicornd/own.conf
  systemctl daemon-reload
  check 'a site as another user' systemctl start unicornd@own
  check 'its workers are that user' test "$(ask $((port + 3)) | cut -d' ' -f3)" = "$(id -u shop)"
  check 'unicornctl finds it' unicornctl --site own status
  check 'also as that user' runuser -u shop -- unicornctl --site own status
  check 'it reloads' systemctl reload unicornd@own
  check 'it is started again' systemctl restart unicornd@own
  check 'it stops' systemctl stop unicornd@own
  check 'the folders are still those of the other sites' \
    test "$(stat -c %U /run/unicornd /var/log/unicornd | tr '\n' ' ')" = 'unicornd unicornd '
  check 'and nothing of it is left there' test -z "$(find /run/unicornd -name 'own*')"
  rm -rf /etc/systemd/system/unicornd@own.service.d /etc/unicornd/own.conf /var/lib/unicornd/own
  systemctl daemon-reload
}

as_alice() {
  runuser -u alice -- env XDG_RUNTIME_DIR="/run/user/$(id -u alice)" HOME=/home/alice "$@"
}

test_user_units() {
  local folder=/home/alice/.config/unicornd
  useradd -m alice
  must install libpam-systemd
  mkdir -p $folder
  cat >$folder/mine.conf <<'C'
listener web { address = "unix:${XDG_RUNTIME_DIR}/unicornd/mine/web.sock" }
pool app {
    listeners = { web }
    command   = "unicornd-worker-async --app main:app"
    directory = "/srv/app"
}
C
  chown -R alice: /home/alice
  must systemctl start "user@$(id -u alice).service"
  check 'without root: systemctl --user start' as_alice systemctl --user start unicornd@mine
  check 'the socket below XDG_RUNTIME_DIR answers' as_alice curl -fsS --max-time 60 \
    --unix-socket "/run/user/$(id -u alice)/unicornd/mine/web.sock" http://mine/
  check 'unicornctl finds it' as_alice unicornctl status
  check 'it reloads' as_alice systemctl --user reload unicornd@mine
  check 'it stops' as_alice systemctl --user stop unicornd@mine
  systemctl stop "user@$(id -u alice).service"
  userdel -r alice 2>/dev/null
}

test_logrotate() {
  must install logrotate
  printf 'log { file = "/var/log/unicornd/site.log" }\n' >>/etc/unicornd/site.conf
  check 'a log file below /var/log/unicornd' systemctl restart unicornd@site
  check 'is rotated' logrotate -f /etc/logrotate.d/unicornd
  check 'and opened anew' unicornctl --site site restart
  check 'what comes is in the new file' grep -q operation_finished /var/log/unicornd/site.log
  test_access_log_rotation
}

# With the example of the manual. Workers write what they have gathered when they end.
test_access_log_rotation() {
  local log=/var/lib/unicornd/site/access.log
  sed -i "s,--app main:app,& --access-log $log," /etc/unicornd/site.conf
  zcat /usr/share/man/man1/unicornd-worker-sync.1.gz | sed -n '/access.log {/,/^}/p' |
    sed "s,^.*access.log,$log," >/etc/logrotate.d/access
  systemctl restart unicornd@site
  check 'the first request' answers_version second
  systemctl restart unicornd@site
  check 'an access log is rotated' logrotate -f /etc/logrotate.d/access
  check 'the second request' answers_version second
  systemctl restart unicornd@site
  check 'each file has its line' test "$(cat $log.1 | wc -l) $(cat $log | wc -l)" = '1 1'
  rm /etc/logrotate.d/access
}

test_upgrade() {
  local before
  before=$(daemon_pid)
  make_newer >"$work/log" 2>&1
  start_load
  check 'upgrade' dpkg -i "$newer"/*.deb
  stop_load
  check 'no request failed meanwhile' load_has_no refused lost
  check 'the site runs the new version' fails test "$(daemon_pid)" = "$before"
  check 'the packages have it' grep -q newer <<<"$(dpkg-query -W -f '${Version}' unicornd)"
  check 'a configuration that it refuses' sed -i 's/workers   = 2/workers = many/' /etc/unicornd/site.conf
  before=$(daemon_pid)
  check 'is no reason to stop a site' dpkg -i "$newer"/unicornd_*.deb
  check 'which goes on as it was' test "$(daemon_pid) $(ask | cut -d' ' -f2)" = "$before $before"
}

left_behind() {
  find / -xdev \( -path /proc -o -path /sys -o -path /root -o -path /tmp -o -path /var/cache/apt \
    -o -path /var/lib/apt -o -path "$source" -o -path /usr/lib/ruby \) -prune -o -name '*unicorn*' -print
}

test_removal() {
  check 'remove' apt-get remove -y unicornd unicornd-python3 libunicornworker0 libunicornworker-dev
  check 'the site is stopped' fails ask
  check 'no process is left' fails pgrep -u unicornd
  check 'its configuration is still there' test -e /etc/unicornd/site.conf
  check 'purge' dpkg --purge unicornd
  check 'nothing is left' test -z "$(left_behind | tee "$work/left")"
  note <"$work/left"
}

must apt-get update
must install curl python3 procps gcc libc6-dev pkg-config
packages=${1-}
[ -n "$packages" ] || build_packages
# shellcheck disable=SC2046
check 'the packages are installed' install $(find_packages)
for name in serve python library; do
  check "autopkgtest: $name" "$source/packaging/debian/tests/$name"
done
write_application first
test_readme
write_site
test_start
test_reload
test_journal
test_broken_reload
test_kill
test_restart
test_address_in_use
test_stop
test_wrong_configuration
test_socket_activation
test_gunicorn
test_users
test_site_user
test_user_units
test_logrotate
test_upgrade
test_removal
echo "1..$number"
[ "$failed" = 0 ]
