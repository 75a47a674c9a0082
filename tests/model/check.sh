#!/usr/bin/env bash
# Checks the models in this folder with spin: whole state spaces, nothing sampled.
#   tests/model/check.sh [replication] [reads] [one_copy] [lease] [mutations] [witnesses]
# Without arguments all of them. GELOMBANG_MODEL=long takes larger bounds as well.
# Exits 1 if a claim is violated, a search could not be finished, or a mutation or witness was not found.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

is_long() { [ "${GELOMBANG_MODEL:-}" = long ]; }
memory_mb=$(is_long && echo 8000 || echo 4000)

# The mutations of mutations.pml and read.pml; four need two frames to do harm.
mutations_of_one_frame=(WITHOUT_FENCING ACKNOWLEDGES_EARLY ELECTS_ANYBODY ELECTS_DURING_LEASE READS_WITHOUT_LEASE
  SERVES_WHILE_HANDING_OVER LEASE_REVIVES_REIGN CUTS_ALL ADDS_LAGGING ADDS_WITHOUT_INHERITED ADDS_BEFORE_WAITING
  GIVES_UP_ADDING REMOVES_UNASKED FORGETS_PROMISE READS_INHERITED CHECKPOINTS_AHEAD)
mutations_of_two_frames=(ACKNOWLEDGES_WITHOUT_LEASE KEEPS_SUFFIX CUTS_BY_LENGTH RESUMES_REIGN)
mutations_of_reads=(CHECKS_BEFORE_ARRIVAL)
mutations_of_lease=(MARGIN_TOO_SMALL COUNTS_FROM_ANSWER CLOCK_STOPS)

witnesses=(ACKNOWLEDGED_AFTER_ELECTION ACKNOWLEDGED_AFTER_HAND_OVER ACKNOWLEDGED_WITH_A_RETURNED_BACKUP
  ACKNOWLEDGED_BY_A_RETURNED_PRIMARY ACKNOWLEDGED_BESIDE_A_FROZEN_PRIMARY COMMITTED_BY_A_DEPOSED_PRIMARY SUFFIX_CUT
  FRAMES_LOST_BY_A_CRASH READ_WHERE_WRITES_ARE_REFUSED)
witnesses_of_reads=(ANSWERED_AFTER_THE_LEASE)
witnesses_of_lease=(RENEWED ENDED_IN_ETCD USELESS_ANSWER REGAINED)

fail() { echo "FAILED: $*"; failures=$((failures + 1)); }

# search OPTIMISE HASH_BITS MODEL [-DNAME...]: makes the verifier, runs it, and leaves what it said in $scratch/said.
search() {
  local optimise=$1 hash_bits=$2 model=$3
  shift 3
  rm -rf "$scratch/pan"
  mkdir "$scratch/pan"
  cd "$scratch/pan"
  spin "$@" -a "$here/$model.pml" >../spin.log 2>&1 || { cat ../spin.log; echo "spin does not take $model.pml $*"; exit 1; }
  "${CC:-cc}" "$optimise" -w -DSAFETY -DNOREDUCE -DNOFAIR -DMEMLIM="$memory_mb" ${bounds_unchecked:+-DNOBOUNDCHECK} -o pan pan.c
  ./pan -w"$hash_bits" -m2000000 >../said 2>&1 || true
}

violated() { sed -n 's/^pan:[0-9]*: assertion violated \(.*\) (at depth [0-9]*)$/\1/p' "$scratch/said" | head -n 1 | cut -c1-60; }
finished() {
  grep -q 'errors: 0$' "$scratch/said" && ! grep -qE 'too small|not completed|out of memory|memory limit' "$scratch/said"
}
figure() {
  awk -v what="$1" '$0 ~ what {for (i = 1; i <= NF; ++i) if ($i ~ /^[0-9.e+]+$/) {printf "%.10g", $i; exit}}' "$scratch/said"
}

