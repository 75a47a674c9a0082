#!/usr/bin/env bash
# start.sh DIR: becomes a PostgreSQL server with its data and socket in DIR, made if it is not there.
# Run as root, it becomes the user postgres: PostgreSQL refuses to be root.
set -euo pipefail
directory=$1
bin=/usr/lib/postgresql/15/bin
runner=()
mkdir -p "$directory"
cd "$directory"
if [ "$(id -u)" = 0 ]; then
  chown postgres "$directory"
  runner=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi
[ -d "$directory/data" ] || "${runner[@]}" "$bin/initdb" -D "$directory/data" -A trust -U postgres
settings=(
  listen_addresses=
  fsync=on synchronous_commit=on full_page_writes=on
  max_connections=400
  shared_buffers=2GB
  # No checkpoint and no vacuum in the midst of a run: what they cost is left out, which favours it.
  max_wal_size=16GB checkpoint_timeout=1h autovacuum=off
)
exec "${runner[@]}" "$bin/postgres" -D "$directory/data" -k "$directory" "${settings[@]/#/--}"
