/* What must hold in every state. `observe` is the end of every step. Each claim has a name, which is what the verifier says. */

hidden byte heir_has_what_was_committed;
hidden byte cut_keeps_what_is_known_committed;
hidden byte committed_logs_agree;
hidden byte no_older_primary_acknowledges;
hidden byte read_shows_what_was_shown;
hidden byte committed_is_durable_in_the_set;
hidden byte frame_fits_what_stands_before_it;

#define CLAIM(name, condition) name = (condition); assert(name)

/* The newest primary has, from the beginning, whatever anybody was entitled to acknowledge. */
inline heir_has_all(n, e) {
  CLAIM(heir_has_what_was_committed, e < epoch || COMMON(log[n], committed) == LENGTH(committed))
}

/* What a node knows to be committed may be in its rows already, where nothing can be undone. */
inline may_keep(r, kept) {
  CLAIM(cut_keeps_what_is_known_committed, kept >= known[r])
}

/* A backup learns it from its epoch's primary, at once, as knowing it later is knowing less. */
inline observe_backup(r) {
  if
  :: !reigns[r] && promised[r] && IN_OFFICE(promised[r]) ->
     other = primary_of[promised[r]];
     count = SMALLER(synced[r], ENTITLED(other));
     known[r] = IN_ROWS(r, count)
  :: else
  fi
}

/* Clients see as much as they can as early as they can: whatever they may see later is then no news. */
inline observe_primary(n) {
  if
  :: reigns[n] ->
     count = SMALLER(ENTITLED(n), LENGTH(log[n]));
     common = SMALLER(count, LENGTH(committed));
     CLAIM(committed_logs_agree, PREFIX(log[n], common) == PREFIX(committed, common));
     known[n] = IN_ROWS(n, count);
     if
     :: count > LENGTH(committed) ->
        WITNESSED(COMMITTED_BY_A_DEPOSED_PRIMARY, promised[n] < epoch && IN_OFFICE(epoch));
        committed = PREFIX(log[n], count)
     :: else
     fi;
     if
     :: ACKNOWLEDGES(n) && SIZE(waits_for[n]) >= WRITE_SET_MIN && count > inherited[n] ->
        /* Nobody acknowledges once a newer primary has. */
        CLAIM(no_older_primary_acknowledges, promised[n] >= acknowledged_in);
        acknowledged_in = promised[n];
        WITNESSED(ACKNOWLEDGED_AFTER_ELECTION, promised[n] > 1 && !handed_over[promised[n]]);
        WITNESSED(ACKNOWLEDGED_AFTER_HAND_OVER, handed_over[promised[n]]);
        WITNESSED(ACKNOWLEDGED_WITH_A_RETURNED_BACKUP, returned & in_sync & waits_for[n] & ~(1 << n));
        WITNESSED(ACKNOWLEDGED_BY_A_RETURNED_PRIMARY, HAS(returned & in_sync, n));
        WITNESSED(ACKNOWLEDGED_BESIDE_A_FROZEN_PRIMARY, reigns[0] + reigns[1] + reigns[2] > 1);
        shown = GREATER(shown, count)
     :: else
     fi;
     if
     :: ANSWERS_READS(n) && (count >= inherited[n] || !READS_WAIT) ->
        /* A read shows at least what anybody has seen before it. */
        CLAIM(read_shows_what_was_shown, count >= shown);
        WITNESSED(READ_WHERE_WRITES_ARE_REFUSED, SIZE(waits_for[n]) < WRITE_SET_MIN && count > 0);
        shown = count
     :: else
     fi
  :: else
  fi
}

/* Two nodes agree on what both take for committed, whether they are or were primary or not. */
inline observe_known(r) {
  common = SMALLER(known[r], LENGTH(committed));
  CLAIM(committed_logs_agree, PREFIX(log[r], common) == PREFIX(committed, common))
}

/* Whatever may have been acknowledged is on the disk of every member of the set. */
inline observe_member(r) {
  if
  :: HAS(in_sync, r) ->
     count = LENGTH(committed);
     CLAIM(committed_is_durable_in_the_set, synced[r] >= count && PREFIX(log[r], count) == committed)
  :: else
  fi
}

/* What can't reach anybody any more is forgotten, so that states that differ in nothing else are one. */
inline forget(e) {
  if
  :: promised[0] > e && promised[1] > e && promised[2] > e ->
     sent[e] = 0;
     primary_of[e] = 0;
     named_with[e] = 0
  :: else
  fi
}

inline forget_request(n) {
  if
  :: asked[n] < HAND_OVER && promised[n] < epoch -> asked[n] = NOTHING
  :: else
  fi
}

inline observe() {
  watched = 0;
  do
  :: watched < NODES -> observe_primary(watched); forget_request(watched); watched++
  :: else -> break
  od;
  watched = 0;
  do
  :: watched < NODES -> observe_member(watched); observe_backup(watched); observe_known(watched); watched++
  :: else -> break
  od;
  watched = 1;
  do
  :: watched < EPOCHS -> forget(watched); watched++
  :: else -> break
  od;
  watched = 0 /* a d_step may not end with a loop */
}
