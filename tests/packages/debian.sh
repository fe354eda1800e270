#!/bin/bash
# The Debian packages, from the build to the purge, on a machine that is booted with systemd and may be spoiled: it
# installs and removes packages, users and units. Run as root in a fresh Debian 12 (a container will do):
#
#   tests/packages/debian.sh            builds the packages and tests them
#   tests/packages/debian.sh FOLDER     tests those that are in the folder
#
# Prints TAP; exits with 0 when every test passed.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

# ---- packages

build_packages() {
  export DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS:-nocheck}
  make_packages deb
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
finish
