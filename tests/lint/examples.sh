#!/bin/sh
# The daemon accepts every example configuration.
set -u
unicornd=${UNICORND:?}
cd "${SOURCE_DIR:?}/packaging/examples" || exit 1

count=0
for file in *.conf; do
  [ -e "$file" ] || continue
  count=$((count + 1))
  if output=$("$unicornd" -t -c "$file" 2>&1); then
    echo "ok $count - $file is accepted"
  else
    echo "not ok $count - $file is accepted"
    echo "$output" | sed 's/^/#   /'
  fi
done
if [ "$count" -eq 0 ]; then
  echo '1..0 # SKIP no examples'
else
  echo "1..$count"
fi
