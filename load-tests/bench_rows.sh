# shellcheck shell=bash disable=SC2154,SC2034
# The rows of the table: one function a row, or two where a row needs something made before.
# Sourced by bench.sh. A row's function is given the number of connections where its row has
# columns for them, and calls `note ROW COLUMN VALUE` for each figure.

# load ROW CONNECTIONS URL SCRIPT [VARIABLE=VALUE...]: one wrk run; notes the rate.
# Leaves rate, median_us, p99_us.
load() {
  local row=$1 connections=$2 url=$3 script=$4 result refused exhausted
  shift 4
  result=$(env TOKENS="$tokens_file" COUNT=$((seconds * 260000)) "$@" \
    timeout --foreground $((seconds + 60)) wrk -t1 -c"$connections" -d"${seconds}s" --timeout 10s --latency \
    -s "$repository/load-tests/$script" "$url" | sed -n 's/^RESULT //p') ||
    remark "$row, $connections connections: wrk failed"
  read -r rate median_us p99_us refused exhausted <<<"${result:-0 0 0 0 0}"
  [ "$refused" = 0 ] || [ "$row" = restart_load ] || remark "$row, $connections connections: $refused requests refused or lost"
  [ "$exhausted" = 0 ] || remark "$row, $connections connections: the tokens ran out, the rate is void"
  note "$row" "$connections" "$rate"
}

# ---- requests a second, by connections ---------------------------------------------------------

row_do_nothing() { load do_nothing "$1" "$do_nothing_url" tokens.lua REQUEST_PATH=/v1/waves/7/join; }

row_nginx() { load nginx "$1" "$nginx_url" tokens.lua REQUEST_PATH=/v1/waves/7/join; }

row_postgres() {
  local tps
  tps=$(timeout --foreground $((seconds + 60)) "$postgres_bin/pgbench" -n -M prepared -c "$1" -j 2 -T "$seconds" \
    -D wave=7 -f "$room/join.sql" -h "$room/postgres" -U postgres postgres 2>"$room/pgbench.err" |
    sed -nE 's/^tps = ([0-9]+).*/\1/p') || true
  [ -n "$tps" ] || remark "postgres, $1 connections: $(tail -n 1 "$room/pgbench.err")"
  note postgres "$1" "${tps:-0}"
}

# A wave in place of the last one, whose rows are gone before anything is measured.
fresh_wave() {
  [ -z "${wave:-}" ] || operator POST "/v1/operator/waves/$wave/cancel" >/dev/null
  new_wave 50000 '[]'
  wait_quiet "$node_pid"
}

# Each run joins a wave of its own, so the same people are distinct applicants again.
row_join_warm() {
  fresh_wave
  load join_warm "$1" "$node_url" tokens.lua "REQUEST_PATH=/v1/waves/$wave/join"
  wait_quiet "$node_pid"
}

row_status() {
  load status "$1" "$node_url" tokens.lua METHOD=GET "REQUEST_PATH=/v1/me/waves/$wave"
}

row_accounts() {
  load accounts "$1" "$node_url" accounts.lua "RUN=$1-$run-$RANDOM"
  wait_quiet "$node_pid"
}

# ---- one connection, constant rate -------------------------------------------------------------

# A join alone waits for one sync; so does sync_time, in the same directory, right before.
row_latency() {
  local rate median_us p99_us sync_us seconds=$seconds
  read -r sync_us _ < <("$programs/sync_time" "$room" 2)
  note sync_time us "$sync_us"
  fresh_wave
  load latency 1 "$node_url" tokens.lua "REQUEST_PATH=/v1/waves/$wave/join"
  note latency us "$median_us"
  wait_quiet "$node_pid"
}

# constant RATE CONNECTIONS SECONDS SKIP METHOD PATH [WARM_UP]: leaves its report in $room/constant.out.
constant() {
  timeout --foreground $(($3 + 60)) "$programs/constant_rate" --port "$(port_of "$node_url")" --rate "$1" \
    --connections "$2" --seconds "$3" --skip "$4" --method "$5" --path "$6" \
    --warm-up-seconds "${7:-0}" --tokens "$tokens_file" >"$room/constant.out"
}

