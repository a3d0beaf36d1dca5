/* The log of a stopped collector: is it whole, what is in it, and what of it can be saved. */
#include "collector/command/command_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#define LOG_PATH_BYTES_MAX  4096u
#define LOG_ERROR_BYTES_MAX 1024u

static void log_find_folder(char out[LOG_PATH_BYTES_MAX], const char *folder)
{
    struct stat info;
    snprintf(out, LOG_PATH_BYTES_MAX, "%s/log", folder);
    if (stat(out, &info) != 0 || !S_ISDIR(info.st_mode))
        snprintf(out, LOG_PATH_BYTES_MAX, "%s", folder);
}

bool command_log_open(struct command_log *self, const char *folder)
{
    char path[LOG_PATH_BYTES_MAX], error[LOG_ERROR_BYTES_MAX];
    *self = (struct command_log){0};
    log_find_folder(path, folder);
    self->log = log_open_read_only(&(struct log_options){.folder = path, .counters = &self->counters}, error,
                                   sizeof error);
    if (self->log == NULL) {
        fprintf(stderr, "vitrace %s\n", error);
        return false;
    }
    self->reader = log_reader_new(self->log, log_first_position(self->log));
    if (self->reader == NULL) {
        fputs("vitrace log: out of memory\n", stderr);
        command_log_close(self);
    }
    return self->log != NULL;
}

void command_log_close(struct command_log *self)
{
    log_reader_free(self->reader);
    log_close(self->log);
    self->reader = NULL;
    self->log = NULL;
}

bool command_log_next(struct command_log *self, struct log_record *record, bool *is_damage, bool *failed)
{
    enum log_read_status status = log_reader_next(self->reader, record);
    *is_damage = status == LOG_READ_CORRUPT;
    *failed = status == LOG_READ_ERROR;
    if (*failed)
        fprintf(stderr, "vitrace log: cannot be read at position %" PRIu64 "\n", record->position);
    return status == LOG_READ_RECORD || status == LOG_READ_CORRUPT;
}

struct log_check {
    struct log_segment_summary segment;
    size_t index; /* of the segment after this one */
    uint64_t records, damages; /* in this segment */
    uint64_t total_records, total_damages, damaged_bytes;
};

static void check_end_segment(struct log_check *self)
{
    printf("%s  positions %" PRIu64 " to %" PRIu64 "  %" PRIu64 " bytes  %" PRIu64 " records  ", self->segment.name,
           self->segment.first, self->segment.end, self->segment.bytes, self->records);
    if (self->segment.created_us == 0)
        puts("its header cannot be read");
    else if (self->damages > 0)
        printf("damaged in %" PRIu64 " places\n", self->damages);
    else
        puts("sound");
    self->total_records += self->records;
    self->total_damages += self->damages;
    self->records = self->damages = 0;
}

/* Reports the segments that end at or before `position`. */
static void check_pass(struct log_check *self, struct log *log, uint64_t position)
{
    while (self->index > 0 && position >= self->segment.end) {
        check_end_segment(self);
        if (!log_segment_at(log, self->index, &self->segment)) {
            self->index = 0;
            return;
        }
        self->index++;
    }
}

static void check_take(struct log_check *self, const struct log_record *record, bool is_damage)
{
    if (!is_damage) {
        self->records++;
        return;
    }
    self->damages++;
    self->damaged_bytes += record->next_position - record->position;
    printf("damage at position %" PRIu64 ": the next sound record may begin at %" PRIu64 " (%" PRIu64 " bytes)\n",
           record->position, record->next_position, record->next_position - record->position);
}

static int check_sum_up(const struct log_check *self, const struct command_log *log)
{
    uint64_t torn = counters_find(&log->counters, COUNTER_LOG_TORN_BYTES);
    if (torn > 0)
        printf("an unfinished write of %" PRIu64 " bytes at the end, which a start cuts off: nobody was promised it\n",
               torn);
    printf("%s: %" PRIu64 " segments, %" PRIu64 " records, damage in %" PRIu64 " places, %" PRIu64 " bytes\n",
           self->total_damages == 0 ? "sound" : "damaged", counters_find(&log->counters, COUNTER_LOG_SEGMENTS),
           self->total_records, self->total_damages, self->damaged_bytes);
    return self->total_damages == 0 ? COMMAND_OK : COMMAND_FAILED;
}

int command_log_check(struct command_log *self)
{
    struct log_check check = {0};
    struct log_record record;
    bool is_damage, failed;
    check.index = log_segment_at(self->log, 0, &check.segment) ? 1 : 0;
    while (command_log_next(self, &record, &is_damage, &failed)) {
        check_take(&check, &record, is_damage);
        check_pass(&check, self->log, record.next_position);
    }
    if (failed)
        return COMMAND_FAILED;
    check_pass(&check, self->log, log_durable_position(self->log));
    return check_sum_up(&check, self);
}

static int log_run(const struct command *self, int argc, char **argv, struct command_log *log)
{
    bool with_payload = argc == 4 && strcmp(argv[2], "--payload") == 0;
    const char *folder = with_payload ? argv[3] : argv[2];
    bool repairs = strcmp(argv[1], "repair") == 0;
    bool dumps = strcmp(argv[1], "dump") == 0;
    if (!(repairs ? argc == 4 : argc == 3 || (dumps && with_payload)))
        return command_misused(self, "%s takes %s", argv[1], repairs ? "two folders" : "one folder");
    if (!repairs && !dumps && strcmp(argv[1], "check") != 0)
        return command_misused(self, "unknown verb '%s'", argv[1]);
    if (!command_log_open(log, folder))
        return COMMAND_FAILED;
    int status = repairs ? command_log_repair(log, argv[3])
                         : dumps ? command_log_dump(log, with_payload) : command_log_check(log);
    command_log_close(log);
    return fflush(stdout) == 0 ? status : COMMAND_FAILED;
}

int command_log(const struct command *self, int argc, char **argv)
{
    struct command_log log;
    if (argc < 3)
        return command_misused(self, "a verb and a folder are needed");
    return log_run(self, argc, argv, &log);
}
