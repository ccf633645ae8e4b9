/* What each simulated device has: the system group, ifTable and ifXTable, with counters that grow linearly. */
#ifndef BENCH_MIB_H
#define BENCH_MIB_H

#include "ber.h"

struct object {
    uint8_t oid[16]; /* encoded */
    uint8_t oid_size;
    uint8_t group, column;
    uint16_t index;
};

/* One device at one moment. */
struct device {
    uint32_t number;
    uint64_t elapsed_us; /* since the agent started */
};

/* `discontinuity`: rows have ifCounterDiscontinuityTime. */
void mib_build(int interfaces, int discontinuity);

/* The position of the object, or of the first one behind it (GETNEXT); negative, or `mib_size`, when there is none. */
int mib_find(struct octets oid);
int mib_after(struct octets oid);
int mib_size(void);
const struct object *mib_object(int position);

/* Write the varbind; returns its octets (at most MOST_VARBIND). */
enum { MOST_VARBIND = 128 };
size_t mib_put(uint8_t *to, const struct object *object, const struct device *device);

#endif
