# shellcheck shell=bash disable=SC2154,SC2034
# What a row costs: joins a second, latency at a part of that, CPU and bytes a join.
# Sourced by run.sh after load-tests/bench_rows.sh, whose `load` and `constant` it uses.

ticks_a_second=$(getconf CLK_TCK)
latency_percent=70   # of a row's own peak
redis_rate=50000     # a first guess: redis-benchmark is told how many, not how long

# spent ROW: CPU ticks of all its processes and of theirs that have ended.
spent() {
  local roots all
  mapfile -t roots < <(roots_of "$1")
  mapfile -t all < <(tree_of "${roots[@]}")
  local files=("${all[@]/#//proc/}")
  # utime, stime and, of children that have ended, cutime, cstime; counted from behind the name.
  { cat "${files[@]/%//stat}" 2>/dev/null || true; } |
    sed 's/^.*) //' | awk '{s += $12 + $13 + $14 + $15} END {printf "%.0f", s}'
}

# disk_counts: bytes written to the disk below the room, and flushes of its cache, by anybody. What
# /proc counts by process is no use: whole pages, again for each sync of a few bytes.
disk_counts() {
  local device
  device=$(stat -c '%Hd %Ld' "$room")
  awk -v device="$device" '$1 " " $2 == device {printf "%.0f %d\n", $10 * 512, $19; found = 1}
    END {if (!found) print "0 0"}' /proc/diskstats
}

# settle ROW: until its processes have done their work of before (checkpoints, freeing), at most 30 s.
settle() {
  local before now end=$((SECONDS + 30))
  before=$(spent "$1")
  while [ $SECONDS -lt $end ]; do
    sleep 0.5
    now=$(spent "$1")
    [ $((now - before)) -gt 2 ] || return 0
    before=$now
  done
}

# throughput ROW CONNECTIONS: everything from the first request until the row is quiet again is its cost.
throughput() {
  local row=$1 connections=$2 ticks bytes ticks_after bytes_after joins
  fresh "$row"
  ticks=$(spent "$row")
  read -r bytes _ < <(disk_counts)
  "drive_$(driver_of "$row")" "$row" "$connections"
  settle "$row"
  ticks_after=$(spent "$row")
  read -r bytes_after _ < <(disk_counts)
  [ "${joins:-0}" -gt 0 ] || return 0
  note "$row" "cpu_us.$connections" "$(each $((ticks_after - ticks)) "1e6 / $ticks_a_second" "$joins")"
  note "$row" "bytes.$connections" "$(each $((bytes_after - bytes)) 1 "$joins")"
}

# each TOTAL FACTOR COUNT
each() { awk "BEGIN {printf \"%.1f\", $1 * $2 / $3}"; }

driver_of() { case $1 in postgres | redis) echo "$1" ;; *) echo http ;; esac; }

drive_http() {
  local tokens_file rate median_us p99_us count=$((seconds * 100000))
  tokens_file=$(tokens_for "$1")
  [ "$1" != gelombang ] || count=$((seconds * 260000))
  load "$1" "$2" "${url[$1]}" tokens.lua "REQUEST_PATH=$join_path" "COUNT=$count"
  joins=$((rate * seconds))
}

# pgbench_run CONNECTIONS [FLAGS]: prints joins a second.
pgbench_run() {
  local connections=$1
  shift
  timeout --foreground $((seconds + 60)) "$postgres_bin/pgbench" -n -M prepared -c "$connections" -j 2 -T "$seconds" \
    -D "wave=$peer_wave" -f "$here/postgres/join.sql" -h "$room/postgres" -U postgres "$@" postgres \
    2>"$room/pgbench.err" | sed -nE 's/^tps = ([0-9]+).*/\1/p'
}

drive_postgres() {
  local rate
  rate=$(pgbench_run "$2") || true
  [ -n "$rate" ] || remark "postgres, $2 connections: $(tail -n 1 "$room/pgbench.err")"
  note postgres "$2" "${rate:-0}"
  joins=$((${rate:-0} * seconds))
}

# redis_run CONNECTIONS: leaves rate, p50_ms, p99_ms. The keys and values are as long as Fastify's.
redis_run() {
  joins=$((redis_rate * seconds))
  # "test","rps","avg","min","p50","p95","p99","max"; the test's name has no comma.
  read -r rate p50_ms p99_ms < <(timeout --foreground $((seconds + 120)) redis-benchmark -s "$room/redis/socket" \
    -c "$1" -n "$joins" -r 2000000000 --csv HSETNX "wave:$peer_wave" __rand_int__ \
    '042c513fadce152c067a01c742ad8a96 1795336190' 2>"$room/redis-benchmark.err" |
    tr -d '"' | awk -F, 'END {printf "%.0f %s %s\n", $2, $5, $7}')
  [ "${rate:-0}" -gt 0 ] || { remark "redis, $1 connections: redis-benchmark failed"; rate=0 joins=0; return 0; }
  redis_rate=$rate
}

drive_redis() {
  local rate p50_ms p99_ms
  redis_run "$2"
  note redis "$2" "$rate"
}

# ---- latency ------------------------------------------------------------------------------------

# latency ROW CONNECTIONS: at a constant rate, from the moment each request was due.
latency() {
  local row=$1 rate
  rate=$(($(median "$row" "$2") * latency_percent / 100))
  [ $rate -gt 0 ] || return 0
  fresh "$row"
  "latency_$(driver_of "$row")" "$row" "$2" "$rate"
  settle "$row"
}

note_latency() {
  note "$1" p50_ms "$(each "$2" 1 1000 | awk '{print $1}')"
  note "$1" p99_ms "$(each "$3" 1 1000 | awk '{print $1}')"
}

latency_http() {
  local node_url=${url[$1]} tokens_file
  tokens_file=$(tokens_for "$1")
  constant "$3" "$2" "$seconds" 0 POST "$join_path" 1 ||
    remark "$1, latency at $3/s: $(grep -E '^(refused|lost)' "$room/constant.out" | tr '\n' ' ')"
  note_latency "$1" "$(awk '/^p50_us/ {print $2}' "$room/constant.out")" "$(awk '/^p99_us/ {print $2}' "$room/constant.out")"
}

# pgbench's own constant rate, a line for each join in its logs; the first second is left out.
latency_postgres() {
  (cd "$room" && pgbench_run "$2" --rate "$3" -l --log-prefix="$room/pgbench_log") >/dev/null
  local p50 p99
  read -r p50 p99 < <(cat "$room"/pgbench_log.* | sort -n -k5,5 | awk 'NR == 1 {first = $5} $5 > first {print $3}' |
    sort -n | awk '{v[NR] = $1} END {print v[int(NR * 0.5) + 1], v[int(NR * 0.99) + 1]}')
  rm -f "$room"/pgbench_log.*
  note_latency postgres "$p50" "$p99"
}

# redis-benchmark knows no rate: its closed loop's percentiles, at its peak.
latency_redis() {
  local rate p50_ms p99_ms
  redis_run "$2"
  note redis p50_ms "$p50_ms"
  note redis p99_ms "$p99_ms"
}
