#include "tests/support/index_fixture.h"

#include <dirent.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/store/store.h"

static uint64_t fixture_unix_us(void *context)
{
    struct index_fixture *self = context;
    return atomic_load(&self->now_us);
}

void index_fixture_init(struct index_fixture *self)
{
    char error[256] = "";
    memset(self, 0, sizeof *self);
    snprintf(self->folder, sizeof self->folder, "/tmp/vitrace-index-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->log_folder, sizeof self->log_folder, "%s/log", self->folder);
    snprintf(self->index_path, sizeof self->index_path, "%s/index.db", self->folder);
    self->os = *os_posix();
    self->os.context = self;
    self->os.unix_us = fixture_unix_us;
    atomic_store(&self->now_us, INDEX_FIXTURE_NOW_US);
    struct log_options options = {.folder = self->log_folder, .segment_bytes = 1 << 20, .counters = &self->counters};
    self->log = log_open(&options, error, sizeof error);
    if (!self->log)
        fail_msg("%s", error);
}

static void fixture_remove(const char *folder)
{
    char name[512];
    DIR *list = opendir(folder);
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;) {
        snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        if (entry->d_type != DT_DIR)
            unlink(name);
    }
    if (list)
        closedir(list);
    rmdir(folder);
}

void index_fixture_release(struct index_fixture *self)
{
    index_fixture_stop(self);
    log_close(self->log);
    fixture_remove(self->log_folder);
    fixture_remove(self->folder);
}

void index_fixture_start(struct index_fixture *self)
{
    char error[256] = "";
    struct sinks_options options = {.log = self->log,
                                    .store_path = self->index_path,
                                    .os = &self->os,
                                    .counters = &self->counters,
                                    .duplicates = self->duplicates,
                                    .batch_records = self->batch_records};
    self->sinks = sinks_start(&options, error, sizeof error);
    if (!self->sinks)
        fail_msg("%s", error);
    struct api_options api = {.log = self->log, .store_path = self->index_path, .os = &self->os};
    self->api = api_new(&api, error, sizeof error);
    if (!self->api)
        fail_msg("%s", error);
    index_fixture_catch_up(self);
}

void index_fixture_catch_up(struct index_fixture *self)
{
    assert_true(sinks_wait(self->sinks, self->position, 20000));
}

void index_fixture_stop(struct index_fixture *self)
{
    api_free(self->api);
    sinks_stop(self->sinks);
    self->api = NULL;
    self->sinks = NULL;
}

struct fixture_append {
    struct append append; /* first: done() gets its address */
    sem_t done;
};

static void fixture_done(struct append *append)
{
    sem_post(&((struct fixture_append *)append)->done);
}

uint64_t index_fixture_append(struct index_fixture *self, enum append_type type, struct slice payload)
{
    struct fixture_append append = {
        .append = {
            .type = type, .payload = payload, .received_unix_us = atomic_load(&self->now_us), .done = fixture_done}};
    sem_init(&append.done, 0, 0);
    log_take(self->log, &append.append);
    sem_wait(&append.done);
    sem_destroy(&append.done);
    assert_int_equal(append.append.result, APPEND_DURABLE);
    self->newest = append.append.position;
    self->position = log_durable_position(self->log);
    return self->newest;
}

json_t *index_fixture_ask(struct index_fixture *self, const char *path, const char *query, int status)
{
    struct buf out;
    json_error_t error;
    buf_init(&out, API_ANSWER_BYTES_MAX);
    int answered = api_answer(self->api, slice_text(path), slice_text(query), &out);
    json_t *answer = json_loadb((const char *)out.data, out.size, 0, &error);
    if (!answer)
        fail_msg("%s?%s: %s in %.*s", path, query, error.text, (int)out.size, (const char *)out.data);
    if (answered != status)
        fail_msg("%s?%s: status %d: %.*s", path, query, answered, (int)out.size, (const char *)out.data);
    buf_release(&out);
    return answer;
}

char *index_fixture_ask_text(struct index_fixture *self, const char *path, const char *query)
{
    json_t *answer = index_fixture_ask(self, path, query, 200);
    char *text = json_dumps(answer, JSON_SORT_KEYS | JSON_INDENT(1));
    json_decref(answer);
    assert_non_null(text);
    return text;
}
