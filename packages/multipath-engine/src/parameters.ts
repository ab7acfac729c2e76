/**
 * Every tunable of the engine, with its unit and its reason. Constants of the protocol itself stand in `wire/frames.ts`.
 * Times are milliseconds, sizes bytes, rates bytes per millisecond.
 */

import { MAX_PAYLOAD } from "@hawser/shared-protocol";

/**
 * Chunks are about CHUNK_TIME of the line's rate, so that a new stream never waits long behind one under way, in whole
 * segments, and no fewer than CHUNK_SEGMENTS as long as these take no more than CHUNK_TIME_MAX: what frame and TLS record
 * add to a chunk would cost a thin line more than the waiting.
 */
export const CHUNK_TIME = 2.5;
export const CHUNK_TIME_MAX = 60;
export const CHUNK_SEGMENTS = 4;
/**
 * While short streams come beside long ones chunks may be so short: half a percent of such a line for a quarter less of
 * waiting. They are so from one of them on for so many milliseconds.
 */
export const SHARED_SEGMENTS = 2;
export const SHARED_TIME = 2_000;
/** Where so much comes for each byte that goes, chunks may be single segments: long ones hold up acknowledgements. */
export const RETURN_BUSY = 0.5;
/** Bytes of a TCP segment while the system has not told: what most tunnels carry. */
export const SEGMENT = 1_400;
/**
 * On a fast line a chunk is a whole buffer of MAX_PAYLOAD bytes; its header (21 bytes at most) and an ACK that rides along
 * (25 at most) come on top. A chunk that counts them in would cut each buffer of 64 KiB into a large frame and a tiny one.
 */
export const MAX_CHUNK = MAX_PAYLOAD + 21 + 25;

/** What a subflow may have unacknowledged before anything is measured: a common TCP's initial window (RFC 6928). */
export const INITIAL_CAP = 16_384;
/**
 * Beside lines that are known it begins with no more than this rate, or two segments: on a short round trip it takes no
 * time to find out, and with the whole window on a line of 0.1 Mbit/s the others' reader would wait for more than a second.
 */
export const INITIAL_RATE = 164;
/** Cap = rate * (round trip + reserve) + a chunk. While a line starts the reserve is so many round trips, to find its rate. */
export const STARTUP_GAIN = 2;
/**
 * Startup ends a round trip after the line is full, and what was too much stands in its queue, or is lost where that is
 * short. Usual queues hold so many milliseconds, so much of a long round trip, and so many bytes.
 */
export const STARTUP_QUEUE = 80;
export const STARTUP_LONG = 0.6;
export const STARTUP_BYTES = 524_288;
/**
 * Afterwards it is at least so much of a round trip, which lets a faster line show, and begins with so many milliseconds
 * more, until we see that something has arrived.
 */
export const STEADY_GAIN = 0.05;
export const SLACK = 2;
/** Beyond a round trip it has at most so many milliseconds. */
export const FULL_RESERVE = 10;
/** New data is no more than so many milliseconds of the line's rate, and a chunk, beyond what TCP has let out. */
export const MAX_HELD_BACK = 50;
/** The least time until a line without room is looked at again. */
export const MIN_LOOK = 1;
/**
 * What our acknowledgements wait behind the peer's data is put under way as well, up to so many milliseconds: beyond it,
 * two directions at work would lengthen each other's queues.
 */
export const MAX_RETURN_WAIT = 60;
/** Of the time for which a line ran dry in a round trip, so much is added to the reserve. */
export const RESERVE_RISE = 0.5;
/** A line that runs dry in so many round trips in a row could perhaps carry much more: the reserve grows by this factor. */
export const DRY_ROUNDS = 3;
export const DRY_GROWTH = 1.5;
/**
 * What always waits longer than this is spare, milliseconds, and so much of it is given up in a round trip. Nor is so
 * much of a segment's time: the system acknowledges whole ones, and on a thin line learns of them late (with half of one a
 * line of 0.8 Mbit/s idled for 2 % of the time).
 */
export const SPARE_WAIT = 1;
export const SPARE_SEGMENTS = 1;
export const RESERVE_FALL = 0.5;
/** What the peer has not acknowledged may be this many caps while a segment that was lost holds back all behind it. */
export const STALLED_CAPS = 4;
/** While draining, below one BDP, so that the queue empties and the true round-trip time shows. */
export const DRAIN_GAIN = 0.75;
/** Startup ends when the rate grew by less than this factor in each of FULL_ROUNDS round trips. */
export const FULL_GROWTH = 1.25;
export const FULL_ROUNDS = 3;
/** It also ends when a queue of this share of the round trip, and two chunks, stood through a whole round trip. */
export const FULL_QUEUE = 0.5;
/**
 * The maximum delivery rate is taken over this many round trips (as in BBR); where these are long, over RATE_MEMORY
 * milliseconds and no fewer than RATE_ROUNDS_MIN round trips, so that a line's fall is seen in about a second.
 */
