# shellcheck shell=bash disable=SC2154,SC2034
# What the bench starts and ends: every process by its own id, everything it writes in one room.
# Sourced by bench.sh; needs $programs, $room, $repository.

pids=()             # of everything under way
postgres_bin=/usr/lib/postgresql/15/bin
scheme=normal-2023   # a rule set of config/eligibility
node_flags=(--set mail.kind=off --set demo.enabled=false --set waves.automatic=false --set log.level=warn
  --set front_door.attempts_by_address_max=4000000000   # the generator is one address
  --set limits.requests_by_account_max=65535 --set limits.clicks_by_account_max=65535)   # and few people: counted, never over
memory_ahead_bytes=5000000000   # 2 M applicants of 2.2 kB, and what waits for a checkpoint

# start NAME COMMAND...: in the background, its output in $room/NAME.out; leaves its id in $started.
start() {
  local name=$1
  shift
  (cd "$room" && exec "$@") >"$room/$name.out" 2>"$room/$name.err" &
  started=$!
  pids+=("$started")
}

# end PID [SIGNAL]: and waits until it has ended.
end() {
  local pid=$1 signal=${2:-TERM} each rest=()
  kill "-$signal" "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  for each in "${pids[@]}"; do [ "$each" = "$pid" ] || rest+=("$each"); done
  pids=("${rest[@]}")
}

end_everything() {
  local pid
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do
    timeout 10 tail -f --pid="$pid" /dev/null 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
  done
  [ -z "${room:-}" ] || [ -n "${KEEP:-}" ] || rm -rf "$room"
}

# url_when_ready NAME PID: waits for the line "ready http://…" and prints the address behind "ready ".
url_when_ready() {
  local name=$1 pid=$2 end=$((SECONDS + 120)) line
  while [ $SECONDS -lt $end ]; do
    line=$(grep -m1 '^ready http' "$room/$name.out" 2>/dev/null || true)
    [ -z "$line" ] || { echo "${line#ready }"; return 0; }
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.005
  done
  echo "bench: $name did not get ready:" >&2
  tail -n 5 "$room/$name.out" "$room/$name.err" >&2
  return 1
}

# answers NAME PID COMMAND...: waits until the command succeeds while the process lives, at most 60 s.
answers() {
  local name=$1 pid=$2 end=$((SECONDS + 60))
  shift 2
  while [ $SECONDS -lt $end ] && kill -0 "$pid" 2>/dev/null; do
    ! "$@" >/dev/null 2>&1 || return 0
    sleep 0.05
  done
  echo "bench: $name does not answer:" >&2
  tail -n 5 "$room/$name.err" >&2
  return 1
}

port_of() { echo "${1##*:}"; }

free_port() {
  local port
  for port in $(shuf -i 20000-29999 -n 50); do
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return 0; }
  done
  return 1
}

# wait_quiet PID: until a server has done its work of before (checkpoints), at most 30 s.
wait_quiet() {
  local before now end=$((SECONDS + 30))
  before=$(cpu_ticks "$1")
  while [ $SECONDS -lt $end ]; do
    sleep 0.5
    now=$(cpu_ticks "$1")
    [ $((now - before)) -gt 2 ] || return 0
    before=$now
  done
}

cpu_ticks() { awk '{print $14 + $15}' "/proc/$1/stat" 2>/dev/null || echo 0; }
resident_kb() { awk '/^VmRSS:/ {print $2}' "/proc/$1/status"; }

# ---- the servers ------------------------------------------------------------------------------

start_do_nothing() {
  start do_nothing "$programs/do_nothing" 0 "$io_threads"
  do_nothing_pid=$started
  do_nothing_url=$(url_when_ready do_nothing "$do_nothing_pid")
}

start_nginx() {
  local port
  port=$(free_port)
  cat >"$room/nginx.conf" <<CONF
worker_processes $io_threads;
pid $room/nginx.pid;
error_log stderr;
daemon off;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path $room/nginx-body;
  proxy_temp_path $room/nginx-proxy;
  fastcgi_temp_path $room/nginx-fastcgi;
  uwsgi_temp_path $room/nginx-uwsgi;
  scgi_temp_path $room/nginx-scgi;
  server {
    listen 127.0.0.1:$port;
    location / { default_type application/json; return 200 '{"wave":7,"entry_id":"00000000000000000000000000000000","region":"3174","joined_at":"2026-01-02T05:00:00Z","state":"joined"}'; }
  }
}
CONF
  start nginx nginx -e stderr -p "$room" -c "$room/nginx.conf"
  nginx_pid=$started
  nginx_url=http://127.0.0.1:$port
  answers nginx "$nginx_pid" curl -so /dev/null "$nginx_url"
}

# as_postgres COMMAND...: PostgreSQL refuses to run as root.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then (cd "$room/postgres" && runuser -u postgres -- "$@"); else "$@"; fi
}

