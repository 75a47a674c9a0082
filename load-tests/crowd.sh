#!/usr/bin/env bash
# Whether connections that do nothing, or next to nothing, disturb those who join: joins at full speed
# without and with a crowd of idle and of slow connections, in turns. Fails when a join is refused, when
# the rate falls below --least-ratio of that without, or when the node treats the crowd otherwise than
# its configuration says. Needs the programs of `./dev build` and wrk; writes below --dir.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
programs=${BENCH_PROGRAMS:-$repository/build/release}

idle=10000
slow=1000
seconds=8
runs=3
connections=64
applicants=1000000
least_ratio=0.85
io_threads=$(nproc)
directory=/var/tmp
# The limits that the node is given and the crowd holds it to; the default ones.
idle_seconds=75
header_seconds=10
body_seconds=10   # net/limits.hpp: by then a body must come at 512 bytes a second
late_seconds=4

usage() {
  cat <<TEXT
load-tests/crowd.sh [--idle $idle] [--slow $slow] [--seconds $seconds] [--runs $runs]
                    [--connections $connections] [--applicants $applicants] [--idle-seconds $idle_seconds]
                    [--least-ratio $least_ratio] [--dir $directory]
TEXT
}

refuse() { echo "crowd: $*" >&2; usage >&2; exit 2; }

parse_flags() {
  while [ $# -gt 0 ]; do
    [ "$1" != --help ] || { usage; exit 0; }
    [ $# -ge 2 ] || refuse "$1 needs a value"
    case $1 in
      --dir) directory=$2 ;;
      --least-ratio) least_ratio=$2 ;;
      --idle | --slow | --seconds | --runs | --connections | --applicants | --idle-seconds)
        [[ $2 =~ ^[1-9][0-9]*$ ]] || refuse "$1 takes a number, not '$2'"
        local name=${1#--}
        printf -v "${name//-/_}" %s "$2" ;;
      *) refuse "no flag '$1'" ;;
    esac
    shift 2
  done
}

faults=()
fault() { faults+=("$*"); echo "crowd: $*" >&2; }

