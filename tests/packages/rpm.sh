#!/bin/bash
# The rpms, from the build to the removal, on a machine that is booted with systemd and may be spoiled: it installs and
# removes packages, users and units. Run as root in a fresh Debian 12 (a container will do), where rpm is a guest: its
# packages, scripts and order of upgrade are the real ones, but dependencies have other names there and are not checked.
#
#   tests/packages/rpm.sh               builds the packages and tests them
#
# Prints TAP; exits with 0 when every test passed.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

# ---- packages

# rpms RELEASE: builds those packages; their release is one of an upgrade when it is not the first.
rpms() {
  make_packages rpm RPM_FLAGS="--without check --define 'dist .$1'"
  mkdir -p "$work/$1"
  cp "$work"/build/rpm/RPMS/*/*."$1".*.rpm "$work/$1"
  rm -rf "$work/source" "$work/build" "$work/wanted"
}

rpm_all() {
  local options=$1 release=$2
  # shellcheck disable=SC2046
  rpm "$options" --nodeps $(find "$work/$release" -name '*.rpm' ! -name '*debug*')
}

# ---- tests

test_install() {
  check 'the packages are installed' rpm_all -i el1
  check 'the user is there' getent passwd unicornd
  check 'the folder of the logs is its own' test "$(stat -c '%U %a' /var/log/unicornd)" = 'unicornd 750'
  check 'nothing has changed since' fails grep . <<<"$(rpm -Va --nodeps | grep -v ' /var/log')"
}

test_upgrade() {
  local before
  before=$(daemon_pid)
  start_load
  check 'upgrade' rpm_all -U el2
  stop_load
  check 'no request failed meanwhile' load_has_no refused lost
  check 'the site runs the new version' fails test "$(daemon_pid)" = "$before"
  check 'the packages have it' grep -q 'el2$' <<<"$(rpm -q --qf '%{release}' unicornd)"
  check 'a configuration that it refuses' sed -i 's/workers   = 2/workers = many/' /etc/unicornd/site.conf
  before=$(daemon_pid)
  check 'is no reason to stop a site' rpm -U --nodeps --replacepkgs "$work"/el2/unicornd-[0-9]*.rpm
  check 'which goes on as it was' test "$(daemon_pid) $(ask | cut -d' ' -f2)" = "$before $before"
}

test_removal() {
  check 'removal' rpm -e --nodeps unicornd unicornd-python3 libunicornworker libunicornworker-devel
  check 'the site is stopped' fails ask
  check 'no process is left' fails pgrep -u unicornd
  check 'its configuration is still there' test -e /etc/unicornd/site.conf
  check 'the programs are not' fails ls /usr/sbin/unicornd /usr/bin/unicornctl /usr/lib/systemd/system/unicornd@.service
}

must apt-get update
must install curl python3 procps rpm
rpms el1
rpms el2
write_application first
test_install
write_site
test_start
test_reload
test_journal
test_broken_reload
test_kill
test_restart
test_stop
test_wrong_configuration
test_upgrade
test_removal
finish
