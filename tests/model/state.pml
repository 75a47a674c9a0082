/* The state of the replication model, and how it is packed. The words are those of README.md beside this file. */

#define NODES 3
#define ALL 7 /* the set of all nodes: a set is a bit for each node */

/* Bounds of the search. */
#ifndef EPOCHS
#define EPOCHS 3 /* epochs: EPOCHS - 1 elections and hand-overs together */
#endif
#ifndef FRAMES
#define FRAMES 2 /* frames that primaries write, over all epochs; at most 5 */
#endif
#ifndef WRITE_SET_MIN
#define WRITE_SET_MIN 2 /* a primary with fewer in sync, itself counted, acknowledges no write */
#endif

/* A frame is its number, 1 to FRAMES, never given twice. A log is the frames in it, three bits each, the oldest lowest. */
#define LENGTH(log) ((log) == 0 -> 0 : ((log) < 8 -> 1 : ((log) < 64 -> 2 : ((log) < 512 -> 3 : ((log) < 4096 -> 4 : 5)))))
#define PREFIX(log, n) ((log) & ((1 << (3 * (n))) - 1))
#define SMALLER(a, b) ((a) < (b) -> (a) : (b))
#define GREATER(a, b) ((a) > (b) -> (a) : (b))
/* How many frames from the oldest two numbers have in common, given what differs between them. */
#define EQUAL_FRAMES(x) ((x) & 7 -> 0 : ((x) & 63 -> 1 : ((x) & 511 -> 2 : ((x) & 4095 -> 3 : ((x) & 32767 -> 4 : 5)))))
#define COMMON(a, b) SMALLER(EQUAL_FRAMES((a) ^ (b)), LENGTH(a))

#define HAS(set, r) (((set) >> (r)) & 1)
#define SIZE(set) (HAS(set, 0) + HAS(set, 1) + HAS(set, 2))

/* On each node's disk. */
short log[NODES];     /* its frames; those behind `synced` only in memory */
byte synced[NODES];   /* how many frames a crash leaves */
byte promised[NODES]; /* the newest epoch it has taken part in: frames of older ones are refused */

/* In each node's memory: its reign, if it has one. It is the primary of epoch `promised`, as far as it knows. */
bool reigns[NODES];
bool lease[NODES];    /* the lease under which it was named still stands in etcd */
byte waits_for[NODES]; /* the set whose acknowledgements it waits for: never less than what etcd has in its epoch */
byte inherited[NODES]; /* how many frames it had when it took office */
short acked[NODES];   /* three bits a node: how much of this log the node has reported to be on its disk */

/* A change of etcd that a node has asked for and has no answer to: one at a time. */
#define NOTHING 0
#define ADD 1       /* + node */
#define REMOVE 4    /* + node */
#define HAND_OVER 7 /* + node */
byte asked[NODES];

/* etcd: one record for the shard, changed by compare-and-swap only. */
byte epoch;
byte in_sync;
bool leased; /* the lease of the primary that the record names */

/* What has been said to everybody, and may reach anybody at any time from then on, or never. */
byte primary_of[EPOCHS + 1]; /* whom etcd named for the epoch */
byte named_with[EPOCHS + 1]; /* the set it was named with; empty once it has taken office */
short sent[EPOCHS + 1];      /* the frames that the epoch's primary has sent: its log */

byte written; /* the number of the last frame */

/* What an observer who sees everything at once keeps; nothing above depends on it. */
short committed;      /* all frames that some primary has ever been entitled to acknowledge */
byte known[NODES];    /* how many of a node's frames it may know to be committed */
byte shown;           /* how many of them clients have seen, by an acknowledgement or a read */
byte acknowledged_in; /* the newest epoch in which a write was acknowledged */

#define ACKED(n, r) ((acked[n] >> (3 * (r))) & 7)
#define REPORT(n, r, count) acked[n] = (acked[n] & ~(7 << (3 * (r)))) | ((count) << (3 * (r)))
#define IN_OFFICE(e) (reigns[primary_of[e]] && promised[primary_of[e]] == (e))
#define OPENED(e) ((e) <= epoch && named_with[e] == 0)

/* What a primary may call committed: what everybody it waits for has on disk. */
#define WAITED(n, r) (HAS(waits_for[n], r) -> ACKED(n, r) : 7)
#define ALL_HAVE(n) SMALLER(WAITED(n, 0), SMALLER(WAITED(n, 1), WAITED(n, 2)))

/* Scratch of one step, no part of the state. */
hidden byte count;
hidden byte common;
hidden byte other;
hidden byte watched;
