/* Answers one PDU (RFC 3416). */
#ifndef BENCH_PDU_H
#define BENCH_PDU_H

#include "mib.h"

enum { VERSION_1 = 0, VERSION_2C = 1, VERSION_3 = 3 };
enum { BUFFER = 16384, HEADROOM = 512, MOST_ANSWER = BUFFER - HEADROOM - 2 * MOST_VARBIND };

/* An answer in its buffer, which has HEADROOM before the varbinds for what is prepended. */
struct answer {
    uint8_t *begin, *end;
};

/* Varbinds of the answer stay below `most` octets. Returns 0 for what is no request that this agent knows. */
int pdu_answer(struct octets message, const struct device *device, int version, size_t most, uint8_t *buffer,
               struct answer *answer);

#endif
