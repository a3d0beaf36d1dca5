/*
 * The ring as a model for Spin: RING.md's states and the steps of ring_producer.c, ring_consumer.c, js-glue's ring.ts,
 * drain.ts, transfer.ts and exit.ts, small enough to look at every interleaving. tests/model/ring.mjs runs it, and runs
 * it again with one seeded mistake each: every mistake must be found, or the model proves nothing.
 *
 *   page    open, write, seal, abort | hidden: take what is SEALED, copy what is TAKEN | stop
 *              |                                         |
 *           table[ ] state, offset, size, seq  +  cells[ ] data
 *              |                                         |
 *   worker  sleep, scan, CAS, copy, send (again), release   ... and dies whenever it likes
 *
 * A page may begin by recording: then it closes to HELD, drops the oldest, changes bytes of what it holds, and perhaps
 * promotes all of it, once (-DHOLDS). -DTRANSFER: the page takes and copies for the worker, which only answers (transfer.ts).
 *
 * Checked in every state: bytes are never written under a reader, and what a reader copied is one beacon whole; a taken
 * segment has one owner and is released once; what was given up is counted before its segment is reused; the producer's
 * words hold. Checked at the end: each beacon that was sealed is at the collector, or counted as given up, or was refused
 * by the browser while the page was going (a gap in `seq`, which the collector counts). A worker never sleeps over a
 * announced segment: its timeout is needed for put-backs and for the end only.
 *
 * Interleavings are sequentially consistent. Release and acquire are therefore modelled by what their absence would do:
 * the mistakes "publish before write" and "release before copy" are (A) and (C) of RING.md left out.
 */
#define FREE 0
#define OPEN 1
#define SEALED 2
#define TAKEN 3
#define ACKED 4
#define HELD 5

/*
 * Two descriptors wrap at the third seal; three cells for segments of up to two wrap at the second. What is not bounded
 * here (aborts, put-backs, leaving and coming back) may happen any number of times.
 */
#define SEGMENTS 2
#define CELLS 3
#define SEALS 3
#define LIMIT_MAX 2 /* cells that a segment may ask for */
#define NONE 255

typedef segment {
    byte state;
    byte offset;
    byte size;
    byte seq;
};
segment table[SEGMENTS];
byte cells[CELLS]; /* the seq of the beacon whose byte lies there */
byte sealed;
bool stopped;
byte abandoned; /* less those whose segments were reclaimed */

/* What no code has: what became of a beacon, and who holds what. */
bool told[SEALS];     /* the collector has it; or it is given up; or the browser refused it, and perhaps the fetch after it */
bool given_up[SEALS]; /* and its segment is not yet reclaimed */
byte owners[SEGMENTS];
byte readers[CELLS];

/* The worker's life: `notified` is Atomics.notify, which reaches only who waits. */
bool asleep;
bool notified;
bool killed;
bool ended;
bool gone;     /* the page */
bool put_back_unseen; /* a put-back, or the end, that no seal announces: for this the sleep has its timeout */

/* (B): the only contended operation. */
inline cas(at, won) {
    d_step {
        won = (table[at].state == SEALED);
        if
        :: won -> table[at].state = TAKEN; owners[at]++; assert(owners[at] == 1)
        :: else
        fi
    }
}

/* Begins and ends apart: whoever writes or reuses the cells meanwhile is caught. */
inline copy_begin(at) {
    d_step {
        mark = table[at].offset;
        do
        :: mark < table[at].offset + table[at].size -> readers[mark]++; mark++
        :: else -> break
        od;
        mark = 0
    }
}
inline copy_end(at, id) {
    d_step {
        assert(id == table[at].seq);
        mark = table[at].offset;
        do
        :: mark < table[at].offset + table[at].size ->
            assert(cells[mark] == id + 1);
            readers[mark]--;
            mark++
        :: else -> break
        od;
        mark = 0
    }
}

/* (D) before (C). The owner ends with the state: afterwards the producer may reuse the segment. */
inline release(at, id) {
    if
    :: given_up[id] -> abandoned++
    :: else
    fi;
    d_step {
        assert(table[at].state == TAKEN && owners[at] == 1 && table[at].seq == id);
        owners[at]--;
        table[at].state = ACKED
    }
}
inline put_back(at) {
    d_step {
        assert(table[at].state == TAKEN && owners[at] == 1);
        put_back_unseen = true;
        owners[at]--;
        table[at].state = SEALED
    }
}

/* One request, and as many again as the sender likes: only its outcome counts. (Stored, but given up as no answer came,
   promises more than given up alone: it needs no look.) */
inline deliver(id) {
    if
    :: told[id] = true
    :: d_step { told[id] = true; given_up[id] = true }
    fi
}

/* Sealed and counted in `sealed`: whoever sleeps from now on sleeps over it. */
#define is_announced(at) (table[at].state == SEALED && table[at].seq < sealed)
#define has_announced (is_announced(0) || is_announced(1))

chan to_worker = [SEGMENTS] of { byte, byte };
chan to_page = [SEGMENTS] of { byte, byte };

/* ---- the producer and the way out: one thread, so nothing here runs at the same time as the rest of it -------------- */

