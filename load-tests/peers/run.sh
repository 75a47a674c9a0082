#!/usr/bin/env bash
# load-tests/peers/run.sh: the same durable join by what a team would otherwise take, side by side in
# one run. Generator and servers share this machine's cores. Rows are interleaved; every figure is the
# median of its runs. --help tells the flags.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
programs=${BENCH_PROGRAMS:-$repository/build/release}

all_rows=(gelombang fastify_postgres fastify_redis erlang postgres redis)
http_rows=(fastify_postgres fastify_redis erlang)
rows=("${all_rows[@]}")
connections=(64 256)
seconds=5
runs=5
directory=/var/tmp
io_threads=$(nproc)

usage() {
  cat <<TEXT
load-tests/peers/run.sh [--rows A,B] [--seconds $seconds] [--runs $runs] [--connections 64,256] [--dir $directory]
rows: ${all_rows[*]}
A run of all rows is kept in load-tests/results/. Latencies are taken with the last number of connections.
TEXT
}

refuse() { echo "peers: $*" >&2; usage >&2; exit 2; }

parse_flags() {
  while [ $# -gt 0 ]; do
    case $1 in
      --help) usage; exit 0 ;;
      --rows | --seconds | --runs | --connections | --dir) [ $# -ge 2 ] || refuse "$1 needs a value" ;;
      *) refuse "no flag '$1'" ;;
    esac
    case $1 in
      --rows) IFS=, read -ra rows <<<"$2" ;;
      --connections)
        [[ $2 =~ ^[1-9][0-9]*(,[1-9][0-9]*)*$ ]] || refuse "$1 takes numbers, not '$2'"
        IFS=, read -ra connections <<<"$2" ;;
      --dir) directory=$2 ;;
      *) [[ $2 =~ ^[1-9][0-9]*$ ]] || refuse "$1 takes a number, not '$2'" ;;&
      --seconds) seconds=$2 ;;
      --runs) runs=$2 ;;
    esac
    shift 2
  done
  local row
  for row in "${rows[@]}"; do
    [[ " ${all_rows[*]} " == *" $row "* ]] || refuse "no row '$row'"
  done
}

# ---- figures -----------------------------------------------------------------------------------

# note ROW COLUMN VALUE, remark TEXT: what a row found, and what a reader must know about it.
note() {
  [ "$1" != warm_up ] || return 0
  echo "$3" >>"$room/values/$1.$2"
  echo "$1,$2,${run:-1},$3" >>"$room/values.csv"
}
remark() { [[ $* == warm_up* ]] || echo "- $*" | tee -a "$room/remarks" >&2; }

# ratio A B: with two decimals; nothing when one of them was not measured.
ratio() { [ -z "$1" ] || [ -z "$2" ] || awk -v a="$1" -v b="$2" 'BEGIN {if (b > 0) printf "%.2f", a / b}'; }

name_of() {
  case $1 in
    gelombang) echo "**gelombang**" ;;
    fastify_postgres) echo "PostgreSQL behind Fastify" ;;
    fastify_redis) echo "Redis behind Fastify" ;;
    erlang) echo "Erlang/OTP, disk_log" ;;
    postgres) echo "PostgreSQL, pgbench" ;;
    redis) echo "Redis, redis-benchmark" ;;
  esac
}

table() {
  local row c head="" rule="" cells last=${connections[-1]}
  for c in "${connections[@]}"; do head+=" joins/s, $c |"; rule+="---:|"; done
  for c in "${connections[@]}"; do head+=" gelombang's to it, $c |"; rule+="---:|"; done
  echo "| durable join |$head p50, ms | p99, ms | server's CPU a join, µs | bytes written a join |"
  echo "|---|$rule---:|---:|---:|---:|"
  for row in "${all_rows[@]}"; do
    wanted "$row" || continue
    cells=
    for c in "${connections[@]}"; do cells+=" $(median "$row" "$c") |"; done
    for c in "${connections[@]}"; do cells+=" $(ratio "$(median gelombang "$c")" "$(median "$row" "$c")") |"; done
    for c in p50_ms p99_ms "cpu_us.$last" "bytes.$last"; do cells+=" $(median "$row" "$c") |"; done
    echo "| $(name_of "$row") |$cells"
  done
}

targets() {
  local c row best value
  printf '\n| target | connections | value | met |\n|---|---:|---:|---|\n'
  for c in "${connections[@]}"; do
    best=$(for row in "${http_rows[@]}"; do median "$row" "$c"; done | sort -n | tail -n 1)
    value=$(ratio "$(median gelombang "$c")" "$best")
    [ -z "$value" ] || echo "| ≥ 3 of the best HTTP peer | $c | $value | $(met "$value" 3) |"
    value=$(ratio "$(median gelombang "$c")" "$(median redis "$c")")
    [ -z "$value" ] || echo "| ≥ 0.6 of Redis without HTTP | $c | $value | $(met "$value" 0.6) |"
  done
}

met() { awk -v v="$1" -v least="$2" 'BEGIN {print (v >= least ? "yes" : "**no**")}'; }

