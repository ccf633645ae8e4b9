/* net-snmp's library as a poller: PORT DEVICES TICKS get|bulk|v3. Writes one line of JSON.
 *
 * A session for each device, asked one after the other with the synchronous calls, as Cacti's spine and snmpget do.
 */
#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { HALF = 24, IN = 6, OUT = 10, NAME = 12, IF_INDEX = 11, COLUMN = 10 };

static const oid UP_TIME[] = {1, 3, 6, 1, 2, 1, 1, 3, 0};
static const oid IF_X[NAME] = {1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 0, 0};
static long varbinds, bad, counters;
static double octets;

static void use_v3(netsnmp_session *session)
{
    static const oid sha256[] = {1, 3, 6, 1, 6, 3, 10, 1, 1, 5}; /* usmHMAC192SHA256AuthProtocol */
    session->version = SNMP_VERSION_3;
    session->securityName = "bench";
    session->securityNameLen = strlen(session->securityName);
    session->securityLevel = SNMP_SEC_LEVEL_AUTHPRIV;
    session->securityAuthProto = (oid *)sha256;
    session->securityAuthProtoLen = OID_LENGTH(sha256);
    session->securityAuthKeyLen = USM_AUTH_KU_LEN;
    generate_Ku(sha256, OID_LENGTH(sha256), (const u_char *)"authpass123", 11, session->securityAuthKey,
                &session->securityAuthKeyLen);
    session->securityPrivProto = usmAESPrivProtocol;
    session->securityPrivProtoLen = USM_PRIV_PROTO_AES_LEN;
    session->securityPrivKeyLen = USM_PRIV_KU_LEN;
    generate_Ku(sha256, OID_LENGTH(sha256), (const u_char *)"privpass123", 11, session->securityPrivKey,
                &session->securityPrivKeyLen);
}

static void *open_session(int device, const char *port, int v3)
{
    char peer[64];
    netsnmp_session session;
    snmp_sess_init(&session);
    snprintf(peer, sizeof peer, "127.1.%d.%d:%s", device >> 8, device & 255, port);
    session.peername = peer;
    session.timeout = 3000000;
    session.retries = 0;
    session.version = SNMP_VERSION_2c;
    session.community = (u_char *)"public";
    session.community_len = 6;
    if (v3)
        use_v3(&session);
    return snmp_sess_open(&session);
}

static netsnmp_pdu *get(int half)
{
    netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GET);
    oid name[NAME];
    memcpy(name, IF_X, sizeof name);
    snmp_add_null_var(pdu, UP_TIME, OID_LENGTH(UP_TIME));
    for (int row = half * HALF + 1; row <= (half + 1) * HALF; row++)
        for (int column = IN; column <= OUT; column += OUT - IN) {
            name[COLUMN] = (oid)column;
            name[IF_INDEX] = (oid)row;
            snmp_add_null_var(pdu, name, NAME);
        }
    return pdu;
}

/* Names what comes before the first row: the column itself, then the row in the middle. */
static netsnmp_pdu *get_bulk(int half)
{
    netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GETBULK);
    oid name[NAME];
    memcpy(name, IF_X, sizeof name);
    pdu->non_repeaters = 1;
    pdu->max_repetitions = HALF;
    snmp_add_null_var(pdu, UP_TIME, OID_LENGTH(UP_TIME) - 1);
    for (int column = IN; column <= OUT; column += OUT - IN) {
        name[COLUMN] = (oid)column;
        name[IF_INDEX] = HALF;
        snmp_add_null_var(pdu, name, (size_t)(NAME - 1 + half));
    }
    return pdu;
}

static void ask(void *session, netsnmp_pdu *request)
{
    netsnmp_pdu *response = NULL;
    if (snmp_sess_synch_response(session, request, &response) != STAT_SUCCESS || response->errstat) {
        bad++;
    } else {
        for (netsnmp_variable_list *at = response->variables; at; at = at->next_variable) {
            varbinds++;
            if (at->type == ASN_COUNTER64) {
                counters++;
                octets += (double)((unsigned long long)at->val.counter64->high << 32 | at->val.counter64->low);
            }
        }
    }
    if (response)
        snmp_free_pdu(response);
}

static double cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int count, char **arguments)
{
    if (count != 5)
        return 2;
    int devices = atoi(arguments[2]), ticks = atoi(arguments[3]), bulk = !strcmp(arguments[4], "bulk");
    int v3 = !strcmp(arguments[4], "v3");
    if (!bulk && !v3 && strcmp(arguments[4], "get"))
        return fprintf(stderr, "no mode is named %s\n", arguments[4]), 2;
    setenv("MIBS", "", 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
    init_snmp("linewatch-bench");
    void **sessions = calloc((size_t)devices, sizeof *sessions);
    for (int place = 0; place < devices; place++)
        if (!(sessions[place] = open_session(place + 1, arguments[1], v3)))
            return 1;
    double begin_s = 0;
    for (int tick = -1; tick < ticks; tick++) { /* the first one warms up and is not counted */
        if (tick == 0) {
            begin_s = cpu_s();
            varbinds = counters = 0;
            octets = 0;
        }
        for (int place = 0; place < devices; place++)
            for (int half = 0; half < 2; half++)
                ask(sessions[place], bulk ? get_bulk(half) : get(half));
    }
    printf("{\"vb\": %ld, \"bad\": %ld, \"cpu\": %.4f, \"mean\": %.1f}\n", varbinds, bad, cpu_s() - begin_s,
           octets / (double)counters);
}
