/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/body_plan.h"

/* The type without its parameters. */
static struct str media_type(struct str value)
{
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] == ';' || value.p[i] == ' ' || value.p[i] == '\t')
			return (struct str){ value.p, i };
	return value;
}

/* Whether what follows the type is parameters as mime.ParseMediaType takes them: "; charset=utf-8". */
static bool parameters_are_plain(struct str value)
{
	struct str type = media_type(value);
	size_t semicolons = 0;

	for (size_t i = type.n; i < value.n; i++) {
		if (value.p[i] == ',')
			return false;
		semicolons += value.p[i] == ';';
	}
	return semicolons <= 1;
}

static enum body_plan refuse(unsigned status, const char *text, unsigned *ret_status, const char **why)
{
	*ret_status = status;
	*why = text;
	return BODY_REFUSE;
}

enum body_plan body_plan_make(const struct http_request *request, const struct api_operation *operation,
			      unsigned *ret_status, const char **why)
{
	struct str type = media_type(request->content_type);
	bool json = str_ieqz(type, "application/json");

	if (request->framing == HTTP_BODY_NONE ||
	    (request->framing == HTTP_BODY_LENGTH && request->content_length == 0))
		return BODY_ABSENT;
	if (str_ieqz(type, "application/x-www-form-urlencoded") ||
	    (type.n >= 10 && strncasecmp(type.p, "multipart/", 10) == 0))
		return refuse(415, "a form body is refused: the engine would let it override the query",
			      ret_status, why);
	if (operation->body == API_BODY_STREAM)
		return BODY_STREAM;
	/* Length unknown yet: dockerode hijacks with an empty chunked body and no type. */
	if (!json && request->framing == HTTP_BODY_CHUNKED)
		return BODY_EMPTY;
	if (!json)
		return refuse(415, "a body for this operation must have Content-Type: application/json",
			      ret_status, why);
	if (!parameters_are_plain(request->content_type))
		return refuse(415, "Content-Type has parameters that could be read in two ways", ret_status,
			      why);
	if (request->content_encoding.n)
		return refuse(415, "Content-Encoding is refused on a body that is inspected", ret_status,
			      why);
	return operation->body == API_BODY_JSON ? BODY_INSPECT : BODY_DROP;
}
