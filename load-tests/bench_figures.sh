# shellcheck shell=bash disable=SC2154
# Which rows a run has, and what they found: `rows` and `room` are the caller's.
# Sourced by bench.sh and peers/run.sh.

wanted() { [[ " ${rows[*]} " == *" $1 "* ]]; }

wanted_any() {
  local row
  for row in "$@"; do ! wanted "$row" || return 0; done
  return 1
}

median() {
  [ -f "$room/values/$1.$2" ] || return 0
  sort -n "$room/values/$1.$2" | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'
}
