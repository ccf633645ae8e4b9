/* Each device is an SNMP engine of its own, so that keys are localised and clocks learned once for each, as in a network. */
#include "usm.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

enum {
    ENGINE_ID = 12,
    KEY = 32,
    AES_KEY = 16,
    DIGEST = 24,
    SALT = 8,
    DEVICES = 65536,
    BOOTS = 7,
    AUTH = 1,
    PRIVACY = 2,
    REPORTABLE = 4,
    NOT_IN_TIME_WINDOW = 2, /* usmStats, RFC 3414 section 5 */
    UNKNOWN_USER_NAME = 3,
    UNKNOWN_ENGINE_ID = 4,
    WRONG_DIGEST = 5,
    TIME_WINDOW_S = 150,
};

struct keys {
    uint8_t auth[KEY], privacy[KEY], known;
};

/* What a request says of itself. */
struct request {
    struct octets id, engine_id, boots, time, user, digest, salt, data;
    uint8_t flags;
};

static const char *user_name;
static uint8_t auth_ku[KEY], privacy_ku[KEY];
static struct keys *keys;
static uint64_t salts, reports;

static void digest(uint8_t *to, const uint8_t *const *parts, const size_t *sizes, int count)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_DigestInit(context, EVP_sha256());
    for (int part = 0; part < count; part++)
        EVP_DigestUpdate(context, parts[part], sizes[part]);
    EVP_DigestFinal(context, to, NULL);
    EVP_MD_CTX_free(context);
}

/* RFC 3414 A.2: a mebibyte of the pass phrase repeated. */
static void key_of(uint8_t *to, const char *pass)
{
    enum { STRETCHED = 1 << 20 };
    size_t length = strlen(pass);
    uint8_t *stretched = malloc(STRETCHED);
    for (size_t place = 0; place < STRETCHED; place++)
        stretched[place] = (uint8_t)pass[place % length];
    digest(to, (const uint8_t *const[]){stretched}, (const size_t[]){STRETCHED}, 1);
    free(stretched);
}

void usm_build(const char *user, const char *auth_pass, const char *privacy_pass)
{
    user_name = user;
    key_of(auth_ku, auth_pass);
    key_of(privacy_ku, privacy_pass);
    keys = calloc(DEVICES, sizeof *keys);
    if (!keys)
        abort();
}

static void engine_id_of(uint8_t *to, uint32_t device)
{
    static const uint8_t begin[] = {0x80, 0, 0, 0, 5, 'b', 'e', 'n', 'c', 'h'};
    memcpy(to, begin, sizeof begin);
    to[10] = (uint8_t)(device >> 8);
    to[11] = (uint8_t)device;
}

static const struct keys *keys_of(uint32_t device, const uint8_t *engine_id)
{
    struct keys *own = &keys[device % DEVICES];
    if (!own->known) {
        const size_t sizes[] = {KEY, ENGINE_ID, KEY};
        digest(own->auth, (const uint8_t *const[]){auth_ku, engine_id, auth_ku}, sizes, 3);
        digest(own->privacy, (const uint8_t *const[]){privacy_ku, engine_id, privacy_ku}, sizes, 3);
        own->known = 1;
    }
    return own;
}

static void crypt(struct octets what, const struct keys *own, uint32_t boots, uint32_t time, const uint8_t *salt, uint8_t *to,
                  int encrypt)
{
    static EVP_CIPHER_CTX *context;
    uint8_t iv[16];
    for (int place = 0; place < 4; place++) {
        iv[place] = (uint8_t)(boots >> (24 - 8 * place));
        iv[4 + place] = (uint8_t)(time >> (24 - 8 * place));
    }
    memcpy(iv + 8, salt, SALT);
    if (!context) {
        context = EVP_CIPHER_CTX_new();
        EVP_CipherInit_ex(context, EVP_aes_128_cfb128(), NULL, NULL, NULL, encrypt);
    }
    int size;
    EVP_CipherInit_ex(context, NULL, NULL, own->privacy, iv, encrypt);
    EVP_CipherUpdate(context, to, &size, what.at, (int)size_of(what));
}

