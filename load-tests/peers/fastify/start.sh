#!/usr/bin/env bash
# start.sh MODULES STORE ADDRESS KEY PORT WORKERS: becomes the server. MODULES is a copy of this
# folder after `npm ci`; STORE is postgres or redis, ADDRESS its socket.
set -euo pipefail
modules=$1 store=$2 address=$3 key=$4 port=$5 workers=$6
# Connections of each worker to PostgreSQL, together 32: 16, 64 and 128 were no faster.
connections=$((32 / workers))
cd "$modules"
NODE_ENV=production exec node server.mjs --store "$store" --address "$address" --key "$key" --port "$port" \
  --workers "$workers" --connections "$connections"
