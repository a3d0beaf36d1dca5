/*
 * The oracle: every beacon that was answered 204 is in the log exactly once.
 *
 *   overload_audit FOLDER LEDGER [SEED = 1]      no collector may run on the folder
 *
 * Numbers of beacons are in their view ids, behind the seed (overload_load.c); the ledger has a byte for each. Beacons
 * that are in the log although nobody was told so are allowed, twice is not. Prints JSON; exit status 1 = a promise was
 * broken.
 */
#include "collector/log/log.h"
#include "proto/wire/beacon_decode.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct audit {
    uint8_t *acked, *stored;
    uint64_t size, acked_count, stored_count, lost, twice, foreign, corrupt;
};

static uint64_t audit_number(const uint8_t *bytes)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < 8; i++)
        number = number << 8 | bytes[i];
    return number;
}

static bool audit_read_ledger(struct audit *self, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseeko(file, 0, SEEK_END) != 0)
        return false;
    self->size = (uint64_t)ftello(file);
    rewind(file);
    self->acked = calloc(self->size + 1, 1);
    self->stored = calloc(self->size + 1, 1);
    bool good = self->acked != NULL && self->stored != NULL && fread(self->acked, 1, self->size, file) == self->size;
    fclose(file);
    return good;
}

static void audit_take(struct audit *self, const struct log_record *record, uint64_t seed)
{
    uint8_t view_id[VIEW_ID_BYTES];
    uint32_t seq;
    if (record->type != APPEND_BEACON || !beacon_find_key(record->payload, view_id, &seq) || audit_number(view_id) != seed)
        return;
    uint64_t number = audit_number(view_id + 8);
    self->stored_count++;
    if (number >= self->size) {
        self->foreign++; /* sent behind the last that was acked */
        return;
    }
    self->twice += self->stored[number];
    self->stored[number] = 1;
}

static bool audit_read_log(struct audit *self, const char *folder, uint64_t seed)
{
    static struct counters counters;
    char error[512];
    struct log *log =
        log_open_read_only(&(struct log_options){.folder = folder, .counters = &counters}, error, sizeof error);
    struct log_reader *reader = log == NULL ? NULL : log_reader_new(log, log_first_position(log));
    struct log_record record;
    enum log_read_status status = LOG_READ_ERROR;
    while (reader != NULL && (status = log_reader_next(reader, &record)) != LOG_READ_END && status != LOG_READ_ERROR) {
        if (status == LOG_READ_CORRUPT) {
            self->corrupt++;
            log_reader_seek(reader, record.next_position);
        } else {
            audit_take(self, &record, seed);
        }
    }
    log_reader_free(reader);
    if (log != NULL)
        log_close(log);
    return status == LOG_READ_END;
}

int main(int count, char **arguments)
{
    struct audit audit = {.size = 0};
    uint64_t seed = count > 3 ? strtoull(arguments[3], NULL, 10) : 1;
    if (count < 3 || !audit_read_ledger(&audit, arguments[2]) || !audit_read_log(&audit, arguments[1], seed)) {
        fprintf(stderr, "overload_audit FOLDER LEDGER [SEED]: cannot be read\n");
        return 2;
    }
    for (uint64_t i = 0; i < audit.size; i++) {
        audit.acked_count += audit.acked[i];
        audit.lost += audit.acked[i] && !audit.stored[i];
    }
    printf("{\"acked\": %" PRIu64 ", \"stored\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"twice\": %" PRIu64
           ", \"corrupt\": %" PRIu64 "}\n",
           audit.acked_count, audit.stored_count, audit.lost, audit.twice, audit.corrupt);
    free(audit.acked);
    free(audit.stored);
    return audit.lost == 0 && audit.twice == 0 && audit.corrupt == 0 ? 0 : 1;
}
