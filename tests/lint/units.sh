#!/bin/sh
# The units are what systemd takes without a word, and as closed as their comments say.
set -u
exposure_max=40 # tenths
cd "${SOURCE_DIR:-.}" || exit 1

if ! command -v systemd-analyze >/dev/null; then
  echo '1..0 # SKIP systemd-analyze is not installed'
  exit 0
fi
echo '1..5'
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
number=0

# report STATUS NAME: one line, behind what was said in the file `said`.
report() {
  number=$((number + 1))
  if [ "$1" = 0 ]; then
    echo "ok $number - $2"
  else
    sed 's/^/# /' "$folder/said"
    echo "not ok $number - $2"
  fi
}

# The programs need not be installed for that.
put() {
  mkdir -p "$folder/$1"
  for unit in packaging/systemd/${2}unicornd@.service.in packaging/systemd/${2}unicornd@.socket; do
    name=${unit##*/}
    sed -e 's|@s\{0,1\}bindir@/unicorn[a-z]*|/bin/true|' -e 's|@sysconfdir@|/etc|' "$unit" >"$folder/$1/${name%.in}"
  done
}

verify() {
  said=$(XDG_RUNTIME_DIR=$folder HOME=$folder systemd-analyze "$1" --man=no verify \
    "$folder/$2/unicornd@lint.service" "$folder/$2/unicornd@lint.socket" 2>&1)
  status=$?
  # Of the units that this machine has it may say what it likes.
  printf '%s\n' "$said" >"$folder/said"
  grep -q -F unicornd "$folder/said" && status=1
  return "$status"
}

put system ''
put user user/
verify --system system
report $? 'systemd-analyze verify: units of the system'
verify --user user
report $? 'systemd-analyze verify: units of users'

systemd-analyze security --offline=yes --threshold="$exposure_max" --no-pager "$folder/system/unicornd@.service" \
  >"$folder/said" 2>&1
report $? "systemd-analyze security: $(sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p' "$folder/said") is at most 4.0"

mkdir -p "$folder/root"
systemd-sysusers --root="$folder/root" --dry-run "$PWD/packaging/systemd/sysusers/unicornd.conf" >"$folder/said" 2>&1
report $? 'systemd-sysusers takes the user'
mkdir -p "$folder/root/etc" && systemd-sysusers --root="$folder/root" "$PWD/packaging/systemd/sysusers/unicornd.conf" \
  >"$folder/said" 2>&1
systemd-tmpfiles --root="$folder/root" --create "$PWD/packaging/systemd/tmpfiles/unicornd.conf" >"$folder/said" 2>&1 &&
  [ -d "$folder/root/run/unicornd" ]
report $? 'systemd-tmpfiles makes the folder'
