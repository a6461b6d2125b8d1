/* Made by vectors.py with fastavro 1.13.1; not to be edited. */
#pragma once

#include <stdint.h>

/* clang-format off */
static const struct {
    const char *schema;
    uint64_t fingerprint;
    const char *hex;
    const char *json;
} fastavro_encodings[] = {
    {"\"null\"",
     UINT64_C(0x63dd24e7cc258f8a), "",
     "null"},
    {"\"boolean\"",
     UINT64_C(0x9f42fc78a4d4f764), "01",
     "true"},
    {"\"int\"",
     UINT64_C(0x7275d51a3f395c8f), "ffffffff0f",
     "-2147483648"},
    {"\"int\"",
     UINT64_C(0x7275d51a3f395c8f), "feffffff0f",
     "2147483647"},
    {"\"long\"",
     UINT64_C(0xd054e14493f41db7), "ffffffffffffffffff01",
     "-9223372036854775808"},
    {"\"long\"",
     UINT64_C(0xd054e14493f41db7), "feffffffffffffffff01",
     "9223372036854775807"},
    {"\"long\"",
     UINT64_C(0xd054e14493f41db7), "808001",
     "8192"},
    {"\"float\"",
     UINT64_C(0x4d7c02cb3ea8d790), "0000c03f",
     "1.5"},
    {"\"double\"",
     UINT64_C(0x8e7535c032ab957e), "9a9999999999b9bf",
     "-0.1"},
    {"\"string\"",
     UINT64_C(0x8f014872634503c7), "0e68c3a9f09f8eab",
     "\"h\\u00e9\\ud83c\\udfab\""},
    {"\"string\"",
     UINT64_C(0x8f014872634503c7), "00",
     "\"\""},
    {"\"bytes\"",
     UINT64_C(0x4fc016dac3201965), "0400ff",
     "\"\\u0000\\u00ff\""},
    {"{\"type\":\"enum\",\"name\":\"Color\",\"symbols\":[\"RED\",\"GREEN\",\"BLUE"
     "\"]}",
     UINT64_C(0xd34c44fc16e4006e), "04",
     "\"BLUE\""},
    {"{\"type\":\"array\",\"items\":\"int\"}",
     UINT64_C(0x522b814fc963b4be), "00",
     "[]"},
    {"{\"type\":\"array\",\"items\":\"int\"}",
     UINT64_C(0x522b814fc963b4be), "060201d80400",
     "[1,-1,300]"},
    {"{\"type\":\"map\",\"values\":\"string\"}",
     UINT64_C(0x86ce965d92864572), "040261023102620000",
     "{\"a\":\"1\",\"b\":\"\"}"},
    {"[\"null\",\"string\"]",
     UINT64_C(0x9845f21eb77ec49d), "00",
     "null"},
    {"[\"null\",\"string\"]",
     UINT64_C(0x9845f21eb77ec49d), "020278",
     "\"x\""},
    {"{\"type\":\"record\",\"name\":\"Item\",\"namespace\":\"t\",\"fields\":[{\"na"
     "me\":\"id\",\"type\":\"string\"},{\"name\":\"n\",\"type\":\"int\"}]}",
     UINT64_C(0x8fec890a7b0cde11), "024105",
     "{\"id\":\"A\",\"n\":-3}"},
    {"{\"type\":\"record\",\"name\":\"Cart\",\"namespace\":\"t\",\"fields\":[{\"na"
     "me\":\"id\",\"type\":\"string\"},{\"name\":\"at\",\"type\":{\"type\":\"long"
     "\",\"logicalType\":\"timestamp-millis\"}},{\"name\":\"items\",\"type\":{\"ty"
     "pe\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"Item\",\"namespace"
     "\":\"t\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name"
     "\":\"n\",\"type\":\"int\"}]}}},{\"name\":\"tags\",\"type\":{\"type\":\"map"
     "\",\"values\":[\"null\",\"double\"]}},{\"name\":\"note\",\"type\":[\"null"
     "\",\"string\"],\"default\":null}]}",
     UINT64_C(0xd85b50e8f390214e), "04633180a5c494b35c04026902026a04000402700200000000000004400271000000",
     "{\"id\":\"c1\",\"at\":1587414600000,\"items\":[{\"id\":\"i\",\"n\":1},{\"id"
     "\":\"j\",\"n\":2}],\"tags\":{\"p\":2.5,\"q\":null},\"note\":null}"},
    {"{\"type\":\"record\",\"name\":\"Cart\",\"namespace\":\"t\",\"fields\":[{\"na"
     "me\":\"id\",\"type\":\"string\"},{\"name\":\"at\",\"type\":{\"type\":\"long"
     "\",\"logicalType\":\"timestamp-millis\"}},{\"name\":\"items\",\"type\":{\"ty"
     "pe\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"Item\",\"namespace"
     "\":\"t\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name"
     "\":\"n\",\"type\":\"int\"}]}}},{\"name\":\"tags\",\"type\":{\"type\":\"map"
     "\",\"values\":[\"null\",\"double\"]}},{\"name\":\"note\",\"type\":[\"null"
     "\",\"string\"],\"default\":null}]}",
     UINT64_C(0xd85b50e8f390214e), "0001000002046869",
     "{\"id\":\"\",\"at\":-1,\"items\":[],\"tags\":{},\"note\":\"hi\"}"},
    {"{\"type\":\"record\",\"name\":\"Node\",\"fields\":[{\"name\":\"v\",\"type"
     "\":\"long\"},{\"name\":\"kids\",\"type\":{\"type\":\"array\",\"items\":\"Nod"
     "e\"}}]}",
     UINT64_C(0x5e751c18692b5365), "02040400060208000000",
     "{\"v\":1,\"kids\":[{\"v\":2,\"kids\":[]},{\"v\":3,\"kids\":[{\"v\":4,\"kids"
     "\":[]}]}]}"},
    {"{\"type\":\"record\",\"name\":\"Many\",\"fields\":[{\"name\":\"b\",\"type"
     "\":\"boolean\"},{\"name\":\"i\",\"type\":\"int\"},{\"name\":\"l\",\"type"
     "\":\"long\"},{\"name\":\"f\",\"type\":\"float\"},{\"name\":\"d\",\"type"
     "\":\"double\"},{\"name\":\"y\",\"type\":\"bytes\"},{\"name\":\"s\",\"type"
     "\":\"string\"},{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name"
     "\":\"X\",\"size\":3}},{\"name\":\"c\",\"type\":{\"type\":\"enum\",\"name"
     "\":\"Color\",\"symbols\":[\"RED\",\"GREEN\",\"BLUE\"]}},{\"name\":\"z\",\"ty"
     "pe\":\"null\"},{\"name\":\"u\",\"type\":[\"int\",\"string\",{\"type\":\"arra"
     "y\",\"items\":\"long\"}]}]}",
     UINT64_C(0x9573693aae06f1d5), "000e0d0000803e9c7500883ce4377e046162027378797a0204040a0c00",
     "{\"b\":false,\"i\":7,\"l\":-7,\"f\":0.25,\"d\":10000000000000000525047602552"
     "0442024870446858110815915491585411551180245798890819578637137508044786404370"
     "4443832883878176942523235360430575644792184786706982848387200926575803737830"
     "2337947880900593689532349707999450811190389676408800746527427801424945792587"
     "88820056842838115669472196386865459400540160,\"y\":\"ab"
     "\",\"s\":\"s\",\"x\":\"xyz\",\"c\":\"GREEN\",\"z\":null,\"u\":[5,6]}"},
    {"{\"type\":\"record\",\"name\":\"Many\",\"fields\":[{\"name\":\"b\",\"type"
     "\":\"boolean\"},{\"name\":\"i\",\"type\":\"int\"},{\"name\":\"l\",\"type"
     "\":\"long\"},{\"name\":\"f\",\"type\":\"float\"},{\"name\":\"d\",\"type"
     "\":\"double\"},{\"name\":\"y\",\"type\":\"bytes\"},{\"name\":\"s\",\"type"
     "\":\"string\"},{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name"
     "\":\"X\",\"size\":3}},{\"name\":\"c\",\"type\":{\"type\":\"enum\",\"name"
     "\":\"Color\",\"symbols\":[\"RED\",\"GREEN\",\"BLUE\"]}},{\"name\":\"z\",\"ty"
     "pe\":\"null\"},{\"name\":\"u\",\"type\":[\"int\",\"string\",{\"type\":\"arra"
     "y\",\"items\":\"long\"}]}]}",
     UINT64_C(0x9573693aae06f1d5), "010000000000bf000000000000e03f000001020300020874657874",
     "{\"b\":true,\"i\":0,\"l\":0,\"f\":-0.5,\"d\":0.5,"
     "\"y\":\"\",\"s\":\"\",\"x\":\"\\u0001\\u0002\\u0003\",\"c\":\"RED\",\"z\":nu"
     "ll,\"u\":\"text\"}"},
};

