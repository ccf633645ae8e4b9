/* BER (X.690) as far as SNMP uses it: definite lengths, one-octet tags. Messages are built from their end to their start. */
#ifndef BENCH_BER_H
#define BENCH_BER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    INTEGER = 0x02,
    OCTET_STRING = 0x04,
    NULL_VALUE = 0x05,
    OBJECT_IDENTIFIER = 0x06,
    SEQUENCE = 0x30,
    COUNTER32 = 0x41,
    GAUGE32 = 0x42,
    TIME_TICKS = 0x43,
    COUNTER64 = 0x46,
    NO_SUCH_INSTANCE = 0x81,
    END_OF_MIB_VIEW = 0x82,
    GET = 0xA0,
    GET_NEXT = 0xA1,
    RESPONSE = 0xA2,
    GET_BULK = 0xA5,
    REPORT = 0xA8,
};

/* Octets that are being read. */
struct octets {
    const uint8_t *at, *end;
};

static inline size_t size_of(struct octets octets)
{
    return (size_t)(octets.end - octets.at);
}

/* Take the next element: its tag, and its contents in `contents`. Returns 0 when there is none that is whole. */
static inline uint8_t take(struct octets *from, struct octets *contents)
{
    if (size_of(*from) < 2)
        return 0;
    uint8_t tag = from->at[0];
    size_t length = from->at[1];
    const uint8_t *at = from->at + 2;
    if (length & 0x80) {
        size_t count = length & 0x7F;
        if (count == 0 || count > 3 || count > (size_t)(from->end - at))
            return 0;
        for (length = 0; count; count--)
            length = length << 8 | *at++;
    }
    if (length > (size_t)(from->end - at))
        return 0;
    *contents = (struct octets){at, at + length};
    from->at = at + length;
    return tag;
}

/* Take an element that must have this tag; 0 when it has not. */
static inline int take_tag(struct octets *from, uint8_t tag, struct octets *contents)
{
    return take(from, contents) == tag;
}

/* An unsigned big-endian number of at most 8 octets, a leading zero aside. */
static inline uint64_t number_of(struct octets contents)
{
    uint64_t number = 0;
    for (const uint8_t *at = contents.at; at < contents.end; at++)
        number = number << 8 | *at;
    return number;
}

static inline uint8_t *prepend(uint8_t *at, const void *what, size_t size)
{
    return memcpy(at - size, what, size);
}

static inline uint8_t *prepend_header(uint8_t *at, uint8_t tag, size_t length)
{
    if (length < 0x80) {
        *--at = (uint8_t)length;
    } else {
        int count = 0;
        for (; length; length >>= 8, count++)
            *--at = (uint8_t)length;
        *--at = (uint8_t)(0x80 | count);
    }
    *--at = tag;
    return at;
}

static inline uint8_t *prepend_element(uint8_t *at, uint8_t tag, const void *contents, size_t size)
{
    return prepend_header(prepend(at, contents, size), tag, size);
}

/* An unsigned number as INTEGER, Counter or the like: a leading zero where it would read as negative. */
static inline uint8_t *prepend_number(uint8_t *at, uint8_t tag, uint64_t number)
{
    uint8_t *end = at;
    do
        *--at = (uint8_t)number;
    while (number >>= 8);
    if (*at & 0x80)
        *--at = 0;
    return prepend_header(at, tag, (size_t)(end - at));
}

/* The same forwards, for varbinds, which are written in their order. Returns the octets written. */
static inline size_t put_number(uint8_t *to, uint8_t tag, uint64_t number)
{
    int size = 1;
    while (size < 9 && number >> (8 * size - 1))
        size++;
    to[0] = tag;
    to[1] = (uint8_t)size;
    for (int place = 0; place < size; place++) {
        int shift = 8 * (size - 1 - place);
        to[2 + place] = shift > 56 ? 0 : (uint8_t)(number >> shift);
    }
    return (size_t)(2 + size);
}

#endif
