#!/usr/bin/env bash
# start.sh DIR KEY PORT: compiles the server into DIR and becomes it; its log is kept in DIR too.
set -euo pipefail
directory=$1 key=$2 port=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$directory"
erlc -W -Werror +inline -o "$directory" "$here"/*.erl
cd "$directory"
# Schedulers that spin while they wait would take their time from the generator on the same cores.
exec erl +P 8000000 +sbwt none +sbwtdcpu none +sbwtdio none -noinput -boot start_clean -pa "$directory" \
  -s join_server main "$directory" "$key" "$port"