export const RATE_ROUNDS = 10;
export const RATE_MEMORY = 1_000;
export const RATE_ROUNDS_MIN = 4;
/**
 * The line's least time counts for this long, and this many round trips; then the line is drained for a moment and
 * measured again. A drain costs about a quarter of a round trip of the line's rate.
 */
export const MIN_RTT_WINDOW = 5_000;
export const MIN_RTT_ROUNDS = 40;
/** What went into an empty line and took no longer than this beyond the minimum says that it still holds. */
export const MIN_TOLERANCE = 0.5;
/** It is also measured again when trouble begins (below), if it is older than this. */
export const REDRAIN_AFTER = 1_000;
/** What waited no longer than this went into an idle line, milliseconds. */
export const NO_WAIT = 0.5;
/** A queue so much longer than a round trip and two chunks, milliseconds, through a whole round trip: the line is slower. */
export const SLOWER_QUEUE = 20;
/** A queue is taken for ours when a round trip had at least so many chunks. */
export const OWN_CHUNKS = 2;
/** A line is in trouble when its rate falls below this share of what it was. */
export const TROUBLE_BELOW = 0.9;
/**
 * Below this many milliseconds a round trip is mostly the hosts' own (an event loop's turn at each end), which the
 * minimum does not show: the cap is taken for at least so long a line.
 */
export const HOST_RTT = 5;
/** At least this much may be under way: two segments, or the line idles between two acknowledgements. */
export const MIN_CAP = 2 * SEGMENT;
/** No more than this, whatever was measured: bounds the memory that one line's estimate can ask for. */
export const MAX_CAP = 16 * 1024 * 1024;

/**
 * An ACK is delayed by a quarter of the minimum RTT, within these bounds: few enough of them for a thin uplink, and a
 * small part of the round trip. Beyond ACK_BYTES it is sent at once.
 */
export const ACK_DELAY_SHARE = 1 / 4;
export const MIN_ACK_DELAY = 1;
export const MAX_ACK_DELAY = 10;
export const ACK_BYTES = 131_072;

/** No progress for max(SUSPECT_MIN, 1.5 srtt + 4 rttvar) with bytes under way: the subflow is suspect. */
export const SUSPECT_MIN = 150;
/**
 * But no longer than this, which a satellite's first measurement may take. A line whose queue grew to seconds and that
 * then falls silent would hold up every flow for ten of them.
 */
export const SUSPECT_MAX = 2_200;
/** By so many variations of its round trip a line may be later than expected: so much further on it works. */
export const SPREAD = 2;
/** Lines that differ by less, milliseconds, count as alike: each takes the next bytes. */
export const LEAST_LEAD = 30;
/**
 * What is sent ahead goes on while between the lead and LEAD_LEFT times of it is left, and otherwise jumps to LEAD_JUMP
 * times of it.
 */
export const LEAD_LEFT = 8;
export const LEAD_JUMP = 1.1;
/** First samples, at most so many, that are so many times what the system says of the round trip are none behind a loss. */
export const FIRST_LATE = 1.5;
export const FIRST_DOUBTED = 3;
/** What the scheduler takes a line's round trip for before it was measured, where the system does not tell. */
export const UNMEASURED_RTT = 100;
/**
 * Before a first measurement nothing is sure of the line (the system knows the way to a proxy, if there is one): a
 * satellite's round trip, twice.
 */
export const SUSPECT_UNMEASURED = 1_500;
/** Dead at max(DEAD_MIN, DEAD_FACTOR * that). */
export const DEAD_MIN = 1_000;
export const DEAD_FACTOR = 3;
/** A timer that comes so much too late says more of our own process than of a line: it gets GRACE to catch up. */
export const OWN_PAUSE = 50;
export const GRACE = 20;
/**
 * A side to which nothing was acknowledged on a subflow for this long pings it: the answer shows that the line works, and
 * how fast it is now, also where bytes only come. The local gateway, which redials, notices first.
 */
export const HEARTBEAT = { local: 1_000, remote: 2_000 } as const;
/** Whenever something wakes the session, idle subflows are pinged that are due within so many milliseconds: all in one wake-up. */
export const PING_EARLY = 250;
/** Where a session has more subflows than this, each is pinged as much more rarely: all of them together cost no more. */
export const HEARTBEAT_SUBFLOWS = 16;
/** A new subflow is shown as on probation until acks have come for this long. */
export const PROBATION = 1_000;

/** Quantum of the deficit round robin among streams, bytes: one small chunk. */
export const QUANTUM = 16_384;
/** Where it is asked how much others have ahead of a stream, at most this many of them are looked at, for all of them. */
export const RIVALS_COUNTED = 32;
/** When so many streams in turn had better wait for another line, this one asks no more of them, however many there are. */
export const REFUSALS = 64;

