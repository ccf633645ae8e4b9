/* SNMPv3 with the user-based security model (RFC 3414): SHA-256 (RFC 7860) and AES-128 (RFC 3826), authPriv only. */
#ifndef BENCH_USM_H
#define BENCH_USM_H

#include "pdu.h"

void usm_build(const char *user, const char *auth_pass, const char *privacy_pass);

/* Answer `message`, whose part behind msgVersion is `rest`. Returns 0 for what is to be dropped. */
int usm_answer(struct octets message, struct octets rest, const struct device *device, size_t most, uint8_t *buffer,
               struct answer *answer);

#endif
