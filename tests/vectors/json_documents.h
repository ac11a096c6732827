/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_documents.h - 33 documents that JSON readers disagree about: two plainly good, one that is JSON but folds
 * ambiguously (whoever knows the fields refuses it), thirty that a gate refuses.
 */
#ifndef SOCKGATE_VECTORS_JSON_DOCUMENTS_H
#define SOCKGATE_VECTORS_JSON_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>

struct json_document {
	const char *name;
	bool load; /* is JSON without ambiguity as far as syntax goes */
	const char *bytes;
	size_t n;
};

#define DOCUMENT(name, load, bytes) { name, load, bytes, sizeof(bytes) - 1 }
static const struct json_document json_documents[] = {
	DOCUMENT("valid object", true, "{\"Privileged\":false}"),
	DOCUMENT("dup key exact", false, "{\"Privileged\":false,\"Privileged\":true}"),
	DOCUMENT("dup key via \\u escape", false, "{\"Privileged\":false,\"\\u0050rivileged\":true}"),
	DOCUMENT("dup key nested", false, "{\"HostConfig\":{\"a\":1,\"a\":2}}"),
	DOCUMENT("dup nested objects", false, "{\"HostConfig\":{\"a\":1},\"HostConfig\":{\"Privileged\":true}}"),
	DOCUMENT("case-variant key", true, "{\"Privileged\":false,\"privileged\":true}"),
	DOCUMENT("trailing garbage", false, "{\"a\":1} x"),
	DOCUMENT("second document", false, "{\"a\":1}{\"a\":2}"),
	DOCUMENT("trailing newline ok", true, "{\"a\":1}\n"),
	DOCUMENT("invalid UTF-8 in string", false, "{\"a\":\"\xff\"}"),
	DOCUMENT("overlong UTF-8 (C0 AF)", false, "{\"a\":\"\xc0\xaf\"}"),
	DOCUMENT("lone surrogate \\ud800", false, "{\"a\":\"\\ud800\"}"),
	DOCUMENT("\\u0000 in key", false, "{\"Priv\\u0000ileged\":true}"),
	DOCUMENT("\\u0000 in value", false, "{\"a\":\"x\\u0000y\"}"),
	DOCUMENT("raw NUL after doc", false, "{\"a\":1}\0{\"a\":2}"),
	DOCUMENT("raw NUL in string", false, "{\"a\":\"x\0y\"}"),
	DOCUMENT("comment", false, "{/*x*/\"a\":1}"),
	DOCUMENT("single quotes", false, "{'a':1}"),
	DOCUMENT("unquoted key", false, "{a:1}"),
	DOCUMENT("leading zero 01", false, "{\"a\":01}"),
	DOCUMENT("plus sign +1", false, "{\"a\":+1}"),
	DOCUMENT("NaN", false, "{\"a\":NaN}"),
	DOCUMENT("1e999", false, "{\"a\":1e999}"),
	DOCUMENT("int > 2^64", false, "{\"a\":99999999999999999999}"),
	DOCUMENT("trailing comma", false, "{\"a\":1,}"),
	DOCUMENT("BOM prefix", false, "\xef\xbb\xbf{\"a\":1}"),
	DOCUMENT("raw control char in string", false, "{\"a\":\"x\x01y\"}"),
	DOCUMENT("raw newline in string", false, "{\"a\":\"x\ny\"}"),
	DOCUMENT("form-feed whitespace", false, "{\f\"a\":1}"),
	DOCUMENT("truncated", false, "{\"a\":1"),
	DOCUMENT("empty", false, ""),
	DOCUMENT("top-level scalar", false, "true"),
	DOCUMENT("TRUE (case)", false, "{\"a\":TRUE}"),
};
#undef DOCUMENT

#endif
