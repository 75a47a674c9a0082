/* What the search must come across, or it would prove nothing. A build with -DWITNESS=NAME claims that NAME never happens, and
 * check.sh expects the verifier to find that it does. What this needs to remember is no part of other builds. */

#define ACKNOWLEDGED_AFTER_ELECTION 1
#define ACKNOWLEDGED_AFTER_HAND_OVER 2
#define ACKNOWLEDGED_WITH_A_RETURNED_BACKUP 3
#define ACKNOWLEDGED_BY_A_RETURNED_PRIMARY 4
#define ACKNOWLEDGED_BESIDE_A_FROZEN_PRIMARY 5
#define COMMITTED_BY_A_DEPOSED_PRIMARY 6
#define SUFFIX_CUT 7
#define FRAMES_LOST_BY_A_CRASH 8
#define READ_WHERE_WRITES_ARE_REFUSED 9
#define ANSWERED_AFTER_THE_LEASE 10

#ifdef WITNESS
byte returned;                /* who was taken out of the set and has come back */
bool handed_over[EPOCHS + 1]; /* epochs that began with a hand-over */
hidden byte unseen;
#define WITNESSED(name, condition) unseen = !(WITNESS == name && (condition)); assert(unseen)
#else
#define WITNESSED(name, condition) skip
#endif

inline has_returned(r) {
#ifdef WITNESS
  returned = returned | (1 << (r))
#else
  skip
#endif
}

inline was_handed_over() {
#ifdef WITNESS
  handed_over[epoch] = true
#else
  skip
#endif
}