row_p99() {
  local peak rate p99_us
  peak=$(median join_warm 256)
  [ -n "$peak" ] || { row_join_warm 256; peak=$(median join_warm 256); }
  rate=$((peak * 7 / 10))
  fresh_wave
  constant "$rate" 256 "$seconds" 0 POST "/v1/waves/$wave/join" 1 ||
    remark "p99 at $rate/s: $(grep -E '^(refused|lost)' "$room/constant.out" | tr '\n' ' ')"
  p99_us=$(awk '/^p99_us/ {print $2}' "$room/constant.out")
  note p99 ms "$(awk -v us="$p99_us" 'BEGIN {printf "%.2f", us / 1000}')"
  note p99 rate "$rate"
  wait_quiet "$node_pid"
}

# ---- after a restart ---------------------------------------------------------------------------

# Nobody is in memory, nothing in the page cache; everybody is new to the wave.
row_join_cold() {
  new_wave 50000 '[]'
  stop_node
  drop_page_cache "$node_data"
  start_ready_node "$node_data"
  load join_cold 256 "$node_url" tokens.lua "REQUEST_PATH=/v1/waves/$wave/join" SKIP=$(((run - 1) * cold_slice))
  operator POST "/v1/operator/waves/$wave/cancel" >/dev/null
  wave=
  wait_quiet "$node_pid"
}

row_restart() {
  local load_pid
  new_wave 50000 '[]'
  (load restart_load 64 "$node_url" tokens.lua "REQUEST_PATH=/v1/waves/$wave/join" >/dev/null 2>&1) &
  load_pid=$!
  sleep 3
  stop_node KILL
  wait "$load_pid" || true
  start_node "$node_data" --set runtime.active_actors_max=2100000
  note restart ms "$node_ready_ms"
  wave=
}

# ---- memory ------------------------------------------------------------------------------------

# touch FROM TO: a status read for each of the applicants in between brings them into memory.
touch_applicants() {
  local at slice=250000 rate=25000
  [ $(($2 - $1)) -ge $slice ] || slice=$(($2 - $1))
  for ((at = $1; at < $2; at += slice)); do
    constant $rate 64 $((slice / rate)) "$at" GET /v1/me || remark "memory: $(tr '\n' ' ' <"$room/constant.out")"
  done
}

# Two nodes of their own, over people of their own: the rows before have everybody in twenty waves that are
# all open, some 14 bytes each. One keeps a million in memory, one may keep 200,000. Their caches of stored rows
# are kept small, so that the figures are the actors'.
row_memory() {
  local empty full at_million at_end
  stop_node
  tokens_file=$room/memory-tokens
  gelombang seed --data-dir "$room/memory-data" --applicants "$applicants" >"$room/seed.out" 2>&1
  gelombang tokens --data-dir "$room/memory-data" --applicants "$applicants" >"$tokens_file"
  start_node "$room/memory-data" --set runtime.active_actors_max=2100000 --set storage.block_cache_bytes=8388608
  # The first few open the state's files, whose indexes and filters are not theirs.
  touch_applicants 1500000 1525000
  empty=$(resident_kb "$node_pid")
  touch_applicants 0 1000000
  full=$(resident_kb "$node_pid")
  note memory bytes_each $(((full - empty) * 1024 / 1000000))
  stop_node
  start_node "$node_data" --set runtime.active_actors_max=200000 --set storage.block_cache_bytes=8388608
  touch_applicants 0 1000000
  at_million=$(resident_kb "$node_pid")
  touch_applicants 1000000 2000000
  at_end=$(resident_kb "$node_pid")
  note memory mb_at_1_million $((at_million / 1024))
  note memory mb_at_2_million $((at_end / 1024))
}

# ---- the draw ----------------------------------------------------------------------------------

