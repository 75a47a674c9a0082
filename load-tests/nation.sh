#!/usr/bin/env bash
# A nation on one machine: the programme's history against one node, over HTTP. Makes data, key and
# configuration below --dir, starts the node, replays, stops, audits, and writes a page of results. Run
# again after an interruption it goes on; a node that dies meanwhile is started again. Needs the
# programs of `./dev build`, and for --scale 1 a few hours, 70 GB of disk and 8 GB of memory.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
programs=${BENCH_PROGRAMS:-$repository/build/release}

scale=0.01
seed=2020
connections=256
depth=1
io_threads=$(nproc)
directory=/var/tmp
active_actors_max=600000
block_cache_bytes=1073741824
results=

usage() {
  cat <<TEXT
load-tests/nation.sh [--scale $scale] [--seed $seed] [--connections $connections] [--depth $depth]
                     [--io-threads $io_threads] [--dir $directory] [--active-actors-max $active_actors_max]
                     [--block-cache-bytes $block_cache_bytes] [--results DIR]
--results keeps DATE-nation-SCALE.md and .json there; KEEP=1 leaves the node's data where it is.
TEXT
}

refuse() { echo "nation: $*" >&2; usage >&2; exit 2; }

while [ $# -gt 0 ]; do
  [ "$1" != --help ] || { usage; exit 0; }
  [ $# -ge 2 ] || refuse "$1 needs a value"
  case $1 in
    --scale | --seed | --connections | --depth)
      [[ $2 =~ ^[0-9.]+$ ]] || refuse "$1 takes a number, not '$2'" ;;&
    --scale) scale=$2 ;;
    --seed) seed=$2 ;;
    --connections) connections=$2 ;;
    --depth) depth=$2 ;;
    --io-threads) io_threads=$2 ;;
    --dir) directory=$2 ;;
    --active-actors-max) active_actors_max=$2 ;;
    --block-cache-bytes) block_cache_bytes=$2 ;;
    --results) results=$(realpath "$2") ;;
    *) refuse "no flag '$1'" ;;
  esac
  shift 2
done

room=$directory/gelombang-nation-$scale-$seed
mkdir -p "$room/replay"
# shellcheck source=bench_processes.sh
source "$repository/load-tests/bench_processes.sh"
keep_wanted=${KEEP:-}
KEEP=1   # what is there is what an interrupted run goes on with
trap 'end_everything' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

facts=$room/facts
peak_kb() { awk '/^VmHWM:/ {print $2}' "/proc/$1/status" 2>/dev/null || true; }
fact() { printf '| %s | %s |\n' "$1" "$2" >>"$facts"; }

