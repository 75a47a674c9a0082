#!/usr/bin/env bash
# The house rules find what they are for: each planted fault is named, and a clean tree is clean.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0

# fresh: an empty, clean tree.
fresh() {
  rm -rf "$tree"
  mkdir -p "$tree"/{actors/wave,actors/runtime,net,storage,tests/net,config}
  local folder
  for folder in actors/wave actors/runtime net storage config; do echo "Why." >"$tree/$folder/README.md"; done
  echo 'int one() { return 1; }' | tee "$tree/actors/wave/rules.cpp" "$tree/storage/journal.cpp" \
    "$tree/net/server.cpp" >/dev/null
}

# expect RULE PLACE: the rule fails and names the place.
expect() {
  local out
  if out=$(HOUSE_ROOT=$tree "$here/house_rules.sh" "$1"); then
    echo "$1: did not see $2"; failures=$((failures + 1))
  elif [[ $out != *"$2"* ]]; then
    echo "$1: did not name $2, but said: $out"; failures=$((failures + 1))
  fi
}

expect_clean() {
  HOUSE_ROOT=$tree "$here/house_rules.sh" "$@" || { echo "a clean tree is not"; failures=$((failures + 1)); }
}

lines() { seq -f 'int x%.0f;' "$1"; }
body() { printf 'int f() {\n'; seq -f '  x%.0f();' "$1"; printf '}\n'; }

# One switch, and behind it what is given.
long_switch() { printf 'int f() {\n  switch (x) {\n'; seq -f '    case %.0f: return 1;' 90; printf '  }\n%s\n%s\n  return 0;\n}\n' "$1" "$1"; }

fresh; expect_clean
fresh; echo '#include "actors/wave/rules.hpp"' >>"$tree/storage/journal.cpp"; expect layers storage/journal.cpp:2
fresh; echo '#include "net/server.hpp"' >>"$tree/actors/wave/rules.cpp"; expect layers actors/wave/rules.cpp:2
fresh; echo '#include "actors/wave/rules.hpp"' >>"$tree/net/server.cpp"; expect_clean layers
fresh; echo '#include <caf/all.hpp>' >>"$tree/actors/wave/rules.cpp"; expect pure_rules actors/wave/rules.cpp:2
fresh; echo '#include <caf/all.hpp>' >"$tree/actors/wave/actor.cpp"; expect_clean pure_rules
fresh; echo '#include "actors/wave/actor.hpp"' >>"$tree/actors/wave/rules.cpp"; expect pure_rules actors/wave/rules.cpp:2
fresh; echo 'auto t = std::chrono::steady_clock::now();' >>"$tree/actors/wave/rules.cpp"; expect pure_rules rules.cpp:2
fresh; echo "// TO""DO: the rest" >>"$tree/net/server.cpp"; expect unfinished net/server.cpp:2
fresh; echo "path = \"/ho""me/me/data\"" >"$tree/config/dev.toml"; expect machine_paths config/dev.toml:1
fresh; echo '  std::this_thread::sleep_for(1s);' >"$tree/tests/net/a_test.cpp"; expect honest_tests a_test.cpp:1
fresh; lines 501 >"$tree/net/server.cpp"; expect file_length net/server.cpp:1
fresh; lines 500 >"$tree/net/server.cpp"; expect_clean file_length
fresh; body 71 >"$tree/net/server.cpp"; expect function_length net/server.cpp:1
fresh; body 69 >"$tree/net/server.cpp"; expect_clean function_length
fresh; long_switch '' >"$tree/net/server.cpp"; expect_clean function_length
fresh; long_switch '  f();' >"$tree/net/server.cpp"; expect function_length net/server.cpp:1
fresh; rm "$tree/storage/README.md"; expect readmes storage

[ $failures -eq 0 ] || { echo "$failures failures"; exit 1; }
echo "every rule finds its fault"
