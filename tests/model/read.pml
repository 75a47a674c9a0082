/* One read, step by step: it arrives, the primary looks at its lease, and answers; it may be frozen in between, and the answer may
 * be long on its way. Built with -DREADS_STEP_BY_STEP. In other builds a read is one step: `observe_primary`. */

#ifdef READS_STEP_BY_STEP
#define NO_READ 0
#define ARRIVED 1
#define LEASE_SEEN 2
byte read_stage;
byte read_at;    /* the node */
byte read_floor; /* how much had been shown when it arrived */

#ifdef CHECKS_BEFORE_ARRIVAL /* the lease was looked at before the read arrived: a flag that a timer sets */
#define ARRIVES(n) (read_stage == LEASE_SEEN && read_at == n)
#define CHECKS(n) (read_stage == NO_READ && reigns[n])
#define REPLIES(n) (read_stage == ARRIVED && read_at == n)
#else
#define ARRIVES(n) (read_stage == NO_READ && reigns[n])
#define CHECKS(n) (read_stage == ARRIVED && read_at == n)
#define REPLIES(n) (read_stage == LEASE_SEEN && read_at == n)
#endif

#define READ_STEPS \
  :: d_step { ARRIVES(n) -> read_stage = ARRIVED; read_at = n; read_floor = shown; printf("%d: a read arrives\n", n) } \
  :: d_step { CHECKS(n) && ANSWERS_READS(n) && ALL_HAVE(n) >= inherited[n] -> read_stage = LEASE_SEEN; read_at = n; \
       printf("%d: sees its lease\n", n) } \
  :: d_step { REPLIES(n) -> \
       CLAIM(answer_shows_what_was_shown, ALL_HAVE(n) >= read_floor); \
       WITNESSED(ANSWERED_AFTER_THE_LEASE, !lease[n] && shown > ALL_HAVE(n)); \
       shown = GREATER(shown, ALL_HAVE(n)); read_stage = NO_READ; read_at = 0; read_floor = 0; observe() }

hidden byte answer_shows_what_was_shown;
#else
#define READ_STEPS
#endif

/* Who stops to be the primary answers nobody any more. */
inline drop_read(n) {
#ifdef READS_STEP_BY_STEP
  if
  :: read_stage != NO_READ && read_at == n -> read_stage = NO_READ; read_at = 0; read_floor = 0
  :: else
  fi
#else
  skip
#endif
}