port=0
start_nation_node() {
  local before
  before=$(date +%s%N)
  # The generator is everybody, from one address, and asks as fast as it is answered; letters go nowhere; a password costs as little as
  # libsodium lets it: what is measured is the programme, not 63 million Argon2id.
  start node "$programs/gelombang" serve --config "$repository/config/dev.toml" --data-dir "$room/data" \
    --listen "127.0.0.1:$port" --set "keys.file=\"$room/master.key\"" \
    --set "programme.eligibility=\"$repository/config/eligibility\"" \
    --set "programme.assessment=\"$repository/config/assessment.toml\"" \
    --set "programme.regions=\"$repository/config/regions.csv\"" \
    --set mail.kind=off --set demo.enabled=false --set waves.automatic=false --set log.level=warn \
    --set clock.kind=manual --set 'clock.start="2025-04-01T00:00:00+07:00"' \
    --set passwords.passes=1 --set passwords.memory_kib=8 --set front_door.password_queue_max=20000 \
    --set passwords.cpu_share_permille=1000 --set passwords.wait_milliseconds_max=60000 \
    --set overload.enabled=false --set waiting_room.mode=off \
    --set front_door.attempts_by_address_max=4000000000 --set "front_door.io_threads=$io_threads" \
    --set "runtime.active_actors_max=$active_actors_max" --set "storage.block_cache_bytes=$block_cache_bytes" \
    --set storage.checkpoint_bytes=268435456 --set storage.segment_bytes_max=268435456 \
    ${NATION_SETTINGS:-}
  node_pid=$started
  node_url=$(url_when_ready node "$node_pid")
  node_ready_ms=$((($(date +%s%N) - before) / 1000000))
  port=${node_url##*:}
  echo "$node_pid" >"$room/node.pid"
}

# Waits for the generator; starts the node again if it goes; notes what both have needed at most.
watch_replay() {
  local replay_pid=$1 node_most=0 generator_most=0 kb restarts=0
  while kill -0 "$replay_pid" 2>/dev/null; do
    sleep 1
    kb=$(peak_kb "$replay_pid"); [ "${kb:-0}" -le "$generator_most" ] || generator_most=$kb
    if kb=$(peak_kb "$node_pid") && [ -n "$kb" ]; then
      [ "$kb" -le "$node_most" ] || node_most=$kb
    elif kill -0 "$replay_pid" 2>/dev/null; then
      restarts=$((restarts + 1))
      [ $restarts -le 5 ] || { echo "nation: the node has ended six times" >&2; return 1; }
      echo "nation: the node has ended, it is started again" >&2
      wait "$node_pid" 2>/dev/null || true
      start_nation_node
    fi
  done
  fact 'node, resident at most' "$((node_most / 1024)) MB"
  fact 'generator, resident at most' "$((generator_most / 1024)) MB"
  fact 'node had to be started again' "$restarts times"
  wait "$replay_pid"
}

replay() {
  local code=0 errors=$room/replay.log
  # Its bar belongs on the terminal, if there is one.
  [ ! -t 2 ] || errors=/dev/stderr
  "$programs/gelombang-load" replay --url "$node_url" --key-file "$room/master.key" --state "$room/replay" \
    --timetable "$repository/load-tests/replay/timetable.toml" --scale "$scale" --seed "$seed" \
    --connections "$connections" --depth "$depth" --node-pid-file "$room/node.pid" --verify-with "$programs/gelombang" \
    --out "$room/result.json" --report "$room/page.md" >"$room/replay.out" 2>>"$errors" &
  pids+=("$!")
  watch_replay "$!" || code=$?
  [ $code -le 1 ] || { tail -n 3 "$room/replay.log" >&2 2>/dev/null || true; return $code; }
  return $code
}

bytes_below() { { du -sb "$1" 2>/dev/null || echo 0; } | cut -f1; }
mb() { awk -v b="$1" 'BEGIN {printf "%.0f MB", b / 1048576}'; }

# While the node runs and has nothing to do: one that is stopped leaves what a compaction had begun.
note_state() {
  local people state
  wait_quiet "$node_pid"
  people=$(sed -nE 's/.*"people":([0-9]+).*/\1/p' "$room/result.json")
  state=$(bytes_below "$room/data/state")
  fact 'state and index' "$(mb "$state"), $((state / people)) bytes an account"
}

note_journal() {
  local archive
  archive=$(find "$room/data/journal" -type f -name '*.gwa' -printf '%s\n' 2>/dev/null |
    awk '{sum += $1} END {printf "%.0f", sum}')
  fact 'journal with its archive' "$(mb "$(bytes_below "$room/data/journal")"), of it archive $(mb "${archive:-0}")"
  fact 'draws' "$(mb "$(bytes_below "$room/data/draws")")"
}

# Stopped in order and started; then killed, started, and stopped for the audit.
restart_and_audit() {
  local before code=0
  end "$node_pid"
  start_nation_node
  fact 'restart to ready, with all of it' "$node_ready_ms ms"
  fact 'resident right after' "$(($(resident_kb "$node_pid") / 1024)) MB"
  note_state
  end "$node_pid" KILL
  start_nation_node
  fact 'restart to ready after a kill' "$node_ready_ms ms"
  end "$node_pid"
  note_journal
  before=$(date +%s%N)
  "$programs/gelombang" audit verify --data-dir "$room/data" --key-file "$room/master.key" >"$room/audit.out" 2>&1 ||
    code=$?
  fact '`audit verify`' "$([ $code = 0 ] && echo clean || echo "**fails**"), $((($(date +%s%N) - before) / 1000000000)) s"
  return $code
}

write_page() {
  local cpu name
  cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
  {
    echo "# A nation on one machine, $(date +%F)"
    echo
    echo "$cpu, $(nproc) cores, $(awk '/^MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo) GB, Linux $(uname -r);" \
      "commit $(git -C "$repository" rev-parse --short HEAD); \`load-tests/nation.sh --scale $scale --connections" \
      "$connections --depth $depth --io-threads $io_threads --active-actors-max $active_actors_max\`. Generator and node" \
      "share the cores; letters go nowhere; a password costs Argon2id's least (1 pass, 8 KiB)."
    echo
    cat "$room/page.md"
    echo
    echo '| | |'
    echo '|---|---:|'
    cat "$facts"
  } >"$room/nation.md"
  cat "$room/nation.md"
  [ -n "$results" ] || return 0
  name=$results/$(date +%F)-nation-$scale
  cp "$room/nation.md" "$name.md"
  cp "$room/result.json" "$name.json"
}

: >"$facts"
start_nation_node
code=0
replay || code=$?
[ -s "$room/page.md" ] || exit "$code"
restart_and_audit || code=$?
write_page
[ -n "$keep_wanted" ] || rm -rf "$room"
exit "$code"
