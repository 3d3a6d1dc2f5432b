/* segment.h: the byte layout of a stream's file on tmpfs. Documented in docs/stream-format.md; every offset is pinned
 * below. All integers are little-endian; positions are bytes since the stream was created and only grow.
 *
 * file   0                header page: written once, then constant
 *        4096             producer page: lines that only the producer writes
 *        8192             SEGMENT_FIRST × 1024 bytes: the first consumer entries, each written by its consumer (bell:
 *                         the producer)
 *        24576            SEGMENT_ROUTES × 256 bytes: routes, append only, written by the producer
 *        90112            schema arena of SEGMENT_ARENA_BYTES, append only, written by the producer
 *        1138688          the other consumer entries; version 1 has none, and its data area begins here
 *        SEGMENT_DATA_AT  data area of data_bytes, mapped twice back to back
 *
 * A record at position p lies at byte p modulo data_bytes of the data area; the second mapping lets it run over the
 * end.
 */
#ifndef PLANE_SEGMENT_H
#define PLANE_SEGMENT_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define SEGMENT_MAGIC        0x4D52545347524E45ull /* "ENRGSTRM" */
#define SEGMENT_VERSION      3u
#define SEGMENT_VERSION_RUNS 2u /* as 1, with run records in it; both have fewer consumer entries */
#define SEGMENT_BOUNDARIES   6u
#define SEGMENT_CONSUMERS    64u
#define SEGMENT_FIRST        16u /* consumer entries whose pages exist from the start; all that versions 1 and 2 have */
#define SEGMENT_ROUTES       256u
#define SEGMENT_SCHEMAS      256u
#define SEGMENT_ARENA_BYTES  (1u << 20)
#define SEGMENT_PAGE         4096u
#define SEGMENT_LINE         64u
#define SEGMENT_PRODUCER_AT  4096u
#define SEGMENT_CONSUMERS_AT 8192u
#define SEGMENT_ROUTES_AT    (SEGMENT_CONSUMERS_AT + SEGMENT_FIRST * 1024u)
#define SEGMENT_ARENA_AT     (SEGMENT_ROUTES_AT + SEGMENT_ROUTES * 256u)
#define SEGMENT_MORE_AT      (SEGMENT_ARENA_AT + SEGMENT_ARENA_BYTES)
#define SEGMENT_DATA_AT_1    SEGMENT_MORE_AT /* bytes before the data area in versions 1 and 2, and now: */
#define SEGMENT_DATA_AT      1245184u        /* behind the other entries, on a page of any machine (64 KiB) */
#define SEGMENT_PAD_MAX      (1u << 30)      /* a longer pad is several */
#define SEGMENT_ALIGN_FROM   (64u << 10)     /* payloads of this size and more start on a page */

enum record_type { RECORD_DATA = 1, RECORD_PAD = 2, RECORD_GAP = 3, RECORD_RUN = 4 };

/* In front of every payload. */
struct record {
	uint32_t length;       /* of the whole record, header and padding included; a multiple of 64 */
	uint16_t type;         /* enum record_type */
	uint16_t route;        /* index into the routes */
	uint64_t sequence;     /* of all records but pads of this stream, from 1, without holes */
	uint64_t acquired_ns;  /* wall clock of the oldest row */
	uint64_t committed_ns; /* CLOCK_MONOTONIC */
	uint32_t epoch;        /* life of the producer */
	uint32_t rows;
	uint32_t lead_bytes; /* padding between this header and the payload (page alignment) */
	uint32_t meta_bytes; /* the first bytes of the payload: Arrow IPC prefix and metadata; 0 for opaque payloads */
	uint32_t body_bytes; /* the rest of the payload */
	uint32_t body_crc;   /* CRC-32C; 0 where the stream has checks off */
	uint32_t meta_crc;
	uint32_t header_crc; /* CRC-32C of the 60 bytes before */
};

static_assert(sizeof(struct record) == 64, "record header");
static_assert(offsetof(struct record, sequence) == 8, "record header");
static_assert(offsetof(struct record, committed_ns) == 24, "record header");
static_assert(offsetof(struct record, epoch) == 32, "record header");
static_assert(offsetof(struct record, body_bytes) == 48, "record header");
static_assert(offsetof(struct record, header_crc) == 60, "record header");

