/* The objects and their values. The truth that the benchmarks compare with is `octets_per_s` and `octets_at_start`. */
#include "mib.h"

#include <stdio.h>
#include <stdlib.h>

enum { SYSTEM, INTERFACES, IF_TABLE, IF_X_TABLE, IF_MIB_OBJECTS };

static const struct {
    uint8_t oid[9], size;
} PREFIX[] = {
    [SYSTEM] = {{0x2B, 6, 1, 2, 1, 1}, 6},
    [INTERFACES] = {{0x2B, 6, 1, 2, 1, 2}, 6},
    [IF_TABLE] = {{0x2B, 6, 1, 2, 1, 2, 2, 1}, 8},
    [IF_X_TABLE] = {{0x2B, 6, 1, 2, 1, 31, 1, 1, 1}, 9},
    [IF_MIB_OBJECTS] = {{0x2B, 6, 1, 2, 1, 31, 1}, 7},
};
enum { MOST_COLUMNS = 32, SPEED_MBPS = 1000 };

static struct object *objects;
static int object_count, interface_count;
static int first_row[5][MOST_COLUMNS]; /* position of a column's first row; 0: no such column */

static void add(int group, int column, int index)
{
    struct object *object = &objects[object_count++];
    memcpy(object->oid, PREFIX[group].oid, PREFIX[group].size);
    size_t size = PREFIX[group].size;
    object->oid[size++] = (uint8_t)column;
    if (index >= 0x80)
        object->oid[size++] = (uint8_t)(0x80 | index >> 7);
    object->oid[size++] = index & 0x7F;
    object->oid_size = (uint8_t)size;
    object->group = (uint8_t)group;
    object->column = (uint8_t)column;
    object->index = (uint16_t)index;
}

static void add_columns(int group, const int *columns)
{
    for (; *columns; columns++) {
        first_row[group][*columns] = object_count;
        for (int index = 1; index <= interface_count; index++)
            add(group, *columns, index);
    }
}

void mib_build(int interfaces, int discontinuity)
{
    static const int if_columns[] = {1, 2, 3, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20, 0};
    const int if_x_columns[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 18, discontinuity ? 19 : 0, 0};
    interface_count = interfaces;
    objects = calloc((size_t)interfaces * MOST_COLUMNS + 16, sizeof *objects);
    if (!objects)
        abort();
    for (int column = 1; column <= 6; column++)
        add(SYSTEM, column, 0);
    add(INTERFACES, 1, 0);
    add_columns(IF_TABLE, if_columns);
    add_columns(IF_X_TABLE, if_x_columns);
    add(IF_MIB_OBJECTS, 5, 0); /* ifTableLastChange */
}

int mib_size(void)
{
    return object_count;
}

const struct object *mib_object(int position)
{
    return &objects[position];
}

/* The next sub-identifier; what ends too early reads as if it were whole. */
static uint32_t sub_identifier(struct octets *oid)
{
    uint32_t number = 0;
    while (oid->at < oid->end) {
        number = number << 7 | (*oid->at & 0x7F);
        if (!(*oid->at++ & 0x80))
            break;
    }
    return number;
}

static int compare(struct octets one, struct octets other)
{
    while (one.at < one.end && other.at < other.end) {
        uint32_t left = sub_identifier(&one), right = sub_identifier(&other);
        if (left != right)
            return left < right ? -1 : 1;
    }
    return (one.at < one.end) - (other.at < other.end);
}

static int find_row(int group, struct octets oid)
{
    size_t prefix = PREFIX[group].size, size = size_of(oid);
    if (size < prefix + 2 || size > prefix + 3 || memcmp(oid.at, PREFIX[group].oid, prefix))
        return -1;
    int column = oid.at[prefix], index = oid.at[prefix + 1];
    if (size == prefix + 3)
        index = (index & 0x7F) << 7 | oid.at[prefix + 2];
    if (column >= MOST_COLUMNS || !first_row[group][column] || index < 1 || index > interface_count)
        return -1;
    const struct object *object = &objects[first_row[group][column] + index - 1];
    return object->oid_size == size && !memcmp(object->oid, oid.at, size) ? (int)(object - objects) : -1;
}

