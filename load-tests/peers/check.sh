# shellcheck shell=bash disable=SC2154
# Before anything is measured: that a row which answers HTTP keeps the promise that is measured.
# Sourced by run.sh.

people=20

# click ROW NUMBER: prints the status and the body.
click() {
  curl -sS -m 20 -X POST -w '\n%{http_code}' -H "Authorization: Bearer $(sed -n "$2p" "$(tokens_for "$1")")" \
    "${url[$1]}$join_path" | awk '{line[NR] = $0} END {print line[NR], line[NR - 1]}'
}

clicks() {
  local number
  for ((number = 1; number <= people; ++number)); do click "$1" "$number"; done
}

broken() { echo "peers: $1 $2" >&2; exit 1; }

# check ROW: a click each is 201, again 200 with the same receipt, also after kill -9 of everything; a
# forged token is 401; and the disk's cache was flushed at least once for each click that came alone.
check() {
  local row=$1 first again after flushes flushed
  fresh "$row"
  read -r _ flushes < <(disk_counts)
  first=$(clicks "$row")
  read -r _ flushed < <(disk_counts)
  [ "$(grep -c '^201 ' <<<"$first")" = $people ] || broken "$row" "does not answer 201 to a first click: $first"
  [ $((flushed - flushes)) -ge $people ] || [ "$flushed" = 0 ] ||
    broken "$row" "flushed the disk $((flushed - flushes)) times for $people joins one after the other"
  again=$(clicks "$row")
  [ "$again" = "${first//201 /200 }" ] || broken "$row" "does not answer a second click with 200 and the same receipt"
  [ "$(forged_click "$row")" = 401 ] || broken "$row" "takes a forged token"
  kill_all "$row"
  start_for "$row"
  after=$(clicks "$row")
  [ "$after" = "$again" ] || broken "$row" "has lost joins after kill -9: $after"
}

forged_click() {
  local token
  token=$(sed -n 1p "$(tokens_for "$1")")
  # The signature's first character is another one.
  token=${token%.*}.$(tr 'A-Za-z' 'B-ZAb-za' <<<"${token##*.}")
  curl -sS -m 20 -o /dev/null -w '%{http_code}' -X POST -H "Authorization: Bearer $token" "${url[$1]}$join_path"
}
