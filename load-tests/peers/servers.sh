# shellcheck shell=bash disable=SC2154,SC2034
# A function to start each peer, one to empty it before a run, and what runs for it.
# Sourced by run.sh after load-tests/bench_processes.sh, which starts and ends by process id.

workers=2           # of Fastify; run.sh sets it to the number of cores
peer_wave=0         # the peers' last wave: each run joins a wave of its own
declare -A url      # row → where it answers HTTP
token_key=$(printf '%064d' 20200411)   # the peers'; gelombang has its own

# start_for ROW: starts what the row needs and is not under way.
start_for() {
  case $1 in
    postgres) [ -n "${postgres_pid:-}" ] || start_peer_postgres ;;
    redis) [ -n "${redis_pid:-}" ] || start_redis ;;
    fastify_postgres) start_for postgres && start_fastify postgres "$room/postgres" ;;
    fastify_redis) start_for redis && start_fastify redis "$room/redis/socket" ;;
    erlang) start_erlang ;;
    gelombang) start_ready_node "$room/data" && url[gelombang]=$node_url ;;
  esac
}

start_peer_postgres() {
  local made=yes
  [ -d "$room/postgres/data" ] || made=no
  start postgres "$here/postgres/start.sh" "$room/postgres"
  postgres_pid=$started
  answers postgres "$postgres_pid" sql 'select 1'
  [ "$made" = yes ] || sql "$(cat "$here/postgres/schema.sql")"
}

start_redis() {
  start redis "$here/redis/start.sh" "$room/redis"
  redis_pid=$started
  answers redis "$redis_pid" redis ping
}

redis() { redis-cli -s "$room/redis/socket" "$@"; }

# start_fastify STORE ADDRESS
start_fastify() {
  local row=fastify_$1
  start "$row" "$here/fastify/start.sh" "$modules" "$1" "$2" "$token_key" "$(free_port)" "$workers"
  printf -v "${row}_pid" %s "$started"
  url[$row]=$(url_when_ready "$row" "$started")
}

start_erlang() {
  start erlang "$here/erlang/start.sh" "$room/erlang" "$token_key" "$(free_port)"
  erlang_pid=$started
  url[erlang]=$(url_when_ready erlang "$erlang_pid")
}

# roots_of ROW: the processes under which everything runs that serves the row.
roots_of() {
  case $1 in
    postgres) echo "$postgres_pid" ;;
    redis) echo "$redis_pid" ;;
    fastify_postgres) printf '%s\n' "$fastify_postgres_pid" "$postgres_pid" ;;
    fastify_redis) printf '%s\n' "$fastify_redis_pid" "$redis_pid" ;;
    erlang) echo "$erlang_pid" ;;
    gelombang) echo "$node_pid" ;;
  esac
}

# tree_of PID...: these and all that they have started.
tree_of() {
  local pid children
  for pid in "$@"; do
    echo "$pid"
    read -ra children <<<"$(cat /proc/"$pid"/task/*/children 2>/dev/null | tr '\n' ' ')"
    [ ${#children[@]} -eq 0 ] || tree_of "${children[@]}"
  done
}

# kill_all ROW: what a power cut leaves of its processes; its data stays.
kill_all() {
  local roots all pid
  mapfile -t roots < <(roots_of "$1")
  mapfile -t all < <(tree_of "${roots[@]}")
  # The shell would report each of its own that was killed.
  { kill -KILL "${all[@]}" || true
    for pid in "${roots[@]}"; do end "$pid" KILL; done; } 2>/dev/null
  for pid in "${all[@]}"; do timeout 10 tail -f --pid="$pid" /dev/null; done
  case $1 in
    postgres | fastify_postgres) postgres_pid= ;;
    redis | fastify_redis) redis_pid= ;;
  esac
}

# fresh ROW: a wave that nobody has joined, in $join_path; what is left of the last one is gone.
fresh() {
  case $1 in
    gelombang)
      fresh_wave
      join_path=/v1/waves/$wave/join
      return ;;
    postgres | fastify_postgres) sql 'truncate joins' >/dev/null && sql checkpoint >/dev/null ;;
    redis | fastify_redis) redis unlink "wave:$peer_wave" >/dev/null ;;
  esac
  # The same wave for all peers would do; a number of its own for each run keeps Erlang's processes honest.
  peer_wave=$((peer_wave + 1))
  join_path=/v1/waves/$peer_wave/join
  settle "$1"
}

tokens_for() { if [ "$1" = gelombang ]; then echo "$room/tokens"; else echo "$room/peer-tokens"; fi; }