/** What a stream may hold unacknowledged or unsent. It must cover what all lines together have under way. */
export const MIN_SEND_BUFFER = 262_144;
export const MAX_SEND_BUFFER = 32 * 1024 * 1024;
/** Of what all lines carry until the slowest one surely delivers, so much may be held beyond what is under way. */
export const SEND_BUFFER_GAIN = 3;
/** A window grows when a quarter of it was consumed within this many round trips, taken for at least HOST_RTT each. */
export const GROW_ROUNDS = 2;
/** By this factor at most with each grant, while memory is ample: credit cannot be taken back from a stream that then rests. */
export const GROW_MOST = 4;
/** A stream's receive window at most. 12 MB serve 110 Mbit/s with a 300 ms line and a suspicion on top. */
export const MAX_RECEIVE_WINDOW = 32 * 1024 * 1024;

/** A line is late when its ACK is overdue by so many milliseconds and four times its round trip's variation. */
export const LATE_MIN = 10;
/** What is under way on a late line may be copied to another one: this share of all that is sent. */
export const COPY_SHARE = 0.02;
/** So many bytes a session may copy to start with, before it has sent much. */
export const COPY_FREE = 65_536;
/** No more than so many bytes of that share are saved up, or a session of weeks could send gigabytes twice. */
export const COPY_SAVED = 1_048_576;

/**
 * A reader is held up when it waits for one line's bytes while other lines' bytes pile up behind them. The session asks
 * whether the line is worth that after so many milliseconds, and no sooner than after HELD_UP_SHARE of the line's round trip
 * if that has a rate yet. It asks again every HOLD_UP_LOOK milliseconds.
 */
export const HELD_UP = 150;
export const HELD_UP_SHARE = 0.5;
export const HOLD_UP_LOOK = 50;
/** A line may hold up as much as it carries, and no more at once than it carries in so many milliseconds. */
export const HOLD_UP_CREDIT = 2_500;
/** A line that is not worth it rests for so long, then twice as long up to REST_MAX, if it does so again before REST_FORGIVEN. */
export const REST = 10_000;
export const REST_MAX = 80_000;
export const REST_FORGIVEN = 60_000;

/**
 * A line that has brought nothing for so long while a reader waits behind a gap is told of on another one, milliseconds:
 * longer than a line needs for a chunk, unless that is a segment of a very thin one; shorter than it takes to become
 * suspect.
 */
export const ARRIVAL_SILENCE = CHUNK_TIME_MAX + 20;

/** Streams that one side opens at once in a session. */
export const MAX_STREAMS = 16_384;
/** The other side sees a stream's end later, and so tolerates more. It also bounds gaps in the numbers, and RESETs. */
export const MAX_PEER_STREAMS = 2 * MAX_STREAMS;

/** Subflows whose end the other side is still to be told, at most; the oldest of more it has noticed by itself. */
export const MAX_GONE = 256;

/** Paths whose latest rate is remembered, at most. */
export const MAX_KNOWN_PATHS = 64;

/** Streams that their peer has reset and that are still read; of more, what is unread is dropped. They count as open here alone. */
export const MAX_RESETTING = 4_096;

/** A session without any subflow keeps its streams for this long: a DSL line's forced reconnect, and then some. */
export const SESSION_LINGER = 180_000;

/**
 * The tiers in use count as full when data waited for their lines for this share of so many milliseconds: long enough for
 * a page or a picture to be over, short against a download.
 */
export const FULL_SHARE = 0.95;
export const FULL_TIME = 2_000;
/** Between two looks no more than this counts: a pause of our own says nothing of the lines. */
export const LONGEST_LOOK = 200;
/**
 * The highest tier is left when everything together stayed below this share of what the lower ones can carry for so many
 * milliseconds, in spans of CALM_SPAN: a load that just fills the lower tiers would otherwise come and go for ever.
 */
export const LEAVE_BELOW = 0.8;
export const LEAVE_TIME = 3_000;
export const CALM_SPAN = 500;

/** What a line with a rate of its own may send at once after a pause, milliseconds of that rate: late timers cost nothing. */
export const LIMIT_BURST = 8;
/** What TLS adds to a record, and TCP and IP to a segment (40 to 52 bytes with IPv4, 60 to 72 with IPv6). */
export const RECORD_BYTES = 22;
export const LINE_HEADERS = 60;
/** The peer is told another allowance when what it has left differs from that by more than this share. */
export const ALLOWANCE_STEP = 0.25;
/**
 * Idle metered lines are pinged this rarely, milliseconds: most NATs still keep the connection. That such a line is dead shows
 * when data goes over it, or as late as this.
 */
export const METERED_HEARTBEAT = { local: 30_000, remote: 60_000 } as const;