int mib_after(struct octets oid)
{
    int low = 0, high = object_count;
    while (low < high) {
        int middle = (low + high) / 2;
        const struct object *object = &objects[middle];
        if (compare((struct octets){object->oid, object->oid + object->oid_size}, oid) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int mib_find(struct octets oid)
{
    int position = find_row(IF_X_TABLE, oid);
    if (position < 0)
        position = find_row(IF_TABLE, oid);
    if (position >= 0)
        return position;
    position = mib_after(oid) - 1;
    if (position < 0 || objects[position].oid_size != size_of(oid) || memcmp(objects[position].oid, oid.at, size_of(oid)))
        return -1;
    return position;
}

enum { IN, OUT };

static uint64_t octets_per_s(uint32_t device, unsigned index, int way)
{
    return 125000 * (1 + ((uint64_t)device * 31 + index * 7 + (unsigned)way * 3) % 997);
}

static uint64_t octets_at_start(uint32_t device, unsigned index)
{
    return 1000000000000 * (1 + ((uint64_t)device + index) % 200);
}

static uint64_t octets(const struct device *device, unsigned index, int way)
{
    uint64_t rate = octets_per_s(device->number, index, way), elapsed_us = device->elapsed_us;
    uint64_t grown = rate * (elapsed_us / 1000000) + rate * (elapsed_us % 1000000) / 1000000;
    return octets_at_start(device->number, index) + grown;
}

static uint64_t packets(const struct device *device, unsigned index, int way)
{
    return octets(device, index, way) / 500;
}

static size_t put_text(uint8_t *to, const char *format, unsigned one, unsigned other)
{
    int size = snprintf((char *)to + 2, 60, format, one, other);
    to[0] = OCTET_STRING;
    to[1] = (uint8_t)size;
    return (size_t)(2 + size);
}

static size_t put_scalar(uint8_t *to, const struct object *object, const struct device *device)
{
    static const uint8_t object_id[] = {OBJECT_IDENTIFIER, 7, 0x2B, 6, 1, 4, 1, 0x82, 0x37};
    if (object->group == INTERFACES)
        return put_number(to, INTEGER, (uint64_t)interface_count);
    if (object->group == IF_MIB_OBJECTS)
        return put_number(to, TIME_TICKS, 0);
    switch (object->column) {
    case 1: return put_text(to, "Linewatch's agent for benchmarks, device %u", device->number, 0);
    case 2: return memcpy(to, object_id, sizeof object_id), sizeof object_id;
    case 3: return put_number(to, TIME_TICKS, (device->elapsed_us + device->number * 137ull) / 10000 + 8640000);
    case 5: return put_text(to, "device%u", device->number, 0);
    case 6: return put_text(to, "this machine", 0, 0);
    default: return put_text(to, "nobody", 0, 0);
    }
}

static size_t put_if(uint8_t *to, const struct object *object, const struct device *device)
{
    switch (object->column) {
    case 1: return put_number(to, INTEGER, object->index);
    case 2: return put_text(to, "GigabitEthernet1/0/%u", object->index, 0);
    case 3: return put_number(to, INTEGER, 6); /* ethernetCsmacd */
    case 5: return put_number(to, GAUGE32, SPEED_MBPS * 1000000u);
    case 7:
    case 8: return put_number(to, INTEGER, 1); /* up */
    case 10: return put_number(to, COUNTER32, (uint32_t)octets(device, object->index, IN));
    case 16: return put_number(to, COUNTER32, (uint32_t)octets(device, object->index, OUT));
    case 11: return put_number(to, COUNTER32, (uint32_t)packets(device, object->index, IN));
    case 17: return put_number(to, COUNTER32, (uint32_t)packets(device, object->index, OUT));
    default: return put_number(to, COUNTER32, object->index); /* errors and discards stand still */
    }
}

static size_t put_if_x(uint8_t *to, const struct object *object, const struct device *device)
{
    switch (object->column) {
    case 1: return put_text(to, "Gi1/0/%u", object->index, 0);
    case 6: return put_number(to, COUNTER64, octets(device, object->index, IN));
    case 10: return put_number(to, COUNTER64, octets(device, object->index, OUT));
    case 7: return put_number(to, COUNTER64, packets(device, object->index, IN));
    case 11: return put_number(to, COUNTER64, packets(device, object->index, OUT));
    case 8:
    case 9:
    case 12:
    case 13: return put_number(to, COUNTER64, packets(device, object->index, IN) / 100);
    case 15: return put_number(to, GAUGE32, SPEED_MBPS);
    case 18: return put_text(to, "Cust: line %u of device %u", object->index, device->number);
    case 19: return put_number(to, TIME_TICKS, 0);
    default: return put_number(to, COUNTER32, (uint32_t)(packets(device, object->index, IN) / 100));
    }
}

size_t mib_put(uint8_t *to, const struct object *object, const struct device *device)
{
    uint8_t *value = to + 4 + object->oid_size;
    memcpy(to + 4, object->oid, object->oid_size);
    size_t size = object->group == IF_X_TABLE ? put_if_x(value, object, device)
                  : object->group == IF_TABLE ? put_if(value, object, device)
                                              : put_scalar(value, object, device);
    to[0] = SEQUENCE;
    to[1] = (uint8_t)(2 + object->oid_size + size);
    to[2] = OBJECT_IDENTIFIER;
    to[3] = object->oid_size;
    return 4 + object->oid_size + size;
}
