/* The agent of the benchmarks: one socket on the loopback interface that answers SNMP for every 127.x.y.z.
 *
 * The last 16 bits of the address are the device's number. Versions 1 and 2c with any community, and version 3 (user
 * `bench`) where it was built with USM. Ends at SIGTERM, and when its standard input ends: with its parent.
 *
 *   agent -p PORT -n INTERFACES -m MOST_OCTETS_OF_AN_ANSWER [-d] [-3]
 *
 * -d: rows have ifCounterDiscontinuityTime. -3: version 3 alone is answered. Writes one line, `ready START_US`, to standard output: its counters have grown
 * since this CLOCK_MONOTONIC.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "pdu.h"
#ifdef WITH_USM
#include "usm.h"
#endif

enum { BATCH = 128, REQUEST = 4096, CONTROL = 64, SOCKET_BUFFER = 32 << 20, OVERHEAD = 64, OVERHEAD_USM = 192 };

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void *end_with_parent(void *nothing)
{
    char ignored;
    while (read(STDIN_FILENO, &ignored, 1) > 0)
        continue;
    _exit(0);
    return nothing;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int open_socket(int port)
{
    int on = 1, size = SOCKET_BUFFER, descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (descriptor < 0)
        fail("socket");
    /* Only what comes over the loopback interface, although no single address is bound. */
    if (setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3))
        fail("SO_BINDTODEVICE");
    if (setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &on, sizeof on))
        fail("IP_PKTINFO");
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address))
        fail("bind");
    return descriptor;
}

static int version_3_alone;

static int answer_message(struct octets message, const struct device *device, size_t most, uint8_t *buffer,
                          struct answer *answer)
{
    struct octets from = message, rest, version, community;
    if (!take_tag(&from, SEQUENCE, &rest) || !take_tag(&rest, INTEGER, &version) || size_of(version) != 1)
        return 0;
    if (*version.at == VERSION_3) {
#ifdef WITH_USM
        return usm_answer(message, rest, device, most - OVERHEAD_USM, buffer, answer);
#else
        return 0;
#endif
    }
    if (version_3_alone || *version.at > VERSION_2C || !take_tag(&rest, OCTET_STRING, &community) || size_of(community) > 255 ||
        !pdu_answer(rest, device, *version.at, most - OVERHEAD, buffer, answer))
        return 0;
    uint8_t *at = prepend_element(answer->begin, OCTET_STRING, community.at, size_of(community));
    at = prepend_element(at, INTEGER, version.at, 1);
    answer->begin = prepend_header(at, SEQUENCE, (size_t)(answer->end - at));
    return 1;
}

/* Where the datagram went to: the device that was asked. */
static struct in_addr asked_address(struct msghdr *message)
{
    for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at; at = CMSG_NXTHDR(message, at))
        if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_PKTINFO)
            return ((struct in_pktinfo *)CMSG_DATA(at))->ipi_addr;
    return (struct in_addr){0};
}

static void answer_from(struct msghdr *message, struct in_addr address, uint8_t *control)
{
    message->msg_control = control;
    message->msg_controllen = CMSG_SPACE(sizeof(struct in_pktinfo));
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    *header = (struct cmsghdr){CMSG_LEN(sizeof(struct in_pktinfo)), IPPROTO_IP, IP_PKTINFO};
    *(struct in_pktinfo *)CMSG_DATA(header) = (struct in_pktinfo){.ipi_spec_dst = address};
}

static void serve(int descriptor, uint64_t start_us, size_t most)
{
    static uint8_t requests[BATCH][REQUEST], answers[BATCH][BUFFER];
    static _Alignas(8) uint8_t controls[2][BATCH][CONTROL];
    static struct sockaddr_in peers[BATCH];
    static struct iovec parts[2][BATCH];
    static struct mmsghdr in[BATCH], out[BATCH];
    for (;;) {
        for (int place = 0; place < BATCH; place++) {
            parts[0][place] = (struct iovec){requests[place], REQUEST};
            in[place].msg_hdr = (struct msghdr){&peers[place], sizeof peers[0], &parts[0][place], 1,
                                                controls[0][place], CONTROL, 0};
        }
        int received = recvmmsg(descriptor, in, BATCH, MSG_WAITFORONE, NULL), count = 0;
        if (received < 0 && errno != EINTR)
            fail("recvmmsg");
        uint64_t elapsed_us = now_us() - start_us;
        for (int place = 0; place < received; place++) {
            struct in_addr address = asked_address(&in[place].msg_hdr);
            struct device device = {ntohl(address.s_addr) & 0xFFFF, elapsed_us};
            struct octets message = {requests[place], requests[place] + in[place].msg_len};
            struct answer answer;
            if (!answer_message(message, &device, most, answers[count], &answer))
                continue;
            parts[1][count] = (struct iovec){answer.begin, (size_t)(answer.end - answer.begin)};
            out[count].msg_hdr = (struct msghdr){&peers[place], sizeof peers[0], &parts[1][count], 1, NULL, 0, 0};
            answer_from(&out[count].msg_hdr, address, controls[1][count]);
            count++;
        }
        for (int sent = 0; sent < count;) {
            int more = sendmmsg(descriptor, out + sent, (unsigned)(count - sent), 0);
            sent += more > 0 ? more : 1; /* one that cannot be sent is lost, as in a network */
        }
    }
}

int main(int count, char **arguments)
{
    int port = 0, interfaces = 48, most = 1472, discontinuity = 0, option;
    while ((option = getopt(count, arguments, "p:n:m:d3")) != -1)
        switch (option) {
        case 'p': port = atoi(optarg); break;
        case 'n': interfaces = atoi(optarg); break;
        case 'm': most = atoi(optarg); break;
        case 'd': discontinuity = 1; break;
        case '3': version_3_alone = 1; break;
        default: return 2;
        }
    if (port < 1 || port > 65535 || interfaces < 1 || interfaces > 4096 || most < 484 || most > MOST_ANSWER)
        return fprintf(stderr, "agent: an option is out of range\n"), 2;
    mib_build(interfaces, discontinuity);
#ifdef WITH_USM
    usm_build("bench", "authpass123", "privpass123");
#endif
    int descriptor = open_socket(port);
    pthread_t watcher;
    if (pthread_create(&watcher, NULL, end_with_parent, NULL))
        fail("pthread_create");
    uint64_t start_us = now_us();
    printf("ready %llu\n", (unsigned long long)start_us);
    fflush(stdout);
    serve(descriptor, start_us, (size_t)most);
}
