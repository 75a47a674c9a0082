#!/usr/bin/env bash
# What a node does when it is offered more than it can: its share of a core is capped, the most that it
# answers is found with a ramp, and then 1, 2, 5, 10 and 20 times as much is offered, each to a wave of its
# own, by people who come on connections of their own. Needs root (a cgroup), the programs of `./dev build`,
# wrk and jq; writes below --dir. Prints a table; fails when --least-goodput is missed.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
programs=${BENCH_PROGRAMS:-$repository/build/release}

steps="1 2 5 10 20"
seconds=60
cap_permille=100          # of one core
cap_period_us=10000
applicants=1000000
least_goodput=0.90
ramp_to=6000
threads=2
io_threads=1              # as many as the cores that the node may use
control=true
checkpoint_seconds=10     # often, so that it takes as much of each row
directory=/var/tmp

usage() {
  cat <<TEXT
load-tests/overload.sh [--steps "$steps"] [--seconds $seconds] [--cap-permille $cap_permille]
                       [--cap-period-us $cap_period_us] [--applicants $applicants] [--ramp-to $ramp_to]
                       [--threads $threads] [--control $control] [--least-goodput $least_goodput] [--dir $directory]
TEXT
}

refuse() { echo "overload: $*" >&2; usage >&2; exit 2; }

parse_flags() {
  while [ $# -gt 0 ]; do
    [ "$1" != --help ] || { usage; exit 0; }
    [ $# -ge 2 ] || refuse "$1 needs a value"
    local name=${1#--}
    case $1 in
      --dir) directory=$2 ;;
      --steps | --control | --least-goodput) printf -v "${name//-/_}" %s "$2" ;;
      --seconds | --cap-permille | --cap-period-us | --applicants | --ramp-to | --threads)
        [[ $2 =~ ^[1-9][0-9]*$ ]] || refuse "$1 takes a number, not '$2'"
        printf -v "${name//-/_}" %s "$2" ;;
      *) refuse "no flag '$1'" ;;
    esac
    shift 2
  done
}

say() { echo "overload: $*" >&2; }

# ---- the cap: a cgroup of version 1 or 2, for this run only -------------------------------------

make_group() {
  local base=/sys/fs/cgroup
  if [ -d $base/cpu ]; then
    group=$base/cpu/gelombang-overload.$$
    mkdir "$group"
    echo "$cap_period_us" >"$group/cpu.cfs_period_us"
    echo $((cap_period_us * cap_permille / 1000)) >"$group/cpu.cfs_quota_us"
  else
    group=$base/gelombang-overload.$$
    mkdir "$group"
    echo "$((cap_period_us * cap_permille / 1000)) $cap_period_us" >"$group/cpu.max"
  fi
}

# cap PID: all its threads; those to come follow them.
cap() { echo "$1" >"$group/cgroup.procs"; }
uncap() { local pid; while read -r pid; do echo "$pid" >"$(dirname "$group")/cgroup.procs"; done <"$group/cgroup.procs"; }
remove_group() { [ ! -d "${group:-}" ] || rmdir "$group" 2>/dev/null || true; }

# ---- what is offered ---------------------------------------------------------------------------

scenario_head() {
  cat <<TOML
name = "overload"
explanation = "Everybody comes on a connection of his own; who has no answer after 300 ms is not answered."
create_wave = '{"scheme":"$scheme","opens_at":"2020-01-03T12:00:00+07:00","closes_at":"2099-01-05T23:59:00+07:00","quota":50000,"minimum_per_region":1,"groups":[]}'
source_addresses = 20000
patience = "300 ms"
drain = "2 s"
connections_max = 9000

[[persona]]
name = "clicker"
weight = 4
steps = [{ do = "join" }]

[[persona]]
name = "visitor"
people = "any"
steps = [{ do = "schedule" }]
TOML
}

# phase NAME RATE SECONDS MEASURED
phase() {
  printf '\n[[phase]]\nname = "%s"\narrivals = "constant"\nrate = %s\nduration = "%s s"\nmeasured = %s\n' "$@"
}

offer() {
  (cd "$room" && "$programs/gelombang-load" run offer.toml --url "$node_url" --tokens tokens \
    --operator-token-file officer --out "$1.json" --threads "$threads" --quiet >"$1.out" 2>&1) || true
  [ -s "$room/$1.json" ] || { cat "$room/$1.out" >&2; exit 1; }
}