# The steps that led to the violation, as the model's printf tell them.
counterexample() {
  spin -t -k "$scratch/pan/$1.pml.trail" "${@:2}" "$here/$1.pml" 2>&1 | grep -E '^ +[a-z0-9]+:? ' | grep -v ' = ' || true
}

# holds HASH_BITS MODEL [-DNAME...]: the whole space is searched, and every claim holds.
holds() {
  local hash_bits=$1 model=$2
  shift 2
  search -O2 "$hash_bits" "$model" "$@"
  if finished; then
    echo "$model $*: holds in all $(figure 'states, stored') states," \
      "$(figure 'elapsed time') s, $(figure 'total actual memory') MB"
  elif [ -n "$(violated)" ]; then
    fail "$model $*: $(violated)"
    counterexample "$model" "$@"
  else
    fail "$model $*: the search was not finished"
    tail -n 30 "$scratch/said"
  fi
}

# finds WHAT MODEL -DNAME...: the search comes across what a witness has `unseen`, or else a violated claim.
finds() {
  local what=$1 model=$2
  shift 2
  search -O0 22 "$model" "$@"
  if [ -n "$(violated)" ] && [ "$what" = "$([ "$(violated)" = unseen ] && echo witness || echo mutation)" ]; then
    echo "$model $*: found after $(figure 'states, stored') states: $(violated)"
  elif finished; then
    fail "$model $*: not found"
  else
    fail "$model $*: neither found nor finished, or something else was found"
    tail -n 30 "$scratch/said"
  fi
}

# Once with the verifier's own checks of array bounds, and then, as they cost half of the speed, without.
replication() {
  holds 22 replication -DEPOCHS=2 -DFRAMES=2
  bounds_unchecked=1 holds 26 replication -DEPOCHS=3 -DFRAMES=2
  if is_long; then
    bounds_unchecked=1 holds 26 replication -DEPOCHS=4 -DFRAMES=1
    bounds_unchecked=1 holds 25 replication -DEPOCHS=2 -DFRAMES=3
  fi
}

reads() { bounds_unchecked=1 holds 24 replication -DREADS_STEP_BY_STEP -DEPOCHS=3 -DFRAMES=1; }

one_copy() { bounds_unchecked=1 holds 24 replication -DWRITE_SET_MIN=1 -DEPOCHS=3 -DFRAMES=1; }

lease() { holds 22 lease; }

mutations() {
  local name
  for name in "${mutations_of_one_frame[@]}"; do finds mutation replication -D"$name" -DEPOCHS=3 -DFRAMES=1; done
  for name in "${mutations_of_two_frames[@]}"; do finds mutation replication -D"$name" -DEPOCHS=3 -DFRAMES=2; done
  for name in "${mutations_of_reads[@]}"; do finds mutation replication -D"$name" -DREADS_STEP_BY_STEP -DEPOCHS=2 -DFRAMES=1; done
  for name in "${mutations_of_lease[@]}"; do finds mutation lease -D"$name"; done
}

witnesses() {
  local name
  for name in "${witnesses[@]}"; do finds witness replication -DWITNESS="$name" -DEPOCHS=3 -DFRAMES=1; done
  for name in "${witnesses_of_reads[@]}"; do
    finds witness replication -DWITNESS="$name" -DREADS_STEP_BY_STEP -DEPOCHS=2 -DFRAMES=1
  done
  for name in "${witnesses_of_lease[@]}"; do finds witness lease -DWITNESS="$name"; done
}

main() {
  command -v spin >/dev/null || { echo "there is no spin here: ./dev deps"; exit 1; }
  if [ $# -eq 0 ]; then
    set -- replication reads one_copy lease mutations witnesses
  fi
  local part
  for part in "$@"; do
    case $part in
      replication | reads | one_copy | lease | mutations | witnesses) "$part" ;;
      *) echo "check.sh: no part '$part'"; exit 2 ;;
    esac
  done
  [ "$failures" -eq 0 ] || { echo "$failures failed"; exit 1; }
}

main "$@"