struct segment_header {
	uint64_t magic;
	uint32_t version;
	uint32_t flags;   /* SEGMENT_CHECKS */
	uint8_t uuid[16]; /* of this stream; a new file has a new one */
	uint64_t file_bytes;
	uint64_t data_offset;      /* SEGMENT_DATA_AT, SEGMENT_DATA_AT_1 */
	uint64_t data_bytes;       /* multiple of 4096 */
	uint64_t record_bytes_max; /* the largest record */
	uint64_t created_wall_ns;
	char source[256]; /* name of the producing job */
	char run[64];
	char supervisor[256];
};

#define SEGMENT_CHECKS 1u /* records carry CRCs */

static_assert(offsetof(struct segment_header, uuid) == 16, "segment header");
static_assert(offsetof(struct segment_header, data_bytes) == 48, "segment header");
static_assert(offsetof(struct segment_header, source) == 72, "segment header");
static_assert(sizeof(struct segment_header) <= SEGMENT_PAGE, "segment header");

/* What was true when head was `position`. Two of them; the valid one is the one with the largest position not beyond
 * head. A killed producer leaves at least one valid. */
struct segment_tally {
	_Atomic uint64_t position;
	_Atomic uint64_t sequence; /* last published */
	_Atomic uint64_t batches;  /* data, gap and run records */
	_Atomic uint64_t rows;
	_Atomic uint64_t bytes;        /* payload bytes */
	_Atomic uint64_t dropped_rows; /* by the job's own policy */
	_Atomic uint64_t reserved;
	_Atomic uint64_t gaps; /* gap and run records among the batches: what is no batch */
};

static_assert(sizeof(struct segment_tally) == 64, "tally");

enum run_edge { RUN_BEGINS = 1, RUN_ENDED = 2 };

/* A run record that was published; valid where `position` is neither 0 nor beyond head. Entry (index - 1) modulo
 * SEGMENT_BOUNDARIES. */
struct segment_boundary {
	_Atomic uint64_t position; /* behind the record */
	uint64_t index;            /* of the stream's run records, from 1 */
	uint64_t number, wall_ns;
	uint64_t sequence, batches, rows, bytes, gaps, dropped_rows; /* the tally before the record */
	uint32_t edge;                                               /* enum run_edge */
	uint32_t reserved;
	char label[64]; /* of what follows */
	uint64_t reserved_too;
};

static_assert(sizeof(struct segment_boundary) == 160, "boundary");
static_assert(offsetof(struct segment_boundary, label) == 88, "boundary");

/* Payload of a run record. */
struct segment_run {
	uint32_t edge;
	uint32_t reserved;
	uint64_t index, number, wall_ns;
	uint64_t sequence, batches, rows, bytes, gaps, dropped_rows;
	char run[64];   /* that begins or ended; "" = none: only the label changes */
	char label[64]; /* sequences of tables behind it count under this name: the run's, or one for between two runs
			 */
};

static_assert(sizeof(struct segment_run) == 208, "run record");
static_assert(offsetof(struct segment_run, run) == 80, "run record");

struct segment_producer {
	_Alignas(128) _Atomic uint64_t head; /* bytes published; the one line that consumers poll */
	_Alignas(128) struct segment_tally tally[2];
	_Alignas(128) _Atomic uint32_t epoch; /* raised by each producer that takes the stream over */
	_Atomic uint32_t route_count;
	_Atomic uint32_t schema_count;
	_Atomic uint32_t arena_used;
	_Atomic uint32_t is_closed; /* the producer ended in order: nothing will follow in this epoch */
	_Atomic uint32_t pid;
	_Atomic uint64_t blocked_ns;               /* time spent waiting for required consumers */
	_Atomic uint64_t blocked_since_ns;         /* CLOCK_MONOTONIC, 0 = not blocked now */
	_Atomic uint64_t wakes;                    /* futex wake calls made */
	_Atomic uint64_t rescued;                  /* timed waits that found work which nobody had rung for: a bug */
	_Alignas(128) _Atomic uint32_t bell;       /* rung by consumers: space is there */
	_Atomic uint32_t consumer_changes;         /* raised by whoever takes or gives back a consumer entry */
	_Atomic uint32_t consumer_limit;           /* entries that exist beyond the first: those below it; 0 = none */
	_Alignas(128) _Atomic uint32_t is_waiting; /* producer's sleep ticket, odd = asleep */
	_Atomic uint32_t reserved;
	_Atomic uint64_t wanted;                /* lowest ack that the sleeping producer waits for */
	_Alignas(128) _Atomic uint64_t claimed; /* bytes up to here may be being written: what an observer checks */
	_Alignas(128) _Atomic uint64_t
		window;                 /* bytes in flight before it waits for consumers that keep up; 0: not told */
	_Atomic uint32_t window_reason; /* enum window_reason */
	_Alignas(1024) struct segment_boundary boundaries[SEGMENT_BOUNDARIES];
	/* Sequences of the routes between two runs, as they stood when a run began. */
	_Alignas(1024) _Atomic uint64_t between[SEGMENT_ROUTES];
};