static const struct {
    const char *name;
    const char *writer;
    const char *reader;
    const char *hex;
    const char *json;
} fastavro_resolutions[] = {
    {"added field",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type"
     "\":\"int\"}]}",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type"
     "\":\"int\"},{\"name\":\"b\",\"type\":\"string\",\"default\":\"x\"}]}",
     "02",
     "{\"a\":1,\"b\":\"x\"}"},
    {"removed field",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"gone\",\"type"
     "\":{\"type\":\"array\",\"items\":{\"type\":\"map\",\"values\":{\"type\":\"re"
     "cord\",\"name\":\"Item\",\"namespace\":\"t\",\"fields\":[{\"name\":\"id"
     "\",\"type\":\"string\"},{\"name\":\"n\",\"type\":\"int\"}]}}}},{\"name"
     "\":\"a\",\"type\":\"int\"}]}",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type"
     "\":\"int\"}]}",
     "0402026b0269020000000a",
     "{\"a\":5}"},
    {"reordered",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type"
     "\":\"int\"},{\"name\":\"b\",\"type\":\"string\"}]}",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"b\",\"type"
     "\":\"string\"},{\"name\":\"a\",\"type\":\"int\"}]}",
     "020279",
     "{\"b\":\"y\",\"a\":1}"},
    {"int to long",
     "\"int\"",
     "\"long\"",
     "09",
     "-5"},
    {"int to float",
     "\"int\"",
     "\"float\"",
     "06",
     "3"},
    {"int to double",
     "\"int\"",
     "\"double\"",
     "06",
     "3"},
    {"long to float",
     "\"long\"",
     "\"float\"",
     "08",
     "4"},
    {"long to double",
     "\"long\"",
     "\"double\"",
     "08",
     "4"},
    {"float to double",
     "\"float\"",
     "\"double\"",
     "0000003f",
     "0.5"},
    {"string to bytes",
     "\"string\"",
     "\"bytes\"",
     "046162",
     "\"ab\""},
    {"bytes to string",
     "\"bytes\"",
     "\"string\"",
     "046162",
     "\"ab\""},
    {"enum by name",
     "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\",\"C\"]}",
     "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"C\",\"B\",\"A\"]}",
     "00",
     "\"A\""},
    {"enum default",
     "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\",\"NEW\"]}",
     "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"B\",\"OLD\"],\"default"
     "\":\"OLD\"}",
     "04",
     "\"OLD\""},
    {"union widened",
     "[\"null\",\"string\"]",
     "[\"null\",\"long\",\"string\"]",
     "020277",
     "\"w\""},
    {"into a union",
     "\"string\"",
     "[\"null\",\"string\"]",
     "0277",
     "\"w\""},
    {"into a union, promoted",
     "\"int\"",
     "[\"null\",\"string\",\"double\"]",
     "0e",
     "7"},
    {"out of a union",
     "[\"null\",\"int\"]",
     "\"long\"",
     "020e",
     "7"},
    {"array of records with an added field",
     "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"In\",\"fields"
     "\":[{\"name\":\"a\",\"type\":\"int\"}]}}",
     "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"In\",\"fields"
     "\":[{\"name\":\"a\",\"type\":\"long\"},{\"name\":\"b\",\"type\":\"string"
     "\",\"default\":\"new\"}]}}",
     "04020400",
     "[{\"a\":1,\"b\":\"new\"},{\"a\":2,\"b\":\"new\"}]"},
    {"map of records in a union",
     "{\"type\":\"map\",\"values\":[\"null\",{\"type\":\"record\",\"name\":\"In"
     "\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}]}",
     "{\"type\":\"map\",\"values\":[{\"type\":\"record\",\"name\":\"In\",\"fields"
     "\":[{\"name\":\"a\",\"type\":\"long\"},{\"name\":\"b\",\"type\":\"string"
     "\",\"default\":\"new\"}]},\"null\"]}",
     "04026b0212026c0000",
     "{\"k\":{\"a\":9,\"b\":\"new\"},\"l\":null}"},
    {"field alias",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"old\",\"type"
     "\":\"int\"}]}",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"new\",\"type"
     "\":\"int\",\"aliases\":[\"old\"]}]}",
     "08",
     "{\"new\":4}"},
    {"record alias",
     "{\"type\":\"record\",\"name\":\"Old\",\"fields\":[{\"name\":\"a\",\"type"
     "\":\"int\"}]}",
     "{\"type\":\"record\",\"name\":\"New\",\"aliases\":[\"Old\"],\"fields\":[{"
     "\"name\":\"a\",\"type\":\"int\"}]}",
     "08",
     "{\"a\":4}"},
    {"recursive",
     "{\"type\":\"record\",\"name\":\"Node\",\"fields\":[{\"name\":\"v\",\"type"
     "\":\"long\"},{\"name\":\"kids\",\"type\":{\"type\":\"array\",\"items\":\"Nod"
     "e\"}}]}",
     "{\"type\":\"record\",\"name\":\"Node\",\"fields\":[{\"name\":\"kids\",\"type"
     "\":{\"type\":\"array\",\"items\":\"Node\"}},{\"name\":\"v\",\"type\":\"doubl"
     "e\"},{\"name\":\"w\",\"type\":\"int\",\"default\":3}]}",
     "0202040000",
     "{\"kids\":[{\"kids\":[],\"v\":2,\"w\":3}],\"v\":1,\"w\":3}"},
    {"default of every kind",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"b\",\"type"
     "\":\"boolean\",\"default\":true},{\"name\":\"i\",\"type\":\"int\",\"default"
     "\":-1},{\"name\":\"l\",\"type\":\"long\",\"default\":1099511627776},{\"name"
     "\":\"f\",\"type\":\"float\",\"default\":1.5},{\"name\":\"d\",\"type\":\"doub"
     "le\",\"default\":2},{\"name\":\"y\",\"type\":\"bytes\",\"default\":\"a\\u00f"
     "f\"},{\"name\":\"s\",\"type\":\"string\",\"default\":\"def\"},{\"name"
     "\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"Color\",\"symbols\":[\"RED"
     "\",\"GREEN\",\"BLUE\"]},\"default\":\"GREEN\"},{\"name\":\"a\",\"type\":{"
     "\"type\":\"array\",\"items\":\"int\"},\"default\":[1,2]},{\"name"
     "\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"int\"},\"default\":{\"k\":1"
     "}},{\"name\":\"u\",\"type\":[\"null\",\"int\"],\"default\":null},{\"name"
     "\":\"v\",\"type\":[\"int\",\"null\"],\"default\":8},{\"name\":\"r\",\"type"
     "\":{\"type\":\"record\",\"name\":\"Item\",\"namespace\":\"t\",\"fields\":[{"
     "\"name\":\"id\",\"type\":\"string\"},{\"name\":\"n\",\"type\":\"int\"}]},"
     "\"default\":{\"id\":\"d\",\"n\":1}}]}",
     "",
     "{\"b\":true,\"i\":-1,\"l\":1099511627776,\"f\":1.5,\"d\":2,\"y\":\"a\\u00ff"
     "\",\"s\":\"def\",\"e\":\"GREEN\",\"a\":[1,2],\"m\":{\"k\":1},\"u\":null,"
     "\"v\":8,\"r\":{\"id\":\"d\",\"n\":1}}"},
};
/* clang-format on */
