#!/bin/sh
# The public headers are C99 and C++, stand alone, need only libc, and a C++ worker links with the C library.
set -u
cd "${SOURCE_DIR:-$(dirname "$0")/../..}" || exit 1
cc=${CC:-cc}
cxx=${CXX:-g++}

folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
count=0

# check NAME COMMAND...: one line of TAP; what a failed command said follows as a comment.
check() {
  name=$1
  shift
  count=$((count + 1))
  if "$@" >"$folder/output" 2>&1; then
    echo "ok $count - $name"
  else
    echo "not ok $count - $name"
    sed 's/^/#   /' "$folder/output"
  fi
}

skip() {
  count=$((count + 1))
  echo "ok $count - $1 # SKIP $2"
}

only_standard_includes() {
  ! grep '^#include' "$1" | grep -v -x -E '#include <(stdbool|stddef|stdint)\.h>'
}

cat >"$folder/worker.cc" <<'END'
#include <unicornd/protocol.h>
#include <unicornd/worker.h>

int main()
{
	unicorn_worker worker;

	if (unicorn_worker_init(&worker) != 0)
		return UNICORND_EXIT_CONFIGURATION;
	unicorn_worker_ready(&worker);
	unicorn_worker_order_stop();
	return unicorn_worker_is_stopping() && unicorn_worker_listener(&worker, nullptr) == -1 ? 0 : 1;
}
END

if ! command -v "${cc%% *}" >/dev/null; then
  echo "1..0 # SKIP no C compiler"
  exit 0
fi

for header in include/unicornd/*.h; do
  # Twice: the second time it has to be empty. ISO C wants something besides.
  printf '#include <unicornd/%s>\n' "${header##*/}" "${header##*/}" >"$folder/header.c"
  echo 'extern int unit;' >>"$folder/header.c"
  cp "$folder/header.c" "$folder/header.cc"
  check "$header includes only what it may" only_standard_includes "$header"
  # shellcheck disable=SC2086 # a compiler may be a command with options
  check "$header is C99" $cc -std=c99 -Wall -Wextra -Wpedantic -Wundef -Wstrict-prototypes -Werror -Iinclude \
    -fsyntax-only "$folder/header.c"
  if command -v "${cxx%% *}" >/dev/null; then
    # shellcheck disable=SC2086
    check "$header is C++" $cxx -std=c++11 -Wall -Wextra -Wpedantic -Wundef -Werror -Iinclude -fsyntax-only \
      "$folder/header.cc"
  else
    skip "$header is C++" "no C++ compiler"
  fi
done

if command -v "${cxx%% *}" >/dev/null; then
  # Built apart from the tree's own objects: those may want a sanitizer that C++ does not link with.
  for source in workers/worker_*.c; do
    # shellcheck disable=SC2086
    check "$source compiles for the C++ worker" $cc -std=c11 -D_GNU_SOURCE -Iinclude -c "$source" \
      -o "$folder/$(basename "$source" .c).o"
  done
  # shellcheck disable=SC2086
  check "a C++ worker links" $cxx -std=c++11 -Wall -Wextra -Werror -Iinclude "$folder/worker.cc" "$folder"/worker_*.o \
    -o "$folder/worker"
  check "a C++ worker runs" env -i "$folder/worker"
else
  skip "a C++ worker links and runs" "no C++ compiler"
fi

echo "1..$count"
