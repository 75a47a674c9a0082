#!/usr/bin/env bash
# The rules of the house that a compiler does not check. Without arguments all of them, otherwise
# those named. Prints each place where one does not hold; exits 1 if there is any.
#   tests/repo/house_rules.sh [layers] [pure_rules] [unfinished] [machine_paths] [honest_tests]
#                             [file_length] [function_length] [readmes]
# HOUSE_ROOT names another tree: the test of these rules plants faults in one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "${HOUSE_ROOT:-$here/../..}"

file_lines_max=500
function_lines_max=70
all_rules=(layers pure_rules unfinished machine_paths honest_tests file_length function_length readmes)

files_in() {
  local folder existing=()
  for folder in "$@"; do [ ! -e "$folder" ] || existing+=("$folder"); done
  [ ${#existing[@]} -eq 0 ] || find "${existing[@]}" -type f
}

sources() { files_in actors net storage load-tests tests main.cpp | grep -E '\.(cpp|hpp)$' | sort || true; }
texts() { { sources; files_in actors net storage config load-tests tests docs dev .ci README.md ARCHITECTURE.md CMakeLists.txt |
  grep -E '\.(sh|lua|md|toml|proto|txt|yml|json)$|/run$|^dev$' || true; } | sort -u; }

# places PATTERN: "file:line: text" for each match in the files given on standard input.
places() { xargs -r -d '\n' grep -nHE -- "$1" || true; }

# Calls go down only: net → actors → storage.
layers() {
  sources | grep '^storage/' | places '#include "(actors|net)/' || true
  sources | grep '^actors/' | places '#include "net/' || true
}

# What may happen, and what follows from it, is plain C++: it can be read, tested and simulated
# without anything that runs it.
pure_rules() {
  local files
  # What runs the rules: the same files that CMakeLists.txt keeps out of gelombang_rules.
  files=$(sources | grep '^actors/' | grep -vE '^actors/(runtime/|interfaces\.hpp)|(actor|desk|job_queue|seeding|recount)\.[ch]pp$' || true)
  places '#include [<"](caf|boost/asio|boost/beast|rocksdb|spdlog)/' <<<"$files"
  places '#include "actors/(runtime/|interfaces\.hpp|[a-z_/]*(actor|desk)\.hpp)' <<<"$files"
  { grep -v '^actors/programme/' <<<"$files" || true; } |
    places 'std::random_device|std::mt19937|_clock::now\(|randombytes|[^_a-z]time\((0|NULL|nullptr)\)'
}

# Half a thing is finished or left out, never marked.
unfinished() {
  local words='TO''DO|FIX''ME|XX''X|HA''CK|not implem''ented|unimplem''ented|for n''ow\b|place''holder'
  { texts; sources; } | sort -u | places "\b($words)\b"
}

machine_paths() {
  { texts; sources; } | sort -u | places '(^|[^A-Za-z0-9_./])/(ro''ot|ho''me|wo''rk)/'
}

# A test waits for the event, not for the clock, and can fail.
honest_tests() {
  local shortcuts='sleep_for|sleep_until|usl''eep\(|[^_a-z]sl''eep\(|EXPECT_TRUE\(true\)|SUC''CEED\(\)|GTEST_SK''IP|DISAB''LED_'
  sources | grep '^tests/' | places "$shortcuts" || true
}

file_length() {
  sources | while read -r file; do
    local lines
    lines=$(wc -l <"$file")
    [ "$lines" -le $file_lines_max ] || echo "$file:1: $lines lines, more than $file_lines_max"
  done
}

# A function that is one switch and nothing else is a table, and may be as long as what it lists.
function_length() {
  sources | xargs -r -d '\n' awk -v max=$function_lines_max '
    FNR == 1 { start = 0 }
    # A definition, or a member in a class: from the line that opens its body to the brace below it.
    !start && /^( {2})?[A-Za-z_~].*[)a-z>&] \{$/ &&
      !/^ *(namespace|class|struct|enum|union|extern|else|do|try|switch|for|while|if)[ {(]/ {
      start = FNR; match($0, /^ */); indent = RLENGTH; statements = 0; table = 0; next
    }
    start {
      match($0, /^ */)
      if (RLENGTH == indent + 2) ++statements
      if (FNR == start + 1 && /^ *switch \(/) table = 1
    }
    start && /^ *\}/ && RLENGTH <= indent {
      if (FNR - start > max && !(table && statements <= 3))
        printf "%s:%d: a function of %d lines\n", FILENAME, start, FNR - start
      start = 0
    }'
}

# The folder is the table of contents.
readmes() {
  local folder
  { sources | xargs -r -d '\n' dirname | grep -vE '^(\.|tests/.*)$'
    files_in config docs | xargs -r -d '\n' dirname; } | sort -u |
    while read -r folder; do
      [ -f "$folder/README.md" ] || echo "$folder: no README.md"
    done
}

main() {
  local rule found broken=0
  [ $# -gt 0 ] || set -- "${all_rules[@]}"
  for rule in "$@"; do
    [[ " ${all_rules[*]} " == *" $rule "* ]] || { echo "house_rules: no rule '$rule'" >&2; exit 2; }
    found=$("$rule")
    [ -n "$found" ] || continue
    broken=1
    printf '%s does not hold:\n%s\n' "$rule" "$found"
  done
  return $broken
}

main "$@"
