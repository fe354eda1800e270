#!/bin/sh
# Compares the C files with .clang-format. A difference is a failure with the version that the tree is formatted with,
# Debian 12's, because versions differ in small things; with another one it is told. STRICT=yes or no overrides that.
set -u
wanted=14
cd "${SOURCE_DIR:-.}" || exit 1

if ! command -v clang-format >/dev/null; then
  echo '1..0 # SKIP clang-format is not installed'
  exit 0
fi
version=$(clang-format --version | sed -n 's/.*version \([0-9]*\).*/\1/p')
default=no
if [ "$version" = "$wanted" ]; then
  default=yes
fi
strict=${STRICT:-$default}
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
