# shellcheck shell=bash disable=SC2154
# What the peers need: Debian's packages for the machine, npm's into the run's own room.
# Sourced by run.sh; needs $rows, $room, $here.

packages_of() {
  case $1 in
    postgres) echo postgresql-15 ;;
    redis) echo redis-tools ;;
    fastify_postgres) echo postgresql-15 nodejs npm ;;
    fastify_redis) echo redis-tools nodejs npm ;;
    erlang) echo erlang-base erlang-crypto nodejs ;;
    gelombang) echo curl ;;
  esac
}

# is_there PACKAGE: from Debian, or its program from elsewhere.
is_there() {
  case $1 in
    nodejs) command -v node ;;
    npm) command -v npm ;;
    *) [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
  esac >/dev/null
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

install_packages() {
  local row package missing=()
  for row in "${rows[@]}"; do
    for package in wrk $(packages_of "$row"); do
      is_there "$package" || [[ " ${missing[*]} " == *" $package "* ]] || missing+=("$package")
    done
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "peers: installing ${missing[*]}" >&2
  as_root apt-get install -y --no-install-recommends "${missing[@]}" >"$room/apt.out" 2>&1 || {
    tail -n 5 "$room/apt.out" >&2
    return 1
  }
}

# The versions of the lock file, into a copy of fastify/ that goes with the room.
install_modules() {
  modules=$room/fastify
  cp -r "$here/fastify" "$modules"
  (cd "$modules" && npm ci --ignore-scripts --cache "$room/npm-cache") >"$room/npm.out" 2>&1 || {
    tail -n 5 "$room/npm.out" >&2
    return 1
  }
  rm -rf "$room/npm-cache"
}
