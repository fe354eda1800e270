#!/bin/sh
# Compares the C files with .clang-format. STRICT=yes makes a difference a failure; otherwise it is only told.
set -u
strict=${STRICT:-no}
cd "${SOURCE_DIR:-.}" || exit 1

if ! command -v clang-format >/dev/null; then
  echo '1..0 # SKIP clang-format is not installed'
  exit 0
fi
echo '1..1'
all=0 different=0
for file in $(find ctl daemon include packaging tests workers -name '*.[ch]' | sort); do
  all=$((all + 1))
  if ! clang-format --dry-run -Werror "$file" >/dev/null 2>&1; then
    different=$((different + 1))
    echo "# $file"
  fi
done
if [ "$strict" = yes ] && [ "$different" -gt 0 ]; then
  printf 'not '
fi
echo "ok 1 - format: $different of $all files differ from .clang-format"