static_assert(offsetof(struct segment_producer, tally) == 128, "producer page");
static_assert(offsetof(struct segment_producer, epoch) == 256, "producer page");
static_assert(offsetof(struct segment_producer, bell) == 384, "producer page");
static_assert(offsetof(struct segment_producer, consumer_changes) == 388, "producer page");
static_assert(offsetof(struct segment_producer, consumer_limit) == 392, "producer page");
static_assert(offsetof(struct segment_producer, is_waiting) == 512, "producer page");
static_assert(offsetof(struct segment_producer, claimed) == 640, "producer page");
static_assert(offsetof(struct segment_producer, window) == 768, "producer page");
static_assert(offsetof(struct segment_producer, boundaries) == 1024, "producer page");
static_assert(offsetof(struct segment_producer, between) == 2048, "producer page");
static_assert(sizeof(struct segment_producer) <= SEGMENT_PAGE, "producer page");

/* 2: of earlier versions, holds nobody back. JOINING: the supervisor has given the entry a name while a producer runs,
 * which alone can say from where on it keeps data for it: it fills in `joined` and ack, and makes it REQUIRED. */
enum consumer_kind { CONSUMER_FREE = 0, CONSUMER_REQUIRED = 1, CONSUMER_JOINING = 3 };

/* What had been published when a consumer joined: the tally at the position where its part of the stream begins. */
struct segment_joined {
	_Atomic uint64_t position, sequence, batches, rows, bytes, gaps;
};

struct segment_consumer {
	_Alignas(128) _Atomic uint64_t ack; /* bytes this consumer is done with */
	_Atomic uint64_t mark;              /* its own: what belongs to that position (number of its commit) */
	_Alignas(128) _Atomic uint32_t kind;
	_Atomic uint32_t pid;
	char name[240];                            /* set before kind */
	_Alignas(128) _Atomic uint32_t is_waiting; /* consumer's sleep ticket, odd = asleep */
	_Atomic uint32_t reserved;
	_Atomic uint64_t wanted; /* head that the sleeping consumer waits for */
	_Atomic uint64_t rescued;
	_Atomic uint64_t reserved_too;
	_Alignas(128) _Atomic uint32_t bell; /* rung by the producer */
	_Alignas(
		128) struct segment_joined joined; /* set before kind is REQUIRED; 0: from the beginning, or not told */
};

static_assert(offsetof(struct segment_consumer, kind) == 128, "consumer entry");
static_assert(offsetof(struct segment_consumer, is_waiting) == 384, "consumer entry");
static_assert(offsetof(struct segment_consumer, bell) == 512, "consumer entry");
static_assert(offsetof(struct segment_consumer, joined) == 640, "consumer entry");
static_assert(sizeof(struct segment_consumer) <= 1024, "consumer entry");
static_assert(SEGMENT_DATA_AT_1 == 1138688, "data area");
static_assert(SEGMENT_DATA_AT >= SEGMENT_MORE_AT + (SEGMENT_CONSUMERS - SEGMENT_FIRST) * 1024u, "data area");
static_assert(SEGMENT_DATA_AT % 65536 == 0, "data area starts on a page");

/* What a record's route index means: which store group, tag and schema. */
struct segment_route {
	uint16_t group;  /* index of the store group in the job's type */
	uint16_t schema; /* index into schemas */
	uint32_t flags;  /* ROUTE_BLOB */
	struct {         /* last route sequence published; two, valid as tallies are */
		_Atomic uint64_t position;
		_Atomic uint64_t sequence;
	} last[2];
	uint32_t schema_offset; /* in the arena: encapsulated Arrow IPC Schema message */
	uint32_t schema_bytes;
	char tag[208];
};

static_assert(sizeof(struct segment_route) == 256, "route");
static_assert(offsetof(struct segment_route, last) == 8, "route");
static_assert(offsetof(struct segment_route, tag) == 48, "route");

#define ROUTE_BLOB 1u

#endif
