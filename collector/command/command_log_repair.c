/*
 * Copies every valid record into a new log, in order, with its time and peer; the old one is left as it is. Positions
 * change, so the index beside the new log has to be built anew.
 */
#include "collector/command/command_log.h"

#include <inttypes.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#define REPAIR_SLOTS 32u /* appends under way, so that they share commits; a copy of a largest record each */

struct repair_slot {
    struct append append; /* first: done() gets its address */
    struct repair *repair;
    struct buf payload;
    sem_t free;
    bool failed; /* written by the log's thread, read after `free` */
};

struct repair {
    struct log *to;
    struct counters counters;
    struct repair_slot slots[REPAIR_SLOTS];
    uint64_t copied, left_out, left_out_bytes;
};

static void repair_done(struct append *append)
{
    struct repair_slot *slot = (struct repair_slot *)append;
    slot->failed |= append->result != APPEND_DURABLE;
    sem_post(&slot->free);
}

static void repair_take_slot(struct repair_slot *slot)
{
    while (sem_wait(&slot->free) != 0)
        ;
}

/* False: an append failed, this one's or an earlier one's of the slot. */
static bool repair_copy(struct repair *self, const struct log_record *record)
{
    struct repair_slot *slot = &self->slots[self->copied % REPAIR_SLOTS];
    repair_take_slot(slot);
    buf_clear(&slot->payload);
    if (slot->failed || !buf_add(&slot->payload, record->payload)) {
        sem_post(&slot->free);
        return false;
    }
    slot->append = (struct append){.type = record->type,
                                   .payload = buf_slice(&slot->payload),
                                   .received_unix_us = record->received_unix_us,
                                   .done = repair_done};
    memcpy(slot->append.peer, record->peer, sizeof record->peer);
    log_take(self->to, &slot->append);
    self->copied++;
    return true;
}

static void repair_leave_out(struct repair *self, const struct log_record *record)
{
    self->left_out++;
    self->left_out_bytes += record->next_position - record->position;
    printf("left out: positions %" PRIu64 " to %" PRIu64 "\n", record->position, record->next_position);
}

static bool repair_copy_all(struct repair *self, struct command_log *from)
{
    struct log_record record;
    bool is_damage, failed, good = true;
    while (good && command_log_next(from, &record, &is_damage, &failed)) {
        if (is_damage)
            repair_leave_out(self, &record);
        else
            good = repair_copy(self, &record);
    }
    for (size_t i = 0; i < REPAIR_SLOTS; i++) {
        repair_take_slot(&self->slots[i]);
        good = good && !self->slots[i].failed;
    }
    if (!good)
        fputs("vitrace log: the new log could not be written: is its disk full?\n", stderr);
    return good && !failed;
}

/* Nothing may be removed from it by age or size: a person decides that later, with the collector's settings. */
static bool repair_open(struct repair *self, const char *folder)
{
    char error[1024];
    self->to = log_open(&(struct log_options){.folder = folder,
                                              .headroom_bytes = 1,
                                              .bytes_max = UINT64_MAX,
                                              .retention_us = UINT64_MAX,
                                              .counters = &self->counters},
                        error, sizeof error);
    if (self->to == NULL) {
        fprintf(stderr, "vitrace %s\n", error);
        return false;
    }
    if (counters_find(&self->counters, COUNTER_LOG_SEGMENTS) == 0)
        return true;
    fprintf(stderr, "vitrace log: %s has a log already; name a new folder\n", folder);
    log_close(self->to);
    return false;
}

static int repair_run(struct repair *self, struct command_log *from, const char *folder)
{
    for (size_t i = 0; i < REPAIR_SLOTS; i++) {
        sem_init(&self->slots[i].free, 0, 1);
        buf_init(&self->slots[i].payload, LOG_RECORD_BYTES_MAX);
    }
    bool good = repair_copy_all(self, from);
    log_close(self->to);
    for (size_t i = 0; i < REPAIR_SLOTS; i++) {
        sem_destroy(&self->slots[i].free);
        buf_release(&self->slots[i].payload);
    }
    if (!good)
        return COMMAND_FAILED;
    printf("copied %" PRIu64 " records to %s; left out %" PRIu64 " places, %" PRIu64 " bytes\n", self->copied, folder,
           self->left_out, self->left_out_bytes);
    puts("to use it: put it in place of the data folder's 'log', and delete index.sqlite*, which is built anew");
    return COMMAND_OK;
}

int command_log_repair(struct command_log *from, const char *to)
{
    struct repair *self = calloc(1, sizeof *self);
    int status = COMMAND_FAILED;
    if (self == NULL)
        fputs("vitrace log: out of memory\n", stderr);
    else if (repair_open(self, to))
        status = repair_run(self, from, to);
    free(self);
    return status;
}
