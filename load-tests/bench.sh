#!/usr/bin/env bash
# ./dev bench: measures what README promises and prints one table from one run. Generator and
# servers share this machine's cores. Rows that are compared are interleaved, so that whatever
# drifts hits all alike; every figure is the median of its runs.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
programs=${BENCH_PROGRAMS:-$repository/build/release}

rate_rows=(do_nothing nginx postgres join_warm status accounts)
single_rows=(latency p99 join_cold restart memory draw)
all_rows=("${rate_rows[@]}" "${single_rows[@]}" seed)
rows=("${all_rows[@]}")
connections=(64 256)
seconds=5
runs=5
applicants=2000000
draw_applicants=5000000
io_threads=$(nproc)   # as a node has by default; do-nothing and nginx have as many
directory=/var/tmp
cold_slice=0

usage() {
  cat <<TEXT
./dev bench [--rows A,B] [--seconds $seconds] [--runs $runs] [--connections 64,256] [--io-threads $io_threads]
            [--applicants $applicants] [--draw-applicants $draw_applicants] [--dir $directory]
rows: ${all_rows[*]}
A run of all rows is kept in load-tests/results/.
TEXT
}

refuse() { echo "bench: $*" >&2; usage >&2; exit 2; }

parse_flags() {
  while [ $# -gt 0 ]; do
    case $1 in
      --help) usage; exit 0 ;;
      --rows | --seconds | --runs | --connections | --io-threads | --applicants | --draw-applicants | --dir)
        [ $# -ge 2 ] || refuse "$1 needs a value" ;;
      *) refuse "no flag '$1'" ;;
    esac
    case $1 in
      --rows) IFS=, read -ra rows <<<"$2" ;;
      --connections) IFS=, read -ra connections <<<"$2" ;;
      --dir) directory=$2 ;;
      *) [[ $2 =~ ^[1-9][0-9]*$ ]] || refuse "$1 takes a number, not '$2'" ;;&
      --seconds) seconds=$2 ;;
      --runs) runs=$2 ;;
      --io-threads) io_threads=$2 ;;
      --applicants) applicants=$2 ;;
      --draw-applicants) draw_applicants=$2 ;;
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
  echo "$3" >>"$room/values/$1.$2"
  echo "$1,$2,${run:-1},$3" >>"$room/values.csv"
}
remark() { echo "- $*" | tee -a "$room/remarks" >&2; }

# ratio ROW COLUMN [OTHER]: to do-nothing, or to another row, with two decimals.
ratio() {
  local a b
  a=$(median "$1" "$2") b=$(median "${3:-do_nothing}" "$2")
  [ -z "$a" ] || [ -z "$b" ] || awk -v a="$a" -v b="$b" 'BEGIN {if (b > 0) printf "%.2f", a / b}'
}

# verdict VALUE least|most TARGET
verdict() {
  [ -n "$1" ] || return 0
  awk -v v="$1" -v how="$2" -v t="$3" 'BEGIN {print (how == "least" ? v >= t : v <= t) ? "yes" : "**no**"}'
}

rate_line() {
  local row=$1 name=$2 target=$3 c cells="" ratios="" verdicts=""
  wanted "$row" || return 0
  for c in "${connections[@]}"; do
    cells+=" $(median "$row" "$c") |"
    ratios+=" $(ratio "$row" "$c") |"
    local least
    least=$(least_ratio "$row" "$c")
    [ -z "$least" ] || verdicts+=" $(verdict "$(ratio "$row" "$c")" least "$least")"
  done
  echo "| $name |$cells$ratios $target |${verdicts:- } |"
}

least_ratio() {
  case $1.$2 in
    join_warm.64) echo 0.75 ;;
    join_warm.256 | status.*) echo 0.9 ;;
    accounts.* | join_cold.256) echo 0.5 ;;
  esac
}

# single_line NAME VALUE UNIT TARGET-TEXT [least|most LIMIT]
single_line() {
  [ -n "$2" ] || return 0
  echo "| $1 | $2 $3 | $4 | ${5:+$(verdict "$2" "$5" "$6")} |"
}

