/* The limit of this machine: what a poller in C does when it does nothing but send, receive, check and decode.
 *
 *   limit PORT DEVICES TICKS
 *
 * A device-tick is 48 interfaces x (ifHCInOctets, ifHCOutOctets) and sysUpTime, in 2 GETs. Requests are built once and sent
 * with sendmmsg, answers received with recvmmsg and walked varbind by varbind into an array. Writes one line of JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "ber.h"

enum {
    BATCH = 64,
    WINDOW = 256,
    REQUEST = 1472,
    ANSWER = 4096,
    INTERFACES = 48,
    HALF = INTERFACES / 2,
    CELLS = 2 * INTERFACES + 1,
    UP_TIME = CELLS - 1,
    IN = 6,
    OUT = 10,
    TICK_BITS = 15,
    SLOT_BITS = 16,
};

static const uint8_t UP_TIME_OID[] = {6, 8, 0x2B, 6, 1, 2, 1, 1, 3, 0};
static const uint8_t IF_X_OID[] = {6, 11, 0x2B, 6, 1, 2, 1, 31, 1, 1, 1};

struct slot {
    uint8_t octets[REQUEST], *begin, *request_id;
    size_t size;
    struct sockaddr_in peer;
};

static struct slot *slots;
static uint64_t (*values)[CELLS];
static int slot_count;

/* The GET for one half of a device's interfaces. */
static void build(struct slot *slot, int half)
{
    uint8_t *end = slot->octets + REQUEST, *at = end;
    static const uint8_t null[] = {NULL_VALUE, 0}, placeholder[] = {0x10, 0, 0, 0};
    for (int interface = (half + 1) * HALF; interface > half * HALF; interface--)
        for (int column = OUT; column >= IN; column -= OUT - IN) {
            uint8_t row[] = {(uint8_t)column, (uint8_t)interface};
            at = prepend(prepend(prepend(at, null, 2), row, 2), IF_X_OID, sizeof IF_X_OID);
            at = prepend_header(at, SEQUENCE, sizeof IF_X_OID + 4);
        }
    at = prepend(prepend(at, null, 2), UP_TIME_OID, sizeof UP_TIME_OID);
    at = prepend_header(at, SEQUENCE, sizeof UP_TIME_OID + 2);
    at = prepend_header(at, SEQUENCE, (size_t)(end - at));
    at = prepend_number(prepend_number(at, INTEGER, 0), INTEGER, 0);
    at = prepend(at, placeholder, 4);
    slot->request_id = at;
    at = prepend_header(at, INTEGER, 4);
    at = prepend_header(at, GET, (size_t)(end - at));
    at = prepend_element(at, OCTET_STRING, "public", 6);
    at = prepend_number(at, INTEGER, 1);
    at = prepend_header(at, SEQUENCE, (size_t)(end - at));
    slot->begin = at;
    slot->size = (size_t)(end - at);
}

static void build_all(int devices, int port)
{
    slot_count = 2 * devices;
    slots = calloc((size_t)slot_count, sizeof *slots);
    values = calloc((size_t)devices, sizeof *values);
    for (int place = 0; place < slot_count; place++) {
        build(&slots[place], place & 1);
        struct in_addr address = {htonl(0x7F010001u + (uint32_t)(place >> 1))};
        slots[place].peer = (struct sockaddr_in){AF_INET, htons((uint16_t)port), address, {0}};
    }
}

/* Request-ids hold the tick and the slot, so that an answer to an older tick is none to this one. */
static uint32_t request_id_of(int tick, int place)
{
    return (uint32_t)(tick & ((1 << TICK_BITS) - 1)) << SLOT_BITS | (uint32_t)place;
}

static int send_some(int descriptor, int tick, int from, int count)
{
    static struct mmsghdr out[BATCH];
    static struct iovec parts[BATCH];
    for (int place = 0; place < count; place++) {
        struct slot *slot = &slots[from + place];
        uint32_t id = request_id_of(tick, from + place);
        for (int octet = 0; octet < 4; octet++)
            slot->request_id[octet] = (uint8_t)(id >> (24 - 8 * octet));
        parts[place] = (struct iovec){slot->begin, slot->size};
        out[place].msg_hdr = (struct msghdr){&slot->peer, sizeof slot->peer, &parts[place], 1, NULL, 0, 0};
    }
    return sendmmsg(descriptor, out, (unsigned)count, 0);
}

