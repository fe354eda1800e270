#!/bin/sh
# What lintian, rpmlint, mandoc and shellcheck have to say. The packages are looked at when they were built, by
# `make deb` and `make rpm`.
set -u
cd "${SOURCE_DIR:-.}" || exit 1
build=${BUILD_DIR:-build}
said=$(mktemp) || exit 1
trap 'rm -f "$said"' EXIT
number=0
failed=0

# verdict STATUS NAME
verdict() {
  number=$((number + 1))
  if [ "$1" = 0 ]; then
    echo "ok $number - $2"
  else
    sed 's/^/# /' "$said"
    echo "not ok $number - $2"
    failed=1
  fi
}

skip() {
  number=$((number + 1))
  echo "ok $number - $1 # SKIP $2"
}

has() {
  command -v "$1" >/dev/null
}

check_manual() {
  has mandoc || { skip 'mandoc -T lint' 'mandoc is not installed'; return; }
  # Pages that only include another one are found where they are installed.
  # shellcheck disable=SC2046
  mandoc -T lint -W warning $(grep -L '^\.so ' packaging/man/*.[1-8]) >"$said" 2>&1
  verdict $? 'mandoc -T lint'
}

scripts() {
  find packaging tests quickstart .ci -type f ! -path '*/corpus/*' -exec awk '
    FNR == 1 && /^#!.*\/(ba)?sh( |$)/ { print FILENAME }' {} +
}

check_scripts() {
  has shellcheck || { skip 'shellcheck' 'shellcheck is not installed'; return; }
  # shellcheck disable=SC2046
  shellcheck -x $(scripts) >"$said" 2>&1
  verdict $? "shellcheck: $(scripts | wc -l) scripts"
}

check_debian() {
  has lintian || { skip 'lintian' 'lintian is not installed'; return; }
  set -- "$build"/deb/*.changes
  [ -e "$1" ] || { skip 'lintian' 'make deb was not run'; return; }
  # It asks not to be run by root, who builds in containers all the same.
  lintian --allow-root --fail-on error,warning "$@" >"$said" 2>&1
  verdict $? 'lintian'
}

check_rpm() {
  has rpmlint || { skip 'rpmlint' 'rpmlint is not installed'; return; }
  set -- "$build"/rpm/RPMS/*/*.rpm
  [ -e "$1" ] || set --
  rpmlint -c packaging/rpmlint.toml packaging/unicornd.spec "$@" >"$said" 2>&1
  verdict $? "rpmlint: spec and $# packages"
}

check_files() {
  name='Debian packages and rpms have the same files'
  if [ -d "$build/deb" ] && [ -d "$build/rpm" ] && has rpm && has dpkg-deb; then
    "${PYTHON3:-python3}" tests/packages/compare.py "$build/deb" "$build/rpm" >"$said" 2>&1
    verdict $? "$name"
  else
    skip "$name" 'make deb and make rpm were not run'
  fi
}

check_manual
check_scripts
check_debian
check_rpm
check_files
echo "1..$number"
exit "$failed"
