/*
 * ShuffleBench's matcher, as apps/shuffle/match has it: rules are ranges of equal width on a ring
 * of 63 bits, which together match SELECTIVITY of a line on average. The ring has slots, and a line
 * is compared with the rules that reach into its slot only.
 */
#include <stdlib.h>

#include <mr/native.h>
#include <mr/value.h>

#include "random.h"
#include "words.h"

#define SELECTIVITY 0.2

enum { RULES, SETTINGS }; /* stage->settings */
enum { DATA };            /* of a Line */
enum { SLOT_BITS = 47, SLOTS = 65536 };

static const uint64_t ring_mask = UINT64_MAX >> 1;
static const uint64_t rule_seed = UINT64_C(0x2e3fac4f58fc98b4);

typedef struct placed_rule {
    uint64_t offset;
    uint32_t rule;
} placed_rule;

typedef struct line_matcher {
    uint64_t width;
    uint32_t first[SLOTS + 1]; /* the rules of slot s: from first[s] to below first[s + 1] */
    placed_rule *placed;
    mr_buf key;
} line_matcher;

static uint64_t offset_of(uint64_t rule)
{
    return random_at(rule_seed, rule) & ring_mask;
}

/* How many slots a rule reaches into, from that of its offset on. */
static uint64_t reach(const line_matcher *matcher, uint64_t offset)
{
    return ((offset + matcher->width - 1) >> SLOT_BITS) - (offset >> SLOT_BITS) + 1;
}

static mr_status open_matcher(const mr_stage *stage, void **ret_self, mr_error *err)
{
    const uint64_t n = (uint64_t)stage->settings[RULES];
    line_matcher *matcher = calloc(1, sizeof(*matcher));
    if (matcher == NULL) {
        return mr_error_set(err, MR_ERR_SYSTEM, "no memory");
    }
    matcher->width = (uint64_t)(SELECTIVITY / (double)n * 0x1p63);
    for (uint64_t rule = 0; rule < n; rule++) {
        const uint64_t offset = offset_of(rule);
        for (uint64_t i = 0; i < reach(matcher, offset); i++) {
            matcher->first[((offset >> SLOT_BITS) + i) % SLOTS]++;
        }
    }
    /* Counts become ends, and ends beginnings as the rules are put before them. */
    for (size_t slot = 1; slot <= SLOTS; slot++) {
        matcher->first[slot] += matcher->first[slot - 1];
    }
    matcher->placed = calloc(matcher->first[SLOTS] + 1, sizeof(matcher->placed[0]));
    if (matcher->placed == NULL) {
        free(matcher);
        return mr_error_set(err, MR_ERR_SYSTEM, "no memory");
    }
    for (uint64_t rule = n; rule-- > 0;) {
        const uint64_t offset = offset_of(rule);
        for (uint64_t i = 0; i < reach(matcher, offset); i++) {
            const size_t slot = ((offset >> SLOT_BITS) + i) % SLOTS;
            matcher->placed[--matcher->first[slot]] =
                (placed_rule){.offset = offset, .rule = (uint32_t)rule};
        }
    }
    *ret_self = matcher;
    return MR_OK;
}

static void close_matcher(void *self)
{
    line_matcher *matcher = self;
    mr_buf_deinit(&matcher->key);
    free(matcher->placed);
    free(matcher);
}

static mr_status send(line_matcher *matcher, mr_call *call, uint32_t rule, mr_error *err)
{
    mr_buf_clear(&matcher->key);
    mr_buf_append_text(&matcher->key, "rule-");
    mr_buf_append_integer(&matcher->key, rule);
    mr_output output = {.topic = mr_context_stage(call->context)->to[0],
                        .key = mr_buf_bytes(&matcher->key),
                        .schema = call->schema,
                        .value = call->input,
                        .envelope = MR_ENVELOPE_NULL};
    mr_call_derive(call, &output);
    return mr_context_send(call->context, &output, err);
}

static mr_status on_line(void *self, mr_call *call, mr_error *err)
{
    line_matcher *matcher = self;
    uint64_t words[2] = {0};
    MR_TRY(words_read(call, DATA, words, 2, err));
    const uint64_t hash = random_mix(words[0] + random_mix(words[1])) & ring_mask;
    const size_t slot = (size_t)(hash >> SLOT_BITS);
    for (uint32_t i = matcher->first[slot]; i < matcher->first[slot + 1]; i++) {
        const placed_rule *placed = &matcher->placed[i];
        if (((hash - placed->offset) & ring_mask) < matcher->width) {
            MR_TRY(send(matcher, call, placed->rule, err));
        }
    }
    return MR_OK;
}

static const mr_native_function functions[] = {{MR_ON, "Line", on_line}};
static const mr_native_setting settings[SETTINGS] = {[RULES] = {"rules", 1, 100000000}};

const mr_native mr_native_handlers = {
    .abi = MR_NATIVE_ABI,
    .functions = functions,
    .n_functions = 1,
    .settings = settings,
    .n_settings = SETTINGS,
    .open = open_matcher,
    .close = close_matcher,
};
