#!/usr/bin/env bash
# start.sh DIR: becomes a Redis server with its data and socket in DIR.
set -euo pipefail
directory=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$directory"
cd "$directory"
# The server is in Debian's redis-tools under another name, and becomes what it is called;
# the package redis-server would start one of its own.
exec -a redis-server redis-check-rdb "$here/redis.conf" --dir "$directory" --unixsocket "$directory/socket"
