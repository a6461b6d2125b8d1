#include <mr/json.h>

#include <inttypes.h>

#include <mr/value.h>

#include "core/text.h"
#include "serde/json_scan.h"

mr_json_writer mr_json_writer_on(mr_buf *out)
{
    return (mr_json_writer){.out = out};
}

static bool in_object(const mr_json_writer *writer)
{
    return writer->depth > 0 && (writer->objects >> (writer->depth - 1) & 1) != 0;
}

/* Before each value: a comma, unless it is the first of what is open or has its name before it. */
static void begin_value(mr_json_writer *writer)
{
    assert(writer->has_name == in_object(writer));
    assert(writer->depth > 0 || !writer->has_items);
    if (writer->has_items && !writer->has_name) {
        mr_buf_append_byte(writer->out, ',');
    }
    writer->has_items = true;
    writer->has_name = false;
}

static void open_with(mr_json_writer *writer, uint8_t bracket, bool object)
{
    begin_value(writer);
    assert(writer->depth < MR_JSON_DEPTH_MAX);
    const uint64_t bit = UINT64_C(1) << writer->depth++;
    writer->objects = object ? writer->objects | bit : writer->objects & ~bit;
    writer->has_items = false;
    mr_buf_append_byte(writer->out, bracket);
}

static void close_with(mr_json_writer *writer, uint8_t bracket, bool object)
{
    assert(writer->depth > 0 && in_object(writer) == object && !writer->has_name);
    writer->depth--;
    writer->has_items = true;
    mr_buf_append_byte(writer->out, bracket);
}

void mr_json_open_object(mr_json_writer *writer)
{
    open_with(writer, '{', true);
}

void mr_json_close_object(mr_json_writer *writer)
{
    close_with(writer, '}', true);
}

void mr_json_open_array(mr_json_writer *writer)
{
    open_with(writer, '[', false);
}

void mr_json_close_array(mr_json_writer *writer)
{
    close_with(writer, ']', false);
}

void mr_json_put_name(mr_json_writer *writer, const char *name)
{
    mr_json_put_name_bytes(writer, mr_bytes_text(name));
}

void mr_json_put_name_bytes(mr_json_writer *writer, mr_bytes name)
{
    assert(in_object(writer) && !writer->has_name);
    if (writer->has_items) {
        mr_buf_append_byte(writer->out, ',');
    }
    mr_text_append_json(writer->out, name);
    mr_buf_append_byte(writer->out, ':');
    writer->has_name = true;
}

void mr_json_put_text(mr_json_writer *writer, const char *text)
{
    mr_json_put_bytes(writer, mr_bytes_text(text));
}

void mr_json_put_bytes(mr_json_writer *writer, mr_bytes text)
{
    if (mr_bytes_is_null(text)) {
        mr_json_put_null(writer);
        return;
    }
    begin_value(writer);
    mr_text_append_json(writer->out, text);
}

void mr_json_put_integer(mr_json_writer *writer, int64_t number)
{
    begin_value(writer);
    mr_buf_printf(writer->out, "%" PRId64, number);
}

void mr_json_put_number(mr_json_writer *writer, double number)
{
    begin_value(writer);
    mr_json_append_double(writer->out, number);
}

void mr_json_put_boolean(mr_json_writer *writer, bool boolean)
{
    begin_value(writer);
    mr_buf_append_text(writer->out, boolean ? "true" : "false");
}

void mr_json_put_null(mr_json_writer *writer)
{
    begin_value(writer);
    mr_buf_append_text(writer->out, "null");
}

void mr_json_put_raw(mr_json_writer *writer, mr_bytes json)
{
    begin_value(writer);
    mr_buf_append_bytes(writer->out, json);
}

void mr_json_put_value(mr_json_writer *writer, const mr_type *type, const void *value)
{
    begin_value(writer);
    mr_value_to_json(type, value, writer->out);
}

void mr_json_finish(const mr_json_writer *writer)
{
    assert(writer->depth == 0 && writer->has_items && !writer->has_name);
    (void)writer;
}
