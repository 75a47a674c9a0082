#!/usr/bin/env bash
# What a storm of sign-ins does to joins: people join at half of what the node can do, alone and with many times
# the sign-ins that its share of CPU for passwords allows, in turns. A password that is wrong costs what a right
# one does, so everybody seeded may try one. Needs the programs of `./dev build`, wrk and jq; writes below --dir.
# Prints a table; fails when the share is exceeded or the joins' p99 is over --p99-limit.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
programs=${BENCH_PROGRAMS:-$repository/build/release}

rounds=3
seconds=20                # of each measured stretch
sign_ins=500              # a second
applicants=300000
ramp_to=16000
share_permille=250
password_threads=1
p99_limit=100             # ms
threads=2
io_threads=$(nproc)
directory=/var/tmp

usage() {
  cat <<TEXT
load-tests/logins.sh [--rounds $rounds] [--seconds $seconds] [--sign-ins $sign_ins] [--applicants $applicants] [--ramp-to $ramp_to]
                     [--share-permille $share_permille] [--password-threads $password_threads] [--p99-limit $p99_limit]
                     [--threads $threads] [--io-threads $io_threads] [--dir $directory]
TEXT
}

refuse() { echo "logins: $*" >&2; usage >&2; exit 2; }

parse_flags() {
  while [ $# -gt 0 ]; do
    [ "$1" != --help ] || { usage; exit 0; }
    [ $# -ge 2 ] || refuse "$1 needs a value"
    local name=${1#--}
    case $1 in
      --dir) directory=$2 ;;
      --rounds | --seconds | --sign-ins | --applicants | --ramp-to | --share-permille | --password-threads | \
        --p99-limit | --threads | --io-threads)
        [[ $2 =~ ^[1-9][0-9]*$ ]] || refuse "$1 takes a number, not '$2'"
        printf -v "${name//-/_}" %s "$2" ;;
      *) refuse "no flag '$1'" ;;
    esac
    shift 2
  done
}

say() { echo "logins: $*" >&2; }

# ---- what is offered ---------------------------------------------------------------------------

scenario_head() {
  cat <<TOML
name = "logins"
explanation = "Joins on connections of their own, and sign-ins with passwords beside them."
create_wave = '{"scheme":"$scheme","opens_at":"2020-01-03T12:00:00+07:00","closes_at":"2099-01-05T23:59:00+07:00","quota":50000,"minimum_per_region":1,"groups":[]}'
source_addresses = 20000
patience = "10 s"
drain = "12 s"
connections_max = 9000

[[persona]]
name = "clicker"
people = "in turn"
steps = [{ do = "join" }]

[[persona]]
name = "sign-in"
people = "in turn"
steps = [{ do = "sign_in" }]
TOML
}

# offer NAME: what stands in offer.toml.
offer() {
  (cd "$room" && "$programs/gelombang-load" run offer.toml --url "$node_url" --tokens tokens \
    --operator-token-file officer --out "$1.json" --threads "$threads" --quiet >"$1.out" 2>&1) || true
  [ -s "$room/$1.json" ] || { cat "$room/$1.out" >&2; exit 1; }
}

warm_up() {
  new_wave 50000 '[]'
  TOKENS=$room/tokens COUNT=$applicants REQUEST_PATH=/v1/waves/$wave/join timeout --foreground 120 \
    wrk -t1 -c64 -d$((applicants / 20000))s --timeout 10s -s "$repository/load-tests/tokens.lua" "$node_url" \
    >"$room/warm.out" 2>&1 || true
  wait_quiet "$node_pid"
}

find_peak() {
  { scenario_head
    printf '\n[[phase]]\nname = "ramp"\narrivals = "ramp"\nfrom = %s\nto = %s\nduration = "15 s"\npersonas = { clicker = 1 }\n' \
      $((ramp_to / 10)) "$ramp_to"; } >"$room/offer.toml"
  offer ramp
  peak=$(jq -r '[.timeline[].served] | sort | reverse | .[0:5] | .[2]' "$room/ramp.json")
  [ "$peak" -lt $((ramp_to * 9 / 10)) ] || say "the ramp ends at $ramp_to, too near to the peak: --ramp-to"
}

# stretch NAME SIGN_INS: one wave's joins at half the peak, with so many sign-ins a second.
stretch() {
  local sampler joins=$((peak / 2))
  { scenario_head
    printf '\n[[phase]]\nname = "steady"\narrivals = "constant"\nrate = %s\nduration = "%s s"\npersonas = { clicker = %s, sign-in = %s }\n' \
      $((joins + $2)) "$seconds" "$joins" "$2"
    printf '\n[[threshold]]\nof = "%s"\nwhat = "%s"\nlimit = %s\n' join p50 "$p99_limit" join p99 "$p99_limit" \
      sign_in refusal_p99 20; } >"$room/offer.toml"
  : >"$room/$1.ticks"
  while :; do echo "$(date +%s.%N) $(password_ticks "$node_pid")"; sleep 0.5; done >>"$room/$1.ticks" &
  sampler=$!
  pids+=("$sampler")
  offer "$1"
  end "$sampler"
  wait_quiet "$node_pid"
}