table() {
  local c head="" rule=""
  for c in "${connections[@]}"; do head+=" $c connections |"; rule+="---:|"; done
  for c in "${connections[@]}"; do head+=" of do-nothing, $c |"; rule+="---:|"; done
  printf '| requests a second |%s target | met |\n|---|%s---|---|\n' "$head" "$rule"
  rate_line do_nothing "do-nothing" "1.0 by definition"
  rate_line nginx 'nginx `return 200`' "orientation"
  rate_line postgres "PostgreSQL, prepared insert" "orientation"
  rate_line join_warm "**join, warm**" "≥ 0.75 at 64, ≥ 0.9 at 256"
  rate_line status "status read, warm" "≥ 0.9"
  rate_line accounts "account creation" "≥ 0.5"
  rate_line join_cold "join, cold" "≥ 0.5 at 256"
  printf '\n| row | value | target | met |\n|---|---:|---|---|\n'
  for c in "${connections[@]}"; do
    single_line "join, warm, to PostgreSQL at $c" "$(ratio join_warm "$c" postgres)" "" "≥ 3" least 3
  done
  single_line "one sync of the disk, median" "$(median sync_time us)" "µs" "orientation"
  single_line "join, one connection, median" "$(median latency us)" "µs" "≤ 3 syncs" \
    most "$(median sync_time us | awk '{print 3 * $1}')"
  single_line "p99 at $(median p99 rate) joins a second" "$(median p99 ms)" "ms" "≤ 10 ms" most 10
  single_line "draw of $draw_applicants" "$(median draw seconds)" "s" "≤ 10 s" most 10
  single_line "draw verify" "$(median draw_verify seconds)" "s" "≤ 15 s" most 15
  single_line "memory, each of 1 M applicants" "$(median memory bytes_each)" "bytes" "≤ 2500" most 2500
  single_line "resident with 200,000 in memory, 1 M touched" "$(median memory mb_at_1_million)" "MB" "flat"
  single_line "resident with 200,000 in memory, 2 M touched" "$(median memory mb_at_2_million)" "MB" "flat"
  single_line "seed" "$(median seed per_second)" "/s" "≥ 200000" least 200000
  single_line "tokens" "$(median tokens per_second)" "/s" "≥ 300000" least 300000
  single_line "restart after kill -9 under load" "$(median restart ms)" "ms" "≤ 3000" most 3000
  single_line "disk, each applicant" "$(median disk bytes_each)" "bytes" "≤ 300" most 300
}

report() {
  printf '# Bench of %s\n\n' "$(date -u +%Y-%m-%d)"
  printf '%s, %s cores, %s GB, Linux %s; commit %s; medians of %s runs of %s s; %s applicants; %s io threads.\n\n' \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" \
    "$(awk '/^MemTotal/ {print int($2 / 1048576)}' /proc/meminfo)" "$(uname -r)" \
    "$(git -C "$repository" rev-parse --short HEAD 2>/dev/null || echo unknown)" \
    "$runs" "$seconds" "$applicants" "$io_threads"
  table
  [ ! -s "$room/remarks" ] || { printf '\nRemarks\n\n'; sort -u "$room/remarks"; }
}

# ---- the run -----------------------------------------------------------------------------------

prepare() {
  room=$(mktemp -d "$directory/gelombang-bench.XXXXXX")
  chmod 755 "$room"
  mkdir "$room/values"
  ln -s "$repository/config" "$room/config"
  trap end_everything EXIT
  trap 'exit 130' INT TERM
  if wanted_any join_warm status accounts seed "${single_rows[@]}"; then
    echo "bench: seeding $applicants applicants" >&2
    prepare_data
    start_ready_node "$room/data"
  else
    prepare_stand_ins
  fi
  cold_slice=$((applicants / (runs + 1)))
  ! wanted do_nothing || start_do_nothing
  ! wanted nginx || start_nginx
  ! wanted postgres || start_postgres
}

# What joins or reads next finds everybody in memory.
warm_up() {
  wanted_any join_warm status || return 0
  echo "bench: warming up" >&2
  new_wave 50000 '[]'
  # Long enough to meet everybody whom a warm run can reach; the cold rate is about half the warm one.
  local seconds=$((seconds * 4))
  load warm_up 256 "$node_url" tokens.lua "REQUEST_PATH=/v1/waves/$wave/join"
  wait_quiet "$node_pid"
}

rate_runs() {
  local row c
  wanted_any "${rate_rows[@]}" || return 0
  for ((run = 1; run <= runs; ++run)); do
    for c in "${connections[@]}"; do
      for row in "${rate_rows[@]}"; do
        ! wanted "$row" || { progress "$row, $c connections"; "row_$row" "$c"; }
      done
    done
  done
}

# PostgreSQL would vacuum and write back its millions of rows while the rows that follow are measured.
end_compared() {
  [ -z "${postgres_pid:-}" ] || end "$postgres_pid" INT
  [ -z "${nginx_pid:-}" ] || end "$nginx_pid"
  [ -z "${do_nothing_pid:-}" ] || end "$do_nothing_pid"
}

single_runs() {
  local row
  for row in latency p99 join_cold restart; do
    for ((run = 1; run <= runs; ++run)); do
      ! wanted "$row" || { progress "$row"; "row_$row"; }
    done
  done
  run=1
  for row in memory draw; do
    ! wanted "$row" || { progress "$row"; "row_$row"; }
  done
}

progress() { echo "bench: $((SECONDS / 60)) min, run $run of $runs: $1" >&2; }

main() {
  parse_flags "$@"
  prepare
  warm_up
  rate_runs
  end_compared
  single_runs
  report | tee "$room/report.md"
  if [ ${#rows[@]} -eq ${#all_rows[@]} ]; then
    local kept
    kept=$repository/load-tests/results/$(date -u +%Y-%m-%d)-bench
    mkdir -p "${kept%/*}"
    cp "$room/report.md" "$kept.md"
    { echo row,column,run,value; cat "$room/values.csv"; } >"$kept.csv"
    echo "bench: kept in ${kept#"$repository"/}.md and .csv" >&2
  fi
}

# shellcheck source=load-tests/bench_figures.sh
. "$repository/load-tests/bench_figures.sh"
# shellcheck source=load-tests/bench_processes.sh
. "$repository/load-tests/bench_processes.sh"
# shellcheck source=load-tests/bench_rows.sh
. "$repository/load-tests/bench_rows.sh"
main "$@"
