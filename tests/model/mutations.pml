/* What each rule of the protocol comes down to in the model. A build with one of the names on the left breaks that rule, and
 * check.sh expects the verifier to find what follows. */

#ifdef WITHOUT_FENCING /* a backup takes frames of an epoch older than what it has promised */
#define FENCED 0
#else
#define FENCED 1
#endif

#ifdef ACKNOWLEDGES_EARLY /* the primary does not wait for the slowest of its set */
#define ENTITLED(n) GREATER(GREATER(SMALLER(WAITED(n, 0), WAITED(n, 1)), SMALLER(WAITED(n, 0), WAITED(n, 2))), \
  SMALLER(WAITED(n, 1), WAITED(n, 2)))
#else
#define ENTITLED(n) ALL_HAVE(n)
#endif

#ifdef ELECTS_ANYBODY /* a node outside the set becomes primary */
#define ELECTS_MEMBERS 0
#else
#define ELECTS_MEMBERS 1
#endif

#ifdef ELECTS_DURING_LEASE /* nobody waits for the old primary's lease to end */
#define LEASE_AWAITED 0
#else
#define LEASE_AWAITED 1
#endif

#define SERVES(n) (reigns[n] && lease[n] && asked[n] < HAND_OVER)
#ifdef READS_WITHOUT_LEASE /* the primary does not look at its lease before it answers a read */
#define ANSWERS_READS(n) (reigns[n] && asked[n] < HAND_OVER)
#elif defined(SERVES_WHILE_HANDING_OVER) /* ... nor stops when it has asked for a hand-over */
#define ANSWERS_READS(n) (reigns[n] && lease[n])
#else
#define ANSWERS_READS(n) SERVES(n)
#endif
#ifdef ACKNOWLEDGES_WITHOUT_LEASE /* nor before it acknowledges a write */
#define ACKNOWLEDGES(n) (reigns[n] && asked[n] < HAND_OVER)
#else
#define ACKNOWLEDGES(n) SERVES(n)
#endif

#ifdef LEASE_REVIVES_REIGN /* a lease taken anew counts for a reign that was won under the one before */
#define LEASE_REVIVES 1
#else
#define LEASE_REVIVES 0
#endif

#ifdef KEEPS_SUFFIX /* nothing is cut when an epoch begins */
#define CUT(r, e) LENGTH(log[r])
#elif defined(CUTS_BY_LENGTH) /* ... to the length of the primary's log, whatever stands there */
#define CUT(r, e) SMALLER(LENGTH(log[r]), LENGTH(sent[e]))
#elif defined(CUTS_ALL) /* everything is thrown away and asked for again */
#define CUT(r, e) 0
#else
#define CUT(r, e) common
#endif

#ifdef ADDS_LAGGING /* a node joins the set before it has caught up */
#define ADDED_WHEN_CAUGHT_UP 0
#else
#define ADDED_WHEN_CAUGHT_UP 1
#endif

#ifdef ADDS_WITHOUT_INHERITED /* caught up with what this primary has committed, but not with what it took over */
#define INHERITED_COUNTS 0
#else
#define INHERITED_COUNTS 1
#endif

#ifdef ADDS_BEFORE_WAITING /* a joining node is waited for only once etcd has answered */
#define WAITS_BEFORE_ADDING 0
#else
#define WAITS_BEFORE_ADDING 1
#endif

#ifdef GIVES_UP_ADDING /* a joining node is no longer waited for when no answer comes, though the request may yet arrive */
#define GIVES_UP 1
#else
#define GIVES_UP 0
#endif

#ifdef REMOVES_UNASKED /* a slow node is no longer waited for before etcd has taken it out */
#define WAITS_UNTIL_REMOVED 0
#else
#define WAITS_UNTIL_REMOVED 1
#endif

#ifdef RESUMES_REIGN /* a primary that crashed goes on in the same epoch */
#define RESUMES_AFTER_CRASH 1
#else
#define RESUMES_AFTER_CRASH 0
#endif

#ifdef FORGETS_PROMISE /* what epoch a node has joined is not on its disk */
#define PROMISE_KEPT 0
#else
#define PROMISE_KEPT 1
#endif

#ifdef READS_INHERITED /* a new primary answers reads before its set has what it took over */
#define READS_WAIT 0
#else
#define READS_WAIT 1
#endif

#ifdef CHECKPOINTS_AHEAD /* rows are written for whatever is on the node's own disk */
#define IN_ROWS(n, count) synced[n]
#else
#define IN_ROWS(n, count) GREATER(known[n], count)
#endif