/* Returns how many varbinds were taken; 0 for an answer that fails a check. */
static int decode(struct octets from, const struct sockaddr_in *peer, int tick)
{
    struct octets message, version, community, pdu, id, status, index, varbinds, varbind;
    if (!take_tag(&from, SEQUENCE, &message) || !take_tag(&message, INTEGER, &version) || *version.at != 1 ||
        !take_tag(&message, OCTET_STRING, &community) || !take_tag(&message, RESPONSE, &pdu) ||
        !take_tag(&pdu, INTEGER, &id) || !take_tag(&pdu, INTEGER, &status) || *status.at ||
        !take_tag(&pdu, INTEGER, &index) || !take_tag(&pdu, SEQUENCE, &varbinds))
        return 0;
    uint32_t number = (uint32_t)number_of(id), place = number & ((1 << SLOT_BITS) - 1);
    if ((int)place >= slot_count || number != request_id_of(tick, (int)place) ||
        slots[place].peer.sin_addr.s_addr != peer->sin_addr.s_addr)
        return 0;
    int count = 0;
    for (uint64_t *row = values[place >> 1]; varbinds.at < varbinds.end; count++) {
        if (!take_tag(&varbinds, SEQUENCE, &varbind))
            return 0;
        const uint8_t *oid = varbind.at;
        if (count == 0) {
            if (size_of(varbind) < sizeof UP_TIME_OID || memcmp(oid, UP_TIME_OID, sizeof UP_TIME_OID))
                return 0;
            varbind.at += sizeof UP_TIME_OID;
            if (!take_tag(&varbind, TIME_TICKS, &id))
                return 0;
            row[UP_TIME] = number_of(id);
            continue;
        }
        if (size_of(varbind) < sizeof IF_X_OID + 2 || memcmp(oid, IF_X_OID, sizeof IF_X_OID))
            return 0;
        int column = oid[sizeof IF_X_OID], interface = oid[sizeof IF_X_OID + 1];
        varbind.at += sizeof IF_X_OID + 2;
        if ((column != IN && column != OUT) || interface < 1 || interface > INTERFACES ||
            !take_tag(&varbind, COUNTER64, &id))
            return 0;
        row[(interface - 1) * 2 + (column == OUT)] = number_of(id);
    }
    return count;
}

static double cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* One tick: each slot is asked and answered. Answers that fail a check are added to `bad`. Returns the varbinds. */
static long run_tick(int descriptor, int tick, long *bad)
{
    static uint8_t answers[BATCH][ANSWER];
    static struct mmsghdr in[BATCH];
    static struct iovec parts[BATCH];
    static struct sockaddr_in peers[BATCH];
    long varbinds = 0;
    for (int sent = 0, answered = 0; answered < slot_count;) {
        while (sent < slot_count && sent - answered < WINDOW) {
            int count = slot_count - sent < BATCH ? slot_count - sent : BATCH;
            int more = send_some(descriptor, tick, sent, count);
            if (more <= 0)
                break;
            sent += more;
        }
        for (int place = 0; place < BATCH; place++) {
            parts[place] = (struct iovec){answers[place], ANSWER};
            in[place].msg_hdr = (struct msghdr){&peers[place], sizeof peers[0], &parts[place], 1, NULL, 0, 0};
        }
        int received = recvmmsg(descriptor, in, BATCH, 0, NULL);
        if (received < 0) {
            struct pollfd readable = {descriptor, POLLIN, 0};
            if (poll(&readable, 1, 2000) != 1) {
                *bad += slot_count - answered;
                return varbinds;
            }
        }
        for (int place = 0; place < received; place++, answered++) {
            struct octets message = {answers[place], answers[place] + in[place].msg_len};
            int count = decode(message, &peers[place], tick);
            varbinds += count;
            *bad += count == 0;
        }
    }
    return varbinds;
}

int main(int count, char **arguments)
{
    if (count != 4)
        return 2;
    int devices = atoi(arguments[2]), ticks = atoi(arguments[3]), size = 32 << 20;
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    build_all(devices, atoi(arguments[1]));
    long varbinds = 0, bad = 0;
    run_tick(descriptor, 0, &bad); /* warms caches; not counted */
    double begin_s = cpu_s(), octets = 0;
    for (int tick = 1; tick <= ticks; tick++)
        varbinds += run_tick(descriptor, tick, &bad);
    double end_s = cpu_s();
    for (int device = 0; device < devices; device++)
        for (int cell = 0; cell < UP_TIME; cell++)
            octets += (double)values[device][cell];
    printf("{\"vb\": %ld, \"bad\": %ld, \"cpu\": %.4f, \"mean\": %.1f}\n", varbinds, bad, end_s - begin_s,
           octets / devices / UP_TIME);
}