# What the threads that hash, and the one that gives them work, have used, in ticks.
password_ticks() {
  cat /proc/"$1"/task/*/stat 2>/dev/null | awk '{
    match($0, /\(.*\)/); name = substr($0, RSTART + 1, RLENGTH - 2)
    split(substr($0, RSTART + RLENGTH + 1), field, " ")
    if (name ~ /^password/) sum += field[12] + field[13] } END {print sum + 0}'
}

# highest_share FILE: thousandths of all cores, over half of the stretch: the half in which it was highest.
highest_share() {
  awk -v half=$((seconds / 2)) -v hertz="$(getconf CLK_TCK)" -v cores="$(nproc)" '{at[NR] = $1; ticks[NR] = $2} END {
    for (i = 1; i <= NR; ++i) for (j = i + 1; j <= NR; ++j) if (at[j] - at[i] >= half) {
      share = 1000 * (ticks[j] - ticks[i]) / hertz / (at[j] - at[i]) / cores
      if (share > most) most = share
      break
    }
    printf "%.0f", most }' "$1"
}

# of NAME FILTER: something of that stretch's results.
of() { jq -r "$2" "$room/$1.json"; }
milliseconds() { of "$1" ".thresholds[$2].found // \"-\" | if type == \"number\" then . * 100 | round / 100 else . end"; }
answers_of() { of "$1" "[.kinds[\"$2\"].answers // {} | to_entries[] | select(.key == (\"${3// /\", \"}\")) | .value] | add // 0"; }

# row NAME TEXT: a line of the table.
row() {
  local hashed refused offered share
  hashed=$(answers_of "$1" sign_in "200 401")
  refused=$(answers_of "$1" sign_in "429 503")
  offered=$(of "$1" '.kinds.sign_in.offered // 0')
  share=$(highest_share "$room/$1.ticks")
  printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s %% |\n' "$2" "$(answers_of "$1" join "200 201 409")" \
    "$(milliseconds "$1" 0)" "$(milliseconds "$1" 1)" "$offered" "$hashed" "$refused" "$(milliseconds "$1" 2)" \
    "$(awk -v s="$share" 'BEGIN {printf "%.1f", s / 10}')" >>"$room/table"
  tail -n 1 "$room/table" >&2
  milliseconds "$1" 1 >>"$room/p99.${1%.*}"
  # What is saved up (200 ms) comes on top once, and the threads do more than hash.
  [ "$share" -le $((share_permille + 200 / (seconds / 2 * $(nproc)) + 10)) ] || missed+=("$2: share $share of $share_permille")
  awk -v p="$(milliseconds "$1" 1)" -v most="$p99_limit" 'BEGIN {exit !(p + 0 > most)}' && missed+=("$2: p99") || true
}

median() { sort -n "$1" | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

prepare() {
  command -v jq >/dev/null || { say "needs jq"; exit 1; }
  ulimit -n "$(ulimit -Hn)"
  room=$(mktemp -d "$directory/gelombang-logins.XXXXXX")
  ln -s "$repository/config" "$room/config"
  trap end_everything EXIT
  trap 'exit 130' INT TERM
  gelombang seed --data-dir "$room/data" --applicants "$applicants" >"$room/seed.out" 2>&1
  gelombang tokens --data-dir "$room/data" --applicants "$applicants" >"$room/tokens"
  operator_token=$(gelombang tokens --data-dir "$room/data" --applicants 1 --role operator)
  echo "$operator_token" >"$room/officer"
  start_node "$room/data" --set runtime.active_actors_max=$((applicants + 100000)) \
    --set front_door.connections_max=20000 --set "passwords.cpu_share_permille=$share_permille" \
    --set "front_door.password_threads=$password_threads"
}

report() {
  printf '# A storm of sign-ins, %s\n\n' "$(date -u +%Y-%m-%d)"
  printf '%s, %s cores, Linux %s; commit %s. Joins at half of the peak of %s a second, each on a connection of its own, %s s a row; in a storm %s sign-ins a second. ' \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(uname -r)" \
    "$(git -C "$repository" rev-parse --short HEAD 2>/dev/null || echo unknown)" "$peak" "$seconds" "$sign_ins"
  printf 'Passwords may take %s thousandths of all cores, on %s thread(s); generator on the same cores.\n\n' "$share_permille" "$password_threads"
  printf '| | joins answered | p50 of joins, ms | p99 of joins, ms | sign-ins offered | hashed | refused | p99 of refusing, ms | CPU of passwords, at most over %s s |\n' $((seconds / 2))
  printf '|---|---:|---:|---:|---:|---:|---:|---:|---:|\n'
  cat "$room/table"
  printf '\nMedian p99 of joins: alone %s ms, in the storm %s ms.\n' "$(median "$room/p99.alone")" "$(median "$room/p99.storm")"
}

main() {
  parse_flags "$@"
  missed=()
  prepare
  warm_up
  find_peak
  say "peak $peak a second"
  local round
  for round in $(seq "$rounds"); do
    stretch "alone.$round" 0
    row "alone.$round" "alone"
    stretch "storm.$round" "$sign_ins"
    row "storm.$round" "storm"
  done
  report
  [ ${#missed[@]} -eq 0 ] || { say "missed: ${missed[*]}"; exit 1; }
}

# shellcheck source=load-tests/bench_processes.sh
. "$repository/load-tests/bench_processes.sh"
main "$@"