inline reclaim() {
    d_step {
        do
        :: first != next && table[first % SEGMENTS].state == ACKED ->
            at = first % SEGMENTS;
            if
            :: given_up[table[at].seq] -> assert(abandoned > 0); abandoned--; given_up[table[at].seq] = false
            :: else
            fi;
            assert(owners[at] == 0);
            /* Nobody may look at what lay there any more. */
            do
            :: table[at].size > 0 -> table[at].size--; cells[table[at].offset + table[at].size] = 0
            :: else -> break
            od;
            table[at].state = FREE;
            first++
        :: else -> break
        od;
        if
        :: first == next -> head = 0
        :: else
        fi;
        at = 0
    }
}

/* `room` = where `limit` cells fit in one run, or NONE. */
inline find_room() {
    d_step {
        tail = table[first % SEGMENTS].offset;
        if
        :: first == next -> room = 0
        :: first != next && head <= tail -> room = (limit <= tail - head -> head : NONE)
        :: first != next && head > tail && limit <= CELLS - head -> room = head
        :: else -> room = (limit <= tail -> 0 : NONE)
        fi;
        tail = 0
    }
}

inline open() {
    reclaim();
    if
    :: next - first == SEGMENTS -> skip /* reached: no free descriptor */
    :: else ->
        select_limit();
        find_room();
        if
        :: room == NONE -> skip /* reached: no contiguous room */
        :: else ->
            d_step {
                assert(table[next % SEGMENTS].state == FREE);
                assert(room + limit <= CELLS);
                if
                :: room == 0 && first != next -> skip /* reached: data wraps */
                :: else
                fi;
                table[next % SEGMENTS].offset = room;
                table[next % SEGMENTS].size = 0;
                table[next % SEGMENTS].seq = seals;
                table[next % SEGMENTS].state = OPEN;
                is_open = true;
                next++
            }
        fi
    fi;
    atomic { room = 0; limit = (is_open -> limit : 0) }
}
inline select_limit() {
    if
    :: limit = 1
    :: limit = LIMIT_MAX
    fi
}

inline write() {
    d_step {
        at = (next - 1) % SEGMENTS;
        assert(readers[table[at].offset + open_size] == 0);
        cells[table[at].offset + open_size] = seals + 1;
        open_size++;
        at = 0
    }
}

inline abort() {
    d_step {
        next--;
        do
        :: open_size > 0 -> open_size--; cells[table[next % SEGMENTS].offset + open_size] = 0
        :: else -> break
        od;
        table[next % SEGMENTS].state = FREE;
        is_open = false;
        limit = 0
    }
}

/* HELD is the producer's own. SEALED: (A), then (E), then the wake-up of transport.wake: steps apart, so that others may come
   between. */
inline close() {
    if
    :: open_size == 0 -> abort()
    :: open_size > 0 && held_is_on ->
        d_step {
            table[(next - 1) % SEGMENTS].size = open_size;
            table[(next - 1) % SEGMENTS].state = HELD;
            held++;
            closed()
        }
    :: open_size > 0 && !held_is_on ->
        d_step {
            assert(held == 0);
            table[(next - 1) % SEGMENTS].size = open_size;
            table[(next - 1) % SEGMENTS].state = SEALED
        };
        d_step {
            sealed = next;
            closed()
        };
        wake()
    fi
}
inline closed() {
    head = table[(next - 1) % SEGMENTS].offset + open_size;
    seals++;
    is_open = false;
    open_size = 0;
    limit = 0
}

#ifdef HOLDS
/* Bytes of what is held may still change: nobody reads them. */
inline change() {
    d_step {
        at = (next - is_open - held) % SEGMENTS;
        assert(table[at].state == HELD && readers[table[at].offset] == 0);
        cells[table[at].offset] = table[at].seq + 1;
        at = 0
    }
}

/* The oldest, if nothing older is still with its consumers. */
inline drop() {
    reclaim();
    d_step {
        at = first % SEGMENTS;
        if
        :: held > 0 && table[at].state == HELD ->
            skip /* reached: a drop */;
            told[table[at].seq] = true;
            do
            :: table[at].size > 0 -> table[at].size--; cells[table[at].offset + table[at].size] = 0
            :: else -> break
            od;
            table[at].state = FREE;
            first++;
            held--
        :: else
        fi;
        at = 0
    }
}

/* Oldest first, each (A); then once (E), so that whoever is woken finds all of them. */
inline promote() {
    held_is_on = false;
    if
    :: held > 0 ->
        do
        :: held > 0 -> d_step { table[(next - held) % SEGMENTS].state = SEALED; held-- }
        :: else -> break
        od;
        sealed = next;
        wake()
    :: else
    fi
}
#endif

inline wake() {
#ifdef TRANSFER
    at = 0;
    do
    :: at < SEGMENTS ->
        cas(at, won);
        if
        :: won -> copy_begin(at); copy_end(at, table[at].seq); to_worker ! at, table[at].seq
        :: else
        fi;
        at++
    :: else -> break
    od;
    atomic { at = 0; won = false }
#else
    notify()
#endif
}
inline notify() {
    d_step {
        if
        :: asleep -> notified = true
        :: else
        fi
    }
}

