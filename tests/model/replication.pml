/* Replication of one shard on three nodes: README.md beside this file says what of, and how it is to be read.
 * Every option of a process is one step. What processes say to each other stands in `sent`, `primary_of` and `asked`, where it
 * may be late, overtaken, repeated or lost; and between any two steps of a node it may be frozen. */

#include "state.pml"
#include "mutations.pml"
#include "witnesses.pml"
#include "invariants.pml"
#include "read.pml"

#if EPOCHS == 2
#define EACH_EPOCH(option) option(1) option(2)
#elif EPOCHS == 3
#define EACH_EPOCH(option) option(1) option(2) option(3)
#else
#define EACH_EPOCH(option) option(1) option(2) option(3) option(4)
#endif

/* ---- the primary ------------------------------------------------------------------------------- */

inline end_reign(n) {
  reigns[n] = false;
  lease[n] = false;
  waits_for[n] = 0;
  inherited[n] = 0;
  acked[n] = 0;
  drop_read(n)
}

/* With the epoch's record the node syncs all that stands before it. The lease counts only if it is the one it was named under. */
inline take_office(n, e, set) {
  drop_read(n);
  printf("%d takes office in epoch %d, waits for %d, has %o\n", n, e, set, log[n]);
  asked[n] = NOTHING;
  acked[n] = 0;
  synced[n] = LENGTH(log[n]);
  promised[n] = e;
  reigns[n] = true;
  lease[n] = (e == epoch && leased);
  waits_for[n] = set;
  named_with[e] = 0;
  inherited[n] = LENGTH(log[n]);
  sent[e] = log[n];
  REPORT(n, n, synced[n])
}

inline write(n) {
  written++;
  printf("%d writes frame %d in epoch %d\n", n, written, promised[n]);
  log[n] = log[n] | (written << (3 * LENGTH(log[n])));
  sent[promised[n]] = log[n]
}

inline sync(n) {
  printf("%d syncs %o\n", n, log[n]);
  synced[n] = LENGTH(log[n]);
  REPORT(n, n, synced[n])
}

/* From before the change is asked for until it is known to have failed, a joining node is waited for; a leaving one until the
 * change is known to have been made. */
inline ask(n, change, r) {
  asked[n] = change + r;
  if
  :: change == ADD && WAITS_BEFORE_ADDING -> waits_for[n] = waits_for[n] | (1 << r)
  :: change == REMOVE && !WAITS_UNTIL_REMOVED -> waits_for[n] = waits_for[n] & ~(1 << r)
  :: else
  fi
}

#define FREE(n) (reigns[n] && asked[n] == NOTHING)
#define CAUGHT_UP(n, r) (ACKED(n, r) >= GREATER(ALL_HAVE(n), INHERITED_COUNTS * inherited[n]) || !ADDED_WHEN_CAUGHT_UP)

/* ---- the backup -------------------------------------------------------------------------------- */

/* The epoch's record: promise and cut are one write. Whoever reigned does no more. */
inline join(r, e) {
  common = COMMON(log[r], sent[e]);
  count = CUT(r, e);
  printf("%d joins epoch %d, keeps %d frames of %o\n", r, e, count, log[r]);
  may_keep(r, count);
  WITNESSED(SUFFIX_CUT, count < LENGTH(log[r]));
  end_reign(r);
  asked[r] = NOTHING;
  log[r] = PREFIX(log[r], count);
  synced[r] = count;
  promised[r] = e
}

inline receive(r, e) {
  count = LENGTH(log[r]);
  printf("%d has frame %d of epoch %d on disk\n", r, count + 1, e);
  CLAIM(frame_fits_what_stands_before_it, !FENCED || PREFIX(sent[e], count) == log[r]);
  log[r] = log[r] | (sent[e] & (7 << (3 * count)));
  synced[r] = count + 1
}

inline report(r, e) {
  printf("%d reports %d frames in epoch %d\n", r, synced[r], e);
  REPORT(primary_of[e], r, synced[r])
}

/* The process ends, at any moment, and is started again, at any later one. */
inline crash(n) {
  printf("%d crashes\n", n);
  end_reign(n);
  WITNESSED(FRAMES_LOST_BY_A_CRASH, synced[n] < LENGTH(log[n]));
  log[n] = PREFIX(log[n], synced[n]);
  promised[n] = PROMISE_KEPT * promised[n]
}

#define HAS_MEMORY(n) (reigns[n] || synced[n] < LENGTH(log[n]) || (!PROMISE_KEPT && promised[n]))

#define PEER_1 ((n + 1) % NODES)
#define PEER_2 ((n + 2) % NODES)

#define TAKE_OFFICE(e) \
  :: d_step { e <= epoch && primary_of[e] == n && named_with[e] && promised[n] < e -> \
       take_office(n, e, named_with[e]); heir_has_all(n, e); observe() }
/* Only a mutation. */
#define RESUME(e) \
  :: d_step { RESUMES_AFTER_CRASH && e == epoch && primary_of[e] == n && !reigns[n] && promised[n] == e && OPENED(e) -> \
       take_office(n, e, in_sync); observe() }
#define JOIN(e) \
  :: d_step { OPENED(e) && promised[n] < e && primary_of[e] != n -> join(n, e); observe() }
