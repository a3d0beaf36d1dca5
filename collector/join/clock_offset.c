#include "collector/join/clock_offset.h"

static bool is_time(int64_t us)
{
    return us >= -CLOCK_OFFSET_TIME_MAX_US && us <= CLOCK_OFFSET_TIME_MAX_US;
}

static bool is_pair(const struct clock_offset_pair *pair)
{
    return is_time(pair->sent_us) && is_time(pair->first_byte_us) && is_time(pair->began_us) &&
           pair->sent_us <= pair->first_byte_us;
}

static int64_t least_of(const struct clock_offset_pair *pair)
{
    return pair->began_us - pair->first_byte_us - CLOCK_OFFSET_GRAIN_US;
}

static int64_t most_of(const struct clock_offset_pair *pair)
{
    return pair->began_us - pair->sent_us + CLOCK_OFFSET_GRAIN_US;
}

/* What meets at one offset: how many pairs, and how far up they still do. */
struct meeting {
    uint32_t count;
    int64_t until_us;
};

static struct meeting meet(const struct clock_offset_pair *pair, size_t count, int64_t offset_us)
{
    struct meeting meeting = {0, INT64_MAX};
    for (size_t i = 0; i < count; i++) {
        if (!is_pair(&pair[i]) || offset_us < least_of(&pair[i]) || offset_us > most_of(&pair[i]))
            continue;
        meeting.count++;
        if (most_of(&pair[i]) < meeting.until_us)
            meeting.until_us = most_of(&pair[i]);
    }
    return meeting;
}

/* Where most pairs meet begins at the lower bound of one of them. */
static struct meeting find_best(const struct clock_offset_pair *pair, size_t count, int64_t *from_us)
{
    struct meeting best = {0};
    for (size_t i = 0; i < count; i++) {
        if (!is_pair(&pair[i]))
            continue;
        struct meeting meeting = meet(pair, count, least_of(&pair[i]));
        if (meeting.count < best.count)
            continue;
        bool is_better = meeting.count > best.count;
        if (is_better || least_of(&pair[i]) < *from_us)
            *from_us = least_of(&pair[i]);
        if (is_better || meeting.until_us > best.until_us)
            best.until_us = meeting.until_us;
        best.count = meeting.count;
    }
    return best;
}

struct clock_offset clock_offset_of(const struct clock_offset_pair *pair, size_t count, int64_t receipt_us)
{
    struct clock_offset answer = {0};
    int64_t from_us = 0;
    struct meeting best = find_best(pair, count, &from_us);
    for (size_t i = 0; i < count; i++)
        answer.pairs += is_pair(&pair[i]);
    if (best.count == 0)
        return answer;
    answer.is_known = true;
    answer.conflicts = answer.pairs - best.count;
    if (receipt_us < from_us)
        answer.conflicts++; /* the collector's own clock: the pairs know better */
    else if (receipt_us < best.until_us)
        best.until_us = receipt_us;
    answer.error_us = (best.until_us - from_us + 1) / 2;
    answer.offset_us = from_us + (best.until_us - from_us) / 2;
    return answer;
}