row_draw() {
  local secret=5eed000000000000000000000000000000000000000000000000000000000001 before hash
  stop_node
  tokens_file=$room/draw-tokens
  gelombang seed --data-dir "$room/draw-data" --applicants "$draw_applicants" >"$room/seed.out" 2>&1
  gelombang tokens --data-dir "$room/draw-data" --applicants "$draw_applicants" >"$tokens_file"
  start_node "$room/draw-data"
  new_wave $((draw_applicants * 16 / 100)) '[{"name":"listed_by_ministry","share_permille":100},
    {"name":"disability","share_permille":50},{"name":"returned_migrant","share_permille":50}]'
  join_everybody
  operator POST "/v1/operator/waves/$wave/close" >/dev/null
  wait_for_state "$wave" closed
  wait_quiet "$node_pid"
  # shellcheck disable=SC2059 # the escapes are the point
  hash=$(printf "$(sed 's/../\\x&/g' <<<"$secret")" | sha256sum | cut -d' ' -f1)
  before=$(date +%s%N)
  operator POST "/v1/operator/waves/$wave/commit" \
    "{\"beacon_source\":\"drand\",\"beacon_round\":4242,\"operator_secret_hash\":\"$hash\"}" >/dev/null
  wait_for_state "$wave" committed
  operator POST "/v1/operator/waves/$wave/draw" \
    "{\"beacon_value\":\"${hash:0:32}\",\"operator_secret\":\"$secret\"}" >/dev/null
  wait_for_state "$wave" drawn
  operator POST "/v1/operator/waves/$wave/announce" >/dev/null
  wait_for_state "$wave" announced
  note draw seconds "$(seconds_since "$before")"
  verify_draw
  stop_node
}

join_everybody() {
  local at slice=500000 rate=31250  # 16 s each, less than cold joins take
  for ((at = 0; at < draw_applicants; at += slice)); do
    constant $rate 256 $((slice / rate)) "$at" POST "/v1/waves/$wave/join" || true
  done
}

verify_draw() {
  local before
  curl -sS -m 120 -o "$room/summary.json" "$node_url/v1/waves/$wave/draw"
  curl -sS -m 600 -o "$room/entries.csv" "$node_url/v1/waves/$wave/draw/entries.csv"
  before=$(date +%s%N)
  gelombang draw verify --summary "$room/summary.json" --entries "$room/entries.csv" >"$room/verify.out" 2>&1 ||
    remark "draw verify: $(tail -n 1 "$room/verify.out")"
  note draw_verify seconds "$(seconds_since "$before")"
}

seconds_since() { awk -v ns=$(($(date +%s%N) - $1)) 'BEGIN {printf "%.2f", ns / 1e9}'; }

# ---- what is made before -----------------------------------------------------------------------

# Seeds the applicants everything else needs, and so measures seed, tokens and disk.
prepare_data() {
  local before taken
  before=$(date +%s%N)
  gelombang seed --data-dir "$room/data" --applicants "$applicants" >"$room/seed.out" 2>&1
  taken=$((($(date +%s%N) - before) / 1000))
  note seed per_second $((applicants * 1000000 / taken))
  before=$(date +%s%N)
  gelombang tokens --data-dir "$room/data" --applicants "$applicants" >"$room/tokens"
  taken=$((($(date +%s%N) - before) / 1000))
  note tokens per_second $((applicants * 1000000 / taken))
  note disk bytes_each $(($(du -sb "$room/data/state" | cut -f1) / applicants))
  tokens_file=$room/tokens
  operator_token=$(gelombang tokens --data-dir "$room/data" --applicants 1 --role operator)
}

# Tokens of the usual length for the rows that have nobody to check them.
prepare_stand_ins() {
  tokens_file=$room/stand-ins
  awk -v n=$((seconds * 200000)) 'BEGIN {
    filler = sprintf("%180s", ""); gsub(/ /, "x", filler)
    for (i = 0; i < n; ++i) printf "%s%09d\n", filler, i
  }' >"$tokens_file"
}
