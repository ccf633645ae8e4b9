/* GET, GETNEXT and GETBULK. */
#include "pdu.h"

enum { TOO_BIG = 1, NO_SUCH_NAME = 2, MOST_REPEATERS = 64 };

/* The varbinds of an answer as they grow. */
struct varbinds {
    uint8_t *begin, *at;
    size_t most;
    const struct device *device;
};

static int put(struct varbinds *varbinds, int position)
{
    uint8_t *before = varbinds->at;
    varbinds->at += mib_put(varbinds->at, mib_object(position), varbinds->device);
    if ((size_t)(varbinds->at - varbinds->begin) <= varbinds->most)
        return 1;
    varbinds->at = before;
    return 0;
}

static int put_missing(struct varbinds *varbinds, struct octets oid, uint8_t what)
{
    size_t size = size_of(oid);
    if (size > 100 || (size_t)(varbinds->at - varbinds->begin) + size + 6 > varbinds->most)
        return 0;
    uint8_t *to = varbinds->at;
    to[0] = SEQUENCE;
    to[1] = (uint8_t)(size + 4);
    to[2] = OBJECT_IDENTIFIER;
    to[3] = (uint8_t)size;
    memcpy(to + 4, oid.at, size);
    to[4 + size] = what;
    to[5 + size] = 0;
    varbinds->at += size + 6;
    return 1;
}

static int put_after(struct varbinds *varbinds, int position, struct octets oid)
{
    return position < mib_size() ? put(varbinds, position) : put_missing(varbinds, oid, END_OF_MIB_VIEW);
}

static int take_oid(struct octets *asked, struct octets *oid)
{
    struct octets varbind;
    return take_tag(asked, SEQUENCE, &varbind) && take_tag(&varbind, OBJECT_IDENTIFIER, oid);
}

/* Returns the error-status, its index in `index`; negative for a malformed request. */
static int get(struct varbinds *varbinds, struct octets asked, int next, int version, int *index)
{
    struct octets oid;
    for (*index = 1; asked.at < asked.end; (*index)++) {
        if (!take_oid(&asked, &oid))
            return -1;
        int position = next ? mib_after(oid) : mib_find(oid), known = position >= 0 && position < mib_size();
        if (!known && version == VERSION_1)
            return NO_SUCH_NAME;
        if (!(known ? put(varbinds, position) : put_missing(varbinds, oid, next ? END_OF_MIB_VIEW : NO_SUCH_INSTANCE))) {
            *index = 0;
            return TOO_BIG;
        }
    }
    *index = 0;
    return 0;
}

/* RFC 3416 section 4.2.3: what does not fit is left out. */
static int get_bulk(struct varbinds *varbinds, struct octets asked, uint64_t non_repeaters, uint64_t repetitions)
{
    struct octets oids[MOST_REPEATERS];
    int position[MOST_REPEATERS], count = 0;
    for (uint64_t place = 0; asked.at < asked.end; place++) {
        struct octets oid;
        if (!take_oid(&asked, &oid))
            return -1;
        if (place < non_repeaters) {
            if (!put_after(varbinds, mib_after(oid), oid))
                return 0;
        } else if (count < MOST_REPEATERS) {
            oids[count] = oid;
            position[count++] = mib_after(oid);
        }
    }
    for (uint64_t row = 0; row < repetitions; row++) {
        int alive = 0;
        for (int column = 0; column < count; column++) {
            if (!put_after(varbinds, position[column], oids[column]))
                return 0;
            if (position[column] < mib_size()) {
                const struct object *object = mib_object(position[column]++);
                oids[column] = (struct octets){object->oid, object->oid + object->oid_size};
                alive = 1;
            }
        }
        if (!alive)
            return 0;
    }
    return 0;
}

int pdu_answer(struct octets message, const struct device *device, int version, size_t most, uint8_t *buffer,
               struct answer *answer)
{
    struct octets pdu, request_id, first, second, asked;
    uint8_t operation = take(&message, &pdu);
    if (!operation || !take_tag(&pdu, INTEGER, &request_id) || !take_tag(&pdu, INTEGER, &first) ||
        !take_tag(&pdu, INTEGER, &second) || !take_tag(&pdu, SEQUENCE, &asked))
        return 0;
    struct varbinds varbinds = {buffer + HEADROOM, buffer + HEADROOM, most, device};
    int status, index = 0;
    if (operation == GET || operation == GET_NEXT)
        status = get(&varbinds, asked, operation == GET_NEXT, version, &index);
    else if (operation == GET_BULK && version != VERSION_1)
        status = get_bulk(&varbinds, asked, number_of(first), number_of(second));
    else
        return 0;
    if (status < 0)
        return 0;
    if (status == TOO_BIG)
        varbinds.at = varbinds.begin;
    if (status && version == VERSION_1) { /* RFC 1157 section 4.1.2: the varbinds come back as they were */
        if (size_of(asked) > MOST_ANSWER)
            return 0;
        memcpy(varbinds.begin, asked.at, size_of(asked));
        varbinds.at = varbinds.begin + size_of(asked);
    }
    uint8_t *at = prepend_header(varbinds.begin, SEQUENCE, (size_t)(varbinds.at - varbinds.begin));
    at = prepend_number(at, INTEGER, (uint64_t)index);
    at = prepend_number(at, INTEGER, (uint64_t)status);
    at = prepend_element(at, INTEGER, request_id.at, size_of(request_id));
    at = prepend_header(at, RESPONSE, (size_t)(varbinds.at - at));
    *answer = (struct answer){at, varbinds.at};
    return 1;
}
