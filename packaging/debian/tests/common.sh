# Sourced by the tests: a site without root, in a folder of its own, that ends with the test.

folder=$(mktemp -d)
export XDG_RUNTIME_DIR="$folder"
daemon=

end() {
  [ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } || true
  rm -rf "$folder"
}
trap end EXIT

# serve ADDRESS COMMAND...: starts a site and waits until it serves.
serve() {
  address=$1
  shift
  unicornd -n test --socket "$folder/test.sock" -b "$address" -w 2 -- "$@" 2>"$folder/log" &
  daemon=$!
  curl --retry 20 --retry-delay 1 --retry-all-errors -fsS "http://$address/" >"$folder/answer" ||
    { cat "$folder/log" >&2; exit 1; }
}