# Everybody wakes before it begins, and what that leaves to do is done: what is measured is the click.
warm_up() {
  new_wave 50000 '[]'
  TOKENS=$room/tokens COUNT=$applicants REQUEST_PATH=/v1/waves/$wave/join timeout --foreground 120 \
    wrk -t1 -c64 -d$((applicants / 20000))s --timeout 10s -s "$repository/load-tests/tokens.lua" "$node_url" \
    >"$room/warm.out" 2>&1 || true
  sleep $((2 * checkpoint_seconds))
  wait_quiet "$node_pid"
}

# What a second brought that people came for: also "you are not eligible" is an answer.
answered='.answers | to_entries | map(select(.key == "200" or .key == "201" or .key == "409") | .value) | add // 0'

find_peak() {
  { scenario_head
    printf '\n[[phase]]\nname = "ramp"\narrivals = "ramp"\nfrom = %s\nto = %s\nduration = "30 s"\n' \
      $((ramp_to / 20)) "$ramp_to"; } >"$room/offer.toml"
  offer ramp
  # The timeline counts 409 among the failed; its share of the answers is the same in every second.
  peak=$(jq -r '
    ([.kinds[].answers["409"] // 0] | add) as $told |
    ([.kinds[].answers | (.["200"] // 0) + (.["201"] // 0)] | add) as $served |
    [.timeline[].served] | sort | reverse | .[0:5] | sort | .[2] * (1 + $told / $served) | floor' "$room/ramp.json")
  [ "$peak" -lt $((ramp_to * 8 / 10)) ] || say "the ramp ends at $ramp_to, too near to the peak: --ramp-to"
}

# probe FILE: how long /healthz takes at the operators' port, ten times a second.
probe() {
  while :; do
    curl -sS -o /dev/null -m 5 -w '%{http_code} %{time_total}\n' "$house_url/healthz" >>"$1" 2>/dev/null ||
      echo "000 5" >>"$1"
    sleep 0.1
  done
}

# What each kind of thread has used of the processor so far: lines of name and ticks.
thread_ticks() {
  local stat
  for stat in /proc/"$node_pid"/task/*/stat; do
    # The name stands in brackets, and may hold blanks.
    sed 's/^[0-9]* (\(.*\)) \(.*\)$/\1\t\2/' "$stat" 2>/dev/null || true
  done | awk -F '\t' '{sub(/-[0-9]+$/, "", $1); split($2, f, " "); t[$1] += f[12] + f[13]} END {for (n in t) print n "\t" t[n]}'
}

# spent BEFORE AFTER: the same between two moments, in parts of the whole, the greatest first.
spent() {
  awk -F '\t' 'NR == FNR {before[$1] = $2; next} {t[$1] = $2 - before[$1]; sum += t[$1]}
    END {for (n in t) if (sum > 0 && t[n] / sum >= 0.01) printf "%.0f %s\n", 100 * t[n] / sum, n}' "$1" "$2" |
    sort -rn | awk '{printf "%s%s %s %%", sep, $2, $1; sep = ", "}'
}

# step TIMES: offers so many times the peak, and adds a line to the table.
step() {
  local rate=$(($1 * peak)) before after prober health
  { scenario_head
    phase "before" $((peak * 7 / 10)) 5 false
    phase "overload" "$rate" "$seconds" true
    phase "afterwards" $((peak * 7 / 10)) 8 false; } >"$room/offer.toml"
  before=$(resident_kb "$node_pid")
  thread_ticks >"$room/ticks.before"
  probe "$room/health.$1" &
  prober=$!
  pids+=("$prober")
  offer "step.$1"
  end "$prober"
  after=$(resident_kb "$node_pid")
  thread_ticks >"$room/ticks.after"
  echo "- $1 times: $(spent "$room/ticks.before" "$room/ticks.after")" >>"$room/spent"
  health=$(sort -k2 -n "$room/health.$1" | awk '{v[NR] = $2; bad += $1 != 200} END {printf "%.0f%s", 1000 * v[int(NR * 0.99) + (NR < 100)], bad ? " (" bad " failed)" : ""}')
  line "$1" "$before" "$after" "$health"
}

line() {
  jq -r --arg times "$1" --arg peak "$peak" --arg grown "$((($3 - $2) / 1024))" --arg health "$4" --arg s "$seconds" '
    def percentile($h; $p): $h | if . == null then null else . end;
    ([.kinds[].offered] | add) as $offered |
    ([.kinds[] | '"$answered"'] | add) as $answered |
    ([.kinds[].answers | (.["429"] // 0) + (.["503"] // 0)] | add) as $refused |
    (($offered - $answered - $refused)) as $unanswered |
    "\($times) \($offered) \($answered / ($s | tonumber) / ($peak | tonumber)) \($refused / $offered) \($unanswered / $offered)"' \
    "$room/step.$1.json" >"$room/line.$1"
  local offered goodput refused unanswered
  read -r _ offered goodput refused unanswered <"$room/line.$1"
  local p99 refusal back
  p99=$(awk '$1 == "join" {print $7}' "$room/step.$1.out")
  refusal=$(sed -n 's/^refused within \([0-9.]*\) ms (p99).*/\1/p' "$room/step.$1.out")
  back=$(jq -r '(.phases[] | select(.name == "afterwards") | .from_ns / 1000000000) as $ended |
    [.timeline | to_entries[] | select(.key >= $ended and (.value.refused > 0 or (.value.errors | length) > 0)) | .key - $ended + 1] | max // 0' \
    "$room/step.$1.json")
  printf '| %s | %.2f | %s | %.1f %% | %s | %.1f %% | %s | %s | %s |\n' "$1" "$goodput" "$p99" \
    "$(awk -v x="$refused" 'BEGIN {print 100 * x}')" "${refusal:--}" \
    "$(awk -v x="$unanswered" 'BEGIN {print 100 * x}')" "$back" "$((($3 - $2) / 1024))" "$4" >>"$room/table"
  tail -n 1 "$room/table" >&2
  awk -v g="$goodput" -v least="$least_goodput" 'BEGIN {exit !(g < least)}' && missed+=("$1") || true
}

prepare() {
  [ "$(id -u)" = 0 ] || { say "needs root, for the cgroup"; exit 1; }
  command -v jq >/dev/null || { say "needs jq"; exit 1; }
  ulimit -n "$(ulimit -Hn)"
  room=$(mktemp -d "$directory/gelombang-overload.XXXXXX")
  ln -s "$repository/config" "$room/config"
  trap 'end_everything; remove_group' EXIT
  trap 'exit 130' INT TERM
  gelombang seed --data-dir "$room/data" --applicants "$applicants" >"$room/seed.out" 2>&1
  gelombang tokens --data-dir "$room/data" --applicants "$applicants" >"$room/tokens"
  operator_token=$(gelombang tokens --data-dir "$room/data" --applicants 1 --role operator)
  echo "$operator_token" >"$room/officer"
  start_node "$room/data" --set runtime.active_actors_max=$((applicants + 100000)) \
    --set storage.checkpoint_interval_seconds="$checkpoint_seconds" \
    --set listen.operators=127.0.0.1:0 --set "overload.enabled=$control" --set log.level=info \
    --set front_door.connections_max=15000
  house_url=$(sed -n 's/.*operators at \(http[^ ]*\).*/\1/p' "$room/node.err" "$room/node.out" | head -n 1)
  make_group
}

report() {
  printf '# More than a node can do, %s\n\n' "$(date -u +%Y-%m-%d)"
  printf '%s, %s cores, Linux %s; commit %s. The node has %s thousandths of one core (%s us in %s), one io thread, %s people awake; overload control: %s. ' \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(uname -r)" \
    "$(git -C "$repository" rev-parse --short HEAD 2>/dev/null || echo unknown)" "$cap_permille" \
    "$((cap_period_us * cap_permille / 1000))" "$cap_period_us" "$applicants" "$control"
  printf 'Its peak, from a ramp: %s answers a second. Four of five people click, one looks at the schedule, each on a connection of his own; %s s a row.\n\n' "$peak" "$seconds"
  printf '| offered, times the peak | goodput, of the peak | p99 of those served, ms | told to come back | p99 of that, ms | no answer within 300 ms | back to normal after, s | memory added, MB | p99 of /healthz for operators, ms |\n'
  printf '|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n'
  cat "$room/table"
  printf '\nWhere its time went, by thread:\n\n'
  cat "$room/spent"
}

main() {
  parse_flags "$@"
  missed=()
  prepare
  warm_up
  cap "$node_pid"
  find_peak
  say "peak $peak a second"
  local times
  for times in $steps; do step "$times"; done
  uncap
  report
  [ ${#missed[@]} -eq 0 ] || { say "goodput below $least_goodput at ${missed[*]} times the peak"; exit 1; }
}

# shellcheck source=load-tests/bench_processes.sh
. "$repository/load-tests/bench_processes.sh"
main "$@"