start_postgres() {
  mkdir -p "$room/postgres"
  [ "$(id -u)" != 0 ] || chown postgres "$room/postgres"
  as_postgres "$postgres_bin/initdb" -D "$room/postgres/data" -A trust -U postgres >"$room/initdb.out"
  local runner=()
  # setpriv becomes the server, so that its id is ours to end; runuser would stand between.
  [ "$(id -u)" != 0 ] || runner=(setpriv --reuid=postgres --regid=postgres --init-groups)
  start postgres "${runner[@]}" "$postgres_bin/postgres" -D "$room/postgres/data" -k "$room/postgres" \
    -c listen_addresses= -c synchronous_commit=on -c max_connections=300 -c shared_buffers=256MB
  postgres_pid=$started
  answers postgres "$postgres_pid" sql 'select 1'
  sql 'create table joins (wave int, applicant bigint, primary key (wave, applicant))' >/dev/null
  cat >"$room/join.sql" <<'SQL'
\set applicant random(1, 1000000000000)
insert into joins (wave, applicant) values (:wave, :applicant) on conflict do nothing;
SQL
  chmod 644 "$room/join.sql"
}

sql() { psql -X -q -A -t -h "$room/postgres" -U postgres -c "$1" postgres; }

# start_node DATA [FLAGS]: leaves node_pid, node_url, and in node_ready_ms how long it took.
start_node() {
  local data=$1 before
  shift
  before=$(date +%s%N)
  start node "$programs/gelombang" serve --config config/dev.toml --data-dir "$data" \
    --listen 127.0.0.1:0 "${node_flags[@]}" --set "front_door.io_threads=$io_threads" "$@"
  node_pid=$started
  node_data=$data
  node_url=$(url_when_ready node "$node_pid")
  node_ready_ms=$((($(date +%s%N) - before) / 1000000))
}

# start_ready_node DATA: with the memory of everybody touched, as config/production.toml has it done in
# the minutes before a wave. Not for rows that count memory.
start_ready_node() {
  local bytes=$((memory_ahead_bytes)) touched=0 end=$((SECONDS + 60))
  start_node "$1" --set runtime.active_actors_max=2100000 --set "runtime.memory_ahead_bytes=$bytes"
  while [ "$touched" -lt "$bytes" ] && [ $SECONDS -lt $end ]; do
    sleep 0.1
    touched=$(curl -sS -m 5 "$node_url/metrics" | awk '/^gelombang_memory_ahead_bytes/ {printf "%.0f", $2}')
  done
  [ "$touched" -ge "$bytes" ] || remark "only $touched of $bytes bytes were touched ahead"
}

stop_node() {
  [ -z "${node_pid:-}" ] || end "$node_pid" "${1:-TERM}"
  node_pid=
}

# The pages of stopped nodes' files leave the kernel's memory: all files' as root, else these files'.
drop_page_cache() {
  sync
  if { echo 3 >/proc/sys/vm/drop_caches; } 2>/dev/null; then return 0; fi
  find "$1" -type f -exec dd if={} iflag=nocache count=0 status=none \;
}

# ---- what is asked of the node -----------------------------------------------------------------

gelombang() { (cd "$room" && "$programs/gelombang" "$@"); }

# operator METHOD PATH [BODY]: prints the answer's body; fails on anything but success.
operator() {
  curl -sS --fail-with-body -m 120 -X "$1" -H "Authorization: Bearer $operator_token" \
    -H 'Content-Type: application/json' ${3:+--data "$3"} "$node_url$2"
}

# member NAME: of a JSON object on standard input; numbers and plain strings.
member() { sed -nE "s/.*\"$1\":\"?([A-Za-z0-9_.-]+)\"?.*/\1/p" | head -n 1; }

# new_wave QUOTA GROUPS: makes and opens a wave; leaves its number in $wave.
new_wave() {
  local opens closes answer
  # Planned for later and opened by hand: at its own time it would open by itself.
  opens=$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)
  closes=$(date -u -d '+3 days' +%Y-%m-%dT%H:%M:%SZ)
  answer=$(operator POST /v1/operator/waves "{\"scheme\":\"$scheme\",\"opens_at\":\"$opens\",\
\"closes_at\":\"$closes\",\"quota\":$1,\"minimum_per_region\":10,\"groups\":$2}")
  wave=$(member number <<<"$answer")
  [ -n "$wave" ] || { echo "bench: no wave in: $answer" >&2; return 1; }
  operator POST "/v1/operator/waves/$wave/open" >/dev/null
  wait_for_state "$wave" open
}

wait_for_state() {
  local end=$((SECONDS + 300)) state=
  while [ $SECONDS -lt $end ]; do
    state=$(curl -sS -m 10 "$node_url/v1/waves/$1" | member state)
    [ "$state" != "$2" ] || return 0
    sleep 0.02
  done
  echo "bench: wave $1 is $state, not $2" >&2
  return 1
}