/*
 * The bytes are copied first: here is the producer's thread, so they stand still whatever a sender does meanwhile. Who then wins
 * the segment owns it; else it was a copy of what somebody else holds. sendBeacon takes it, and then it arrives; or it is
 * refused, and a fetch is tried whose answer comes later.
 */
inline send(at) {
    if
    :: copied[table[at].seq] -> skip
    :: else ->
        copy_begin(at);
        copied[table[at].seq] = true;
        cas(at, won);
        copy_end(at, table[at].seq);
        told[table[at].seq] = true;
        if
        :: won -> release(at, table[at].seq)
        :: won -> flying[at] = true
        :: !won -> skip /* reached: a copy of what somebody else holds */
        fi
    fi
}

inline leave() {
    if
    :: is_open -> close()
    :: else
    fi;
    at = 0;
    do
    :: at < SEGMENTS ->
        if
        :: table[at].state == SEALED || table[at].state == TAKEN -> send(at)
        :: else
        fi;
        at++
    :: else -> break
    od;
    atomic { at = 0; won = false }
}
inline stay() {
    d_step {
        at = 0;
        do
        :: at < SEALS -> copied[at] = false; at++
        :: else -> break
        od;
        at = 0
    }
}

/* The answer of a fetch that the exit path started. */
inline answer(at) {
    flying[at] = false;
    if
    :: release(at, table[at].seq)
    :: put_back(at)
    fi
}

inline all_is_told() {
    d_step {
        at = 0;
        do
        :: at < seals - held -> assert(told[at]); at++
        :: else -> break
        od;
        at = 0
    }
}

active proctype page() {
    byte first, next, head, open_size, limit, room, tail, seals, at, mark;
    byte reply, reply_seq;
    byte held; /* the newest complete segments, so many, are HELD */
    bool is_open, won, held_is_on;
    bool flying[SEGMENTS], copied[SEALS];
#ifdef HOLDS
    held_is_on = true;
#endif
    do
    :: !is_open && seals < SEALS -> open()
#ifdef HOLDS
    :: held > 0 -> change()
    :: held > 0 -> drop()
    :: held_is_on && !is_open -> promote()
#endif
    :: is_open && open_size < limit -> write()
    :: is_open -> close()
    :: is_open -> abort()
    :: true -> leave(); stay()
    :: flying[0] -> answer(0)
    :: flying[1] -> answer(1)
#ifdef TRANSFER
    :: to_page ? reply, reply_seq -> release(reply, reply_seq); d_step { reply = 0; reply_seq = 0 }
#endif
    :: true -> leave(); all_is_told(); goto left
    :: !flying[0] && !flying[1] && !is_open -> break
    od;
    assert(!asleep || notified || put_back_unseen || !has_announced);
    /* stop(): the worker sends what is left. One that was killed cannot, nor can a page whose listeners are off. */
    stopped = true;
    put_back_unseen = true;
#ifdef TRANSFER
    wake();
    do
    :: to_page ? reply, reply_seq -> release(reply, reply_seq)
    :: empty(to_page) && (killed || ended) -> break
    od;
#else
    notify();
    (killed || ended);
#endif
    if
    :: ended -> all_is_told()
    :: else
    fi;
left:
    gone = true
}

/* ---- the worker ------------------------------------------------------------------------------------------------------ */

active proctype worker() {
    byte at, seen, seq, mark;
    bool won, last;
    {
#ifdef TRANSFER
        do
        :: to_worker ? at, seq -> deliver(seq); to_page ! at, seq
        :: (stopped || gone) && empty(to_worker) -> break
        od;
#else
        do
        :: atomic { seen = sealed; put_back_unseen = false };
            at = 0;
            do
            :: at < SEGMENTS && table[at].state == SEALED ->
                cas(at, won);
                if
                :: won ->
                    seq = table[at].seq;
                    copy_begin(at);
                    atomic { copy_end(at, seq); deliver(seq) };
                    release(at, seq);
                    atomic { at = 0; seq = 0; won = false }
                :: else -> at++ /* reached: a lost compare-and-swap */
                fi
            :: at < SEGMENTS && table[at].state != SEALED -> at++
            :: at >= SEGMENTS -> break
            od;
            at = 0;
            if
            :: last || gone -> break
            :: stopped && !last -> last = true /* once more: for the seal before the stop */
            :: else ->
                d_step {
                    asleep = (sealed == seen);
                    assert(!asleep || put_back_unseen || !has_announced)
                };
                if
                :: notified || !asleep
                :: put_back_unseen || stopped /* the timeout */
                :: gone
                fi;
                atomic { asleep = false; notified = false; seen = 0 }
            fi
        od;
#endif
        ended = true
    } unless { killed };
    /* All that is left of it is the segment that it held. */
    atomic { at = 0; seen = 0; seq = 0; won = false; last = false; asleep = false; notified = false }
}

/* Crashed, terminated, frozen with the page: at any instant, in the middle of anything. */
active proctype killer() {
    if
    :: killed = true
    :: skip
    fi
}