metric() { curl -sS -m 20 "$node_url/metrics" | awk -v name="$1" '$1 == name {printf "%.0f", $2}'; }
descriptors() { find "/proc/$node_pid/fd" -mindepth 1 | wc -l; }
median_of() { printf '%s\n' "$@" | sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

# joins NAME: everybody joins a wave of its own, as fast as they are answered; leaves $rate.
joins() {
  local result median_us p99_us refused exhausted
  [ -z "${wave:-}" ] || operator POST "/v1/operator/waves/$wave/cancel" >/dev/null
  new_wave 50000 '[]'
  wait_quiet "$node_pid"
  result=$(TOKENS=$room/tokens COUNT=$applicants REQUEST_PATH=/v1/waves/$wave/join \
    timeout --foreground $((seconds + 60)) wrk -t1 -c"$connections" -d"${seconds}s" --timeout 10s --latency \
    -s "$repository/load-tests/tokens.lua" "$node_url" | sed -n 's/^RESULT //p') || true
  read -r rate median_us p99_us refused exhausted <<<"${result:-0 0 0 1 0}"
  [ "$refused" = 0 ] || fault "$1: $refused joins were refused or lost"
  [ "$exhausted" = 0 ] || fault "$1: all $applicants had joined before the end: --applicants"
  [ "$rate" -gt 0 ] || fault "$1: nobody could join"
  echo "crowd: $1: $rate joins a second, median $median_us us, p99 $p99_us us" >&2
}

# gather: brings the crowd and waits until the node has all of it.
gather() {
  local end=$((SECONDS + 120)) there=0
  start crowd "$programs/crowd" --port "$(port_of "$node_url")" --idle "$idle" --slow "$slow" \
    --idle-seconds "$idle_seconds" --header-seconds "$header_seconds" --body-seconds "$body_seconds" \
    --late-seconds "$late_seconds"
  crowd_pid=$started
  gathered_at=$SECONDS
  while ! grep -q crowded "$room/crowd.out" || [ "$there" -lt $(((idle + slow) * 95 / 100)) ]; do
    there=$(metric gelombang_http_connections)
    if [ $SECONDS -gt $end ] || ! kill -0 "$crowd_pid" 2>/dev/null; then
      fault "only $there of $((idle + slow)) connections came: $(tail -n 3 "$room/crowd.err")"
      return 0
    fi
    sleep 0.1
  done
}

# disperse: ends the crowd, which says how it was treated, and waits until the node has forgotten it.
disperse() {
  local end=$((SECONDS + 30)) code=0
  kill -TERM "$crowd_pid" 2>/dev/null || true
  wait "$crowd_pid" || code=$?
  end "$crowd_pid"   # and forgets it
  sed 1d "$room/crowd.out" | sed 's/^/crowd: /' >&2
  [ $code = 0 ] || fault "the crowd was treated otherwise than configured: $(grep -h WRONG "$room/crowd.out" || true)"
  while [ "$(metric gelombang_http_connections)" -gt 10 ]; do
    [ $SECONDS -le $end ] || { fault "the node keeps connections that have ended"; break; }
    sleep 0.1
  done
}

prepare() {
  room=$(mktemp -d "$directory/gelombang-crowd.XXXXXX")
  ln -s "$repository/config" "$room/config"
  trap end_everything EXIT
  trap 'exit 130' INT TERM
  gelombang seed --data-dir "$room/data" --applicants "$applicants" >"$room/seed.out" 2>&1
  gelombang tokens --data-dir "$room/data" --applicants "$applicants" >"$room/tokens"
  operator_token=$(gelombang tokens --data-dir "$room/data" --applicants 1 --role operator)
  start_node "$room/data" --set runtime.active_actors_max=$((applicants + 100000)) \
    --set front_door.idle_seconds_max="$idle_seconds" --set front_door.header_seconds_max="$header_seconds" \
    --set front_door.connections_max=$((idle + slow + 1000)) \
    --set front_door.connections_by_address_max=$((idle + slow + 1000))
  joins "warming up"
}

rounds() {
  local before after
  without=() with=() kilobytes=() opened=()
  for ((run = 1; run <= runs; ++run)); do
    joins "without, run $run"
    without+=("$rate")
    wait_quiet "$node_pid"
    before=$(resident_kb "$node_pid") files_before=$(descriptors)
    gather
    after=$(resident_kb "$node_pid")
    kilobytes+=("$((after - before))")
    opened+=("$(($(descriptors) - files_before))")
    joins "with the crowd, run $run"
    with+=("$rate")
    disperse
  done
}

# Long enough for every idle connection to have met its limit.
long_stay() {
  gather
  while [ $((SECONDS - gathered_at)) -lt $((idle_seconds + late_seconds + 2)) ]; do
    joins "while the idle ones are ended"
  done
  disperse
  cp "$room/crowd.out" "$room/long_stay"
}

report() {
  local ratio
  ratio=$(awk -v a="$(median_of "${with[@]}")" -v b="$(median_of "${without[@]}")" \
    'BEGIN {printf("%.2f", (b > 0) ? a / b : 0)}')
  awk -v r="$ratio" -v least="$least_ratio" 'BEGIN {exit !(r < least)}' &&
    fault "with the crowd $ratio of the joins, less than $least_ratio"
  printf '# A crowd of %s idle and %s slow connections, %s\n\n' "$idle" "$slow" "$(date -u +%Y-%m-%d)"
  printf '%s, %s cores, %s GB, Linux %s; commit %s; %s runs of %s s in turns, %s connections that join; %s io threads; crowd and generator on the same cores.\n\n' \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" \
    "$(awk '/^MemTotal/ {print int($2 / 1048576)}' /proc/meminfo)" "$(uname -r)" \
    "$(git -C "$repository" rev-parse --short HEAD 2>/dev/null || echo unknown)" \
    "$runs" "$seconds" "$connections" "$io_threads"
  printf '| | |\n|---|---:|\n'
  printf '| joins a second without, median of %s | %s |\n' "${without[*]}" "$(median_of "${without[@]}")"
  printf '| joins a second with the crowd, median of %s | %s |\n' "${with[*]}" "$(median_of "${with[@]}")"
  printf '| ratio, at least %s | %s |\n' "$least_ratio" "$ratio"
  printf '| memory of the node that the crowd adds, kB, first of %s | %s |\n' "${kilobytes[*]}" "${kilobytes[0]}"
  printf '| resident at the end, MB | %s |\n' "$(($(resident_kb "$node_pid") / 1024))"
  printf '| file descriptors that it adds | %s |\n' "${opened[0]}"
  printf '\nHow it was treated while it stayed longer than %s s (408 after %s s; 408 after %s s; closed after %s s):\n\n```\n' \
    "$idle_seconds" "$header_seconds" "$body_seconds" "$idle_seconds"
  sed 1d "$room/long_stay"
  printf '```\n'
  [ ${#faults[@]} -eq 0 ] || { printf '\nFaults\n\n'; printf -- '- %s\n' "${faults[@]}"; }
}

main() {
  parse_flags "$@"
  prepare
  rounds
  long_stay
  report
  [ ${#faults[@]} -eq 0 ]
}

# shellcheck source=load-tests/bench_processes.sh
. "$repository/load-tests/bench_processes.sh"
main "$@"