static int read_request(struct octets rest, struct request *request)
{
    struct octets global, parameters, inner, ignored, flags;
    if (!take_tag(&rest, SEQUENCE, &global) || !take_tag(&global, INTEGER, &request->id) ||
        !take_tag(&global, INTEGER, &ignored) || !take_tag(&global, OCTET_STRING, &flags) || size_of(flags) != 1 ||
        !take_tag(&rest, OCTET_STRING, &parameters) || !take_tag(&parameters, SEQUENCE, &inner))
        return 0;
    request->flags = *flags.at;
    request->data = rest;
    return take_tag(&inner, OCTET_STRING, &request->engine_id) && take_tag(&inner, INTEGER, &request->boots) &&
           take_tag(&inner, INTEGER, &request->time) && take_tag(&inner, OCTET_STRING, &request->user) &&
           take_tag(&inner, OCTET_STRING, &request->digest) && take_tag(&inner, OCTET_STRING, &request->salt);
}

/* Wrap the PDU that `answer` holds. */
static void wrap(struct answer *answer, const struct request *request, const struct device *device, uint8_t flags)
{
    uint8_t engine_id[ENGINE_ID], salt[SALT], zeros[DIGEST] = {0}, mac[KEY], *end = answer->end, *at = answer->begin;
    uint32_t time = (uint32_t)(device->elapsed_us / 1000000) + 1;
    engine_id_of(engine_id, device->number);
    const struct keys *own = keys_of(device->number, engine_id);
    at = prepend_header(at, OCTET_STRING, 0); /* contextName */
    at = prepend_element(at, OCTET_STRING, engine_id, ENGINE_ID);
    at = prepend_header(at, SEQUENCE, (size_t)(end - at));
    if (flags & PRIVACY) {
        salts++;
        for (int place = 0; place < SALT; place++)
            salt[place] = (uint8_t)(salts >> (56 - 8 * place));
        crypt((struct octets){at, end}, own, BOOTS, time, salt, at, 1);
        at = prepend_header(at, OCTET_STRING, (size_t)(end - at));
    }
    uint8_t *data = at;
    at = prepend_element(at, OCTET_STRING, salt, flags & PRIVACY ? SALT : 0);
    at = prepend(at, zeros, flags & AUTH ? DIGEST : 0);
    uint8_t *place_of_digest = at;
    at = prepend_header(at, OCTET_STRING, flags & AUTH ? DIGEST : 0);
    at = prepend_element(at, OCTET_STRING, request->user.at, size_of(request->user));
    at = prepend_number(at, INTEGER, time);
    at = prepend_number(at, INTEGER, BOOTS);
    at = prepend_element(at, OCTET_STRING, engine_id, ENGINE_ID);
    at = prepend_header(at, SEQUENCE, (size_t)(data - at));
    at = prepend_header(at, OCTET_STRING, (size_t)(data - at));
    uint8_t *parameters = at;
    at = prepend_number(at, INTEGER, 3); /* the user-based security model */
    at = prepend_element(at, OCTET_STRING, &flags, 1);
    at = prepend_number(at, INTEGER, 65507);
    at = prepend_element(at, INTEGER, request->id.at, size_of(request->id));
    at = prepend_header(at, SEQUENCE, (size_t)(parameters - at));
    at = prepend_number(at, INTEGER, VERSION_3);
    at = prepend_header(at, SEQUENCE, (size_t)(end - at));
    if (flags & AUTH) {
        HMAC(EVP_sha256(), own->auth, KEY, at, (size_t)(end - at), mac, NULL);
        memcpy(place_of_digest, mac, DIGEST);
    }
    answer->begin = at;
}

