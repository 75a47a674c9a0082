/* The contract that replication.pml rests on: while a node takes its lease for valid, it is valid in etcd. One lease, its holder, and
 * etcd; two requests and two answers may be under way at a time, each for any time, or lost. A holder that is frozen, or does not
 * get through, is one that takes no step while time passes. Time is in ticks of etcd's clock. */

#ifndef TTL
#define TTL 9 /* etcd ends a lease no earlier than this after it was granted or renewed */
#endif
#ifdef MARGIN_TOO_SMALL /* its clock may lose two in that time */
#define TERM 8
#else
#define TERM 7 /* ticks of its own clock for which the holder takes a lease for valid, from sending the request on */
#endif
#ifdef CLOCK_STOPS /* a suspended machine whose clock does not count the time */
#define TICKS_BETWEEN_LOSSES 0
#else
#define TICKS_BETWEEN_LOSSES 4 /* the holder's clock loses at most one tick in so many */
#endif
#define UNDER_WAY 2
#define OLDEST 11 /* ticks after which more make no difference */

bool granted;                   /* etcd has the lease */
bool ended;                     /* and will never have it again: another lease has another id */
byte etcd_left;                 /* ticks for which etcd must keep it */
byte own_left;                  /* ticks of its own clock for which the holder takes it for valid */
byte request[UNDER_WAY];        /* 1 + ticks of the holder's clock since it was sent; 0: none */
byte answer[UNDER_WAY];         /* 1 + ticks of the holder's clock since its request was sent; 0: none */
byte since_loss = TICKS_BETWEEN_LOSSES;

#ifdef WITNESS
#define RENEWED 1
#define ENDED_IN_ETCD 2
#define USELESS_ANSWER 3
#define REGAINED 4
bool was_valid;
hidden byte unseen;
#define WITNESSED(name, condition) unseen = !(WITNESS == name && (condition)); assert(unseen)
#else
#define WITNESSED(name, condition) skip
#endif

#define LEFT_BEHIND(age) ((age) < TERM -> TERM - (age) : 0)
#define DOWN(left) left = ((left) > 0 -> (left) - 1 : 0)
#define OLDER(age) age = ((age) > 0 && (age) < OLDEST -> (age) + 1 : (age))

inline own_tick() {
  DOWN(own_left);
  OLDER(request[0]); OLDER(request[1]); OLDER(answer[0]); OLDER(answer[1])
}

hidden byte valid_where_it_is_taken_for_valid;

/* Every state is one in which the holder might look. */
inline look() {
  valid_where_it_is_taken_for_valid = (own_left == 0 || granted);
  assert(valid_where_it_is_taken_for_valid)
}

active proctype time() {
end:
  do
  :: d_step { DOWN(etcd_left); own_tick();
       since_loss = (since_loss < TICKS_BETWEEN_LOSSES -> since_loss + 1 : since_loss); look() }
  :: d_step { since_loss >= TICKS_BETWEEN_LOSSES -> DOWN(etcd_left); since_loss = 0; look() }
  od
}

#define ETCD_ANSWERS(i, j) \
  :: d_step { request[i] && !answer[j] && !ended -> \
       granted = true; etcd_left = TTL; answer[j] = request[i]; request[i] = 0; look() }

active proctype etcd() {
end:
  do
  ETCD_ANSWERS(0, 0) ETCD_ANSWERS(0, 1) ETCD_ANSWERS(1, 0) ETCD_ANSWERS(1, 1)
  :: d_step { granted && etcd_left == 0 -> granted = false; ended = true; WITNESSED(ENDED_IN_ETCD, true); look() }
  od
}

#ifdef COUNTS_FROM_ANSWER /* from when the answer came, not from when the request was sent */
#define LEFT_BY(j) TERM
#else
#define LEFT_BY(j) LEFT_BEHIND(answer[j] - 1)
#endif

inline take(j) {
  WITNESSED(RENEWED, own_left > 0 && LEFT_BY(j) > own_left);
  WITNESSED(USELESS_ANSWER, LEFT_BY(j) == 0 && ended);
#ifdef WITNESS
  WITNESSED(REGAINED, was_valid && own_left == 0 && LEFT_BY(j) > 0);
  was_valid = true;
#endif
  own_left = (LEFT_BY(j) > own_left -> LEFT_BY(j) : own_left);
  answer[j] = 0;
  look()
}

active proctype holder() {
end:
  do
  :: d_step { !request[0] -> request[0] = 1 }
  :: d_step { request[0] && !request[1] -> request[1] = 1 }
  :: d_step { answer[0] -> take(0) }
  :: d_step { answer[1] -> take(1) }
  :: d_step { request[0] -> request[0] = 0 } /* lost */
  :: d_step { request[1] -> request[1] = 0 }
  :: d_step { answer[0] -> answer[0] = 0 }
  :: d_step { answer[1] -> answer[1] = 0 }
  od
}