report() {
  printf '# Side by side with peers, %s\n\n' "$(date -u +%Y-%m-%d)"
  printf '%s, %s cores, %s GB, Linux %s; commit %s; medians of %s runs of %s s.\n' \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" \
    "$(awk '/^MemTotal/ {print int($2 / 1048576)}' /proc/meminfo)" "$(uname -r)" \
    "$(git -C "$repository" rev-parse --short HEAD 2>/dev/null || echo unknown)" "$runs" "$seconds"
  printf 'Latencies at %s %% of a row'\''s own peak with %s connections, from the moment each join was due; Redis without\n' \
    "$latency_percent" "${connections[-1]}"
  printf 'HTTP: of a closed loop at its peak. Peers: %s.\n\n' "$(versions)"
  table
  ! wanted gelombang || targets
  [ ! -s "$room/remarks" ] || { printf '\nRemarks\n\n'; sort -u "$room/remarks"; }
}

versions() {
  local found=() text
  [ -z "${postgres_pid:-}" ] || found+=("$("$postgres_bin/postgres" --version | awk '{print "PostgreSQL " $3}')")
  [ -z "${redis_pid:-}" ] || found+=("Redis $(redis info server | sed -n 's/^redis_version:\([0-9.]*\).*/\1/p')")
  [ ! -d "$room/fastify" ] || found+=("Node.js $(node --version)" "Fastify $(module_version fastify)" \
    "pg $(module_version pg)" "node-redis $(module_version redis)")
  [ -z "${erlang_pid:-}" ] || found+=("Erlang/OTP $(erl -noinput -eval 'io:put_chars(erlang:system_info(otp_release)), halt().')")
  printf -v text '%s, ' "${found[@]}"
  echo "${text%, }"
}

module_version() { sed -nE 's/^ *"version": *"([^"]*)".*/\1/p' "$room/fastify/node_modules/$1/package.json" | head -n 1; }

# ---- the run -----------------------------------------------------------------------------------

prepare() {
  local row
  room=$(mktemp -d "$directory/gelombang-peers.XXXXXX")
  chmod 755 "$room"
  mkdir "$room/values"
  ln -s "$repository/config" "$room/config"
  trap end_everything EXIT
  trap 'exit 130' INT TERM
  workers=$(nproc)
  # More than the fastest row joins in a run, so that nobody clicks twice; half a run warms up.
  applicants=$((seconds * 160000))
  memory_ahead_bytes=$((applicants * 2500))
  install_packages
  ! wanted_any fastify_postgres fastify_redis || install_modules
  ! wanted gelombang || prepare_data
  if wanted_any "${http_rows[@]}"; then
    node "$here/fastify/tokens.mjs" "$token_key" $((seconds * 100000)) >"$room/peer-tokens"
  fi
  for row in "${rows[@]}"; do
    echo "peers: starting $row" >&2
    start_for "$row"
    [ "$(driver_of "$row")" != http ] || check "$row"
  done
}

# What joins next finds everybody in memory, and code that has been compiled.
warm_up() {
  local row tokens_file rate median_us p99_us seconds=$((seconds * 2))
  for row in "${rows[@]}"; do
    echo "peers: warming up $row" >&2
    fresh "$row"
    tokens_file=$(tokens_for "$row")
    case $(driver_of "$row") in
      http) load warm_up "${connections[-1]}" "${url[$row]}" tokens.lua "REQUEST_PATH=$join_path" ;;
      postgres) pgbench_run "${connections[-1]}" >/dev/null ;;
      redis) redis_run "${connections[-1]}" ;;
    esac
  done
}

measure() {
  local row c
  for ((run = 1; run <= runs; ++run)); do
    for c in "${connections[@]}"; do
      for row in "${rows[@]}"; do
        progress "$row, $c connections"
        throughput "$row" "$c"
      done
    done
  done
  for ((run = 1; run <= runs; ++run)); do
    for row in "${rows[@]}"; do
      progress "$row, latency"
      latency "$row" "${connections[-1]}"
    done
  done
}

progress() { echo "peers: $((SECONDS / 60)) min, run $run of $runs: $1" >&2; }

main() {
  parse_flags "$@"
  prepare
  warm_up
  measure
  report | tee "$room/report.md"
  if [ ${#rows[@]} -eq ${#all_rows[@]} ]; then
    local kept
    kept=$repository/load-tests/results/$(date -u +%Y-%m-%d)-peers
    cp "$room/report.md" "$kept.md"
    { echo row,column,run,value; cat "$room/values.csv"; } >"$kept.csv"
    echo "peers: kept in ${kept#"$repository"/}.md and .csv" >&2
  fi
}

# shellcheck source=load-tests/bench_figures.sh
. "$repository/load-tests/bench_figures.sh"
# shellcheck source=load-tests/bench_processes.sh
. "$repository/load-tests/bench_processes.sh"
# shellcheck source=load-tests/bench_rows.sh
. "$repository/load-tests/bench_rows.sh"
# shellcheck source=load-tests/peers/install.sh
. "$here/install.sh"
# shellcheck source=load-tests/peers/servers.sh
. "$here/servers.sh"
# shellcheck source=load-tests/peers/measure.sh
. "$here/measure.sh"
# shellcheck source=load-tests/peers/check.sh
. "$here/check.sh"
main "$@"
