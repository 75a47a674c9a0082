#!/usr/bin/env bash
# start.sh DIR KEY PORT: compiles the server into DIR and becomes it; its log is kept in DIR too.
set -euo pipefail
directory=$1 key=$2 port=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$directory"
erlc -W -Werror +inline -o "$directory" "$here"/*.erl
cd "$directory"
# The schedulers spin while they wait, as by default: without (+sbwt none) it was slower.
exec erl +P 8000000 -noinput -boot start_clean -pa "$directory" \
  -s join_server main "$directory" "$key" "$port"