#define TAKES_PART(e) (promised[n] == e || (!FENCED && promised[n] > e))
#define RECEIVE(e) \
  :: d_step { OPENED(e) && TAKES_PART(e) && primary_of[e] != n && !reigns[n] && \
       LENGTH(log[n]) < LENGTH(sent[e]) -> receive(n, e); observe() }
#define SEND_REPORT(e) \
  :: d_step { TAKES_PART(e) && primary_of[e] != n && IN_OFFICE(e) && ACKED(primary_of[e], n) < synced[n] -> \
       report(n, e); observe() }
#define ASK(r) \
  :: d_step { FREE(n) && !HAS(waits_for[n], r) && CAUGHT_UP(n, r) -> \
       printf("%d asks to add %d\n", n, r); ask(n, ADD, r); observe() } \
  :: d_step { FREE(n) && HAS(waits_for[n], r) -> \
       printf("%d asks to remove %d\n", n, r); ask(n, REMOVE, r); observe() } \
  :: d_step { FREE(n) && HAS(waits_for[n], r) && epoch < EPOCHS -> \
       printf("%d asks to hand over to %d\n", n, r); ask(n, HAND_OVER, r); observe() }
/* Only a mutation: the request may be on its way still. */
#define GIVE_UP(r) \
  :: d_step { GIVES_UP && reigns[n] && asked[n] == ADD + r && HAS(waits_for[n], r) -> \
       printf("%d gives up on adding %d\n", n, r); waits_for[n] = waits_for[n] & ~(1 << r); observe() }

proctype node(byte n) {
end:
  do
  EACH_EPOCH(TAKE_OFFICE)
  EACH_EPOCH(JOIN)
  EACH_EPOCH(RECEIVE)
  EACH_EPOCH(SEND_REPORT)
  :: d_step { reigns[n] && written < FRAMES -> write(n); observe() }
  :: d_step { reigns[n] && synced[n] < LENGTH(log[n]) -> sync(n); observe() }
  ASK(PEER_1)
  ASK(PEER_2)
  :: d_step { HAS_MEMORY(n) -> crash(n); observe() }
  EACH_EPOCH(RESUME)
  GIVE_UP(PEER_1)
  GIVE_UP(PEER_2)
  READ_STEPS
  od
}

/* ---- etcd -------------------------------------------------------------------------------------- */

inline name(m, set) {
  epoch++;
  printf("etcd: epoch %d, primary %d, set %d\n", epoch, m, set);
  primary_of[epoch] = m;
  in_sync = set;
  named_with[epoch] = set;
  leased = true;
  if
  :: LEASE_REVIVES && reigns[m] -> lease[m] = true
  :: else
  fi
}

inline change(n) {
  if
  :: asked[n] < REMOVE ->
     other = asked[n] - ADD;
     in_sync = in_sync | (1 << other);
     asked[n] = NOTHING;
     has_returned(other);
     printf("etcd: %d is added\n", other)
  :: asked[n] >= REMOVE && asked[n] < HAND_OVER ->
     other = asked[n] - REMOVE;
     in_sync = in_sync & ~(1 << other);
     asked[n] = NOTHING;
     printf("etcd: %d is removed\n", other);
     if
     :: reigns[n] -> waits_for[n] = in_sync
     :: else
     fi
  :: else ->
     other = asked[n] - HAND_OVER;
     name(other, in_sync);
     was_handed_over()
  fi
}

/* A definite no, after which the request can't have an effect any more: as if it had not been asked. */
inline refuse(n) {
  printf("etcd: %d is refused\n", n);
  if
  :: asked[n] < REMOVE && reigns[n] -> other = asked[n] - ADD; waits_for[n] = waits_for[n] & ~(1 << other)
  :: else
  fi;
  asked[n] = NOTHING
}

#define STANDS(n) (primary_of[epoch] == n && promised[n] == epoch)

#define CHANGE(n) \
  :: d_step { asked[n] && STANDS(n) && (asked[n] < HAND_OVER || epoch < EPOCHS) -> change(n); observe() } \
  :: d_step { asked[n] && STANDS(n) -> refuse(n); observe() }
#define VACANT ((!leased || !LEASE_AWAITED) && epoch < EPOCHS)
/* Whoever is named, the one whose lease has ended may stay in the set or leave it. */
#define ELECT(m) \
  :: d_step { VACANT && (HAS(in_sync, m) || !ELECTS_MEMBERS) -> name(m, in_sync); observe() } \
  :: d_step { VACANT && HAS(in_sync, m) && primary_of[epoch] != m && HAS(in_sync, primary_of[epoch]) -> \
       other = primary_of[epoch]; name(m, in_sync & ~(1 << other)); observe() }

proctype etcd() {
end:
  do
  :: d_step { leased -> leased = false; other = primary_of[epoch]; printf("etcd: lease of epoch %d ends\n", epoch);
       if
       :: STANDS(other) -> lease[other] = false
       :: else
       fi;
       observe() }
  CHANGE(0) CHANGE(1) CHANGE(2)
  ELECT(0) ELECT(1) ELECT(2)
  od
}

init {
  d_step {
    epoch = 1;
    primary_of[1] = 0;
    in_sync = ALL;
    named_with[1] = ALL;
    leased = true
  }
  atomic { run node(0); run node(1); run node(2); run etcd() }
}