static int report(struct answer *answer, uint8_t *buffer, const struct request *request, const struct device *device,
                  uint8_t what, uint8_t flags)
{
    uint8_t oid[] = {0x2B, 6, 1, 6, 3, 15, 1, 1, what, 0}, *end = buffer + HEADROOM + MOST_VARBIND, *at = end;
    struct octets data = request->data, scoped, ignored, pdu, request_id = {NULL, NULL};
    if (!(request->flags & REPORTABLE) || size_of(request->user) > 32)
        return 0;
    if (take_tag(&data, SEQUENCE, &scoped) && take(&scoped, &ignored) && take(&scoped, &ignored) && take(&scoped, &pdu))
        take_tag(&pdu, INTEGER, &request_id);
    at = prepend_number(at, COUNTER32, ++reports);
    at = prepend_element(at, OBJECT_IDENTIFIER, oid, sizeof oid);
    at = prepend_header(at, SEQUENCE, (size_t)(end - at));
    at = prepend_header(at, SEQUENCE, (size_t)(end - at));
    at = prepend_number(at, INTEGER, 0);
    at = prepend_number(at, INTEGER, 0);
    at = size_of(request_id) ? prepend_element(at, INTEGER, request_id.at, size_of(request_id))
                             : prepend_number(at, INTEGER, 0);
    at = prepend_header(at, REPORT, (size_t)(end - at));
    *answer = (struct answer){at, end};
    wrap(answer, request, device, flags);
    return 1;
}

int usm_answer(struct octets message, struct octets rest, const struct device *device, size_t most, uint8_t *buffer,
               struct answer *answer)
{
    static uint8_t copy[BUFFER], plain[BUFFER];
    struct request request;
    uint8_t engine_id[ENGINE_ID], mac[KEY];
    engine_id_of(engine_id, device->number);
    size_t size = size_of(message);
    if (size > BUFFER || !read_request(rest, &request))
        return 0;
    if (size_of(request.engine_id) != ENGINE_ID || memcmp(request.engine_id.at, engine_id, ENGINE_ID))
        return report(answer, buffer, &request, device, UNKNOWN_ENGINE_ID, 0);
    if (size_of(request.user) != strlen(user_name) || memcmp(request.user.at, user_name, size_of(request.user)))
        return report(answer, buffer, &request, device, UNKNOWN_USER_NAME, 0);
    if ((request.flags & (AUTH | PRIVACY)) != (AUTH | PRIVACY) || size_of(request.digest) != DIGEST ||
        size_of(request.salt) != SALT)
        return 0;
    const struct keys *own = keys_of(device->number, engine_id);
    memcpy(copy, message.at, size);
    memset(copy + (request.digest.at - message.at), 0, DIGEST);
    HMAC(EVP_sha256(), own->auth, KEY, copy, size, mac, NULL);
    if (CRYPTO_memcmp(mac, request.digest.at, DIGEST))
        return report(answer, buffer, &request, device, WRONG_DIGEST, 0);
    uint64_t boots = number_of(request.boots), time = number_of(request.time), now = device->elapsed_us / 1000000 + 1;
    if (boots != BOOTS || time + TIME_WINDOW_S < now || time > now + TIME_WINDOW_S)
        return report(answer, buffer, &request, device, NOT_IN_TIME_WINDOW, AUTH);
    struct octets encrypted, scoped, ignored;
    if (!take_tag(&request.data, OCTET_STRING, &encrypted))
        return 0;
    crypt(encrypted, own, (uint32_t)boots, (uint32_t)time, request.salt.at, plain, 0);
    struct octets decrypted = {plain, plain + size_of(encrypted)};
    if (!take_tag(&decrypted, SEQUENCE, &scoped) || !take_tag(&scoped, OCTET_STRING, &ignored) ||
        !take_tag(&scoped, OCTET_STRING, &ignored) || !pdu_answer(scoped, device, VERSION_3, most, buffer, answer))
        return 0;
    wrap(answer, &request, device, AUTH | PRIVACY);
    return 1;
}
