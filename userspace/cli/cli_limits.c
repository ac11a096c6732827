/* SPDX-License-Identifier: BSD-2-Clause */
/* cli_limits.c - `sockgate explain --limits`: what a policy sets, and the default of everything else. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/cli_explain.h"

#define VALUE_TEXT_MAX 16384

static void put_choice(struct buf *b, const char *choices, unsigned index)
{
	while (index-- && (choices = strchr(choices, '|')))
		choices++;
	if (choices)
		buf_str(b, (struct str){ choices, strcspn(choices, "|") });
}

static void put_lists(struct buf *b, const struct policy_image *image, const struct policy_key_row *row,
		      struct image_list list)
{
	buf_putc(b, '[');
	for (uint32_t i = 0; i < list.count; i++) {
		buf_puts(b, i ? ", " : "");
		if (row->type == POLICY_BINDS) {
			const struct image_bind *bind = IMAGE_LIST(image, struct image_bind, list) + i;

			buf_puts(b, "{source: ");
			buf_json(b, image_string(image, bind->source));
			buf_printf(b, ", mode: %s}",
				   bind->force       ? "force-ro"
				   : bind->read_only ? "ro"
						     : "rw");
		} else {
			buf_json(b, image_string(image, IMAGE_LIST(image, struct image_str, list)[i]));
		}
	}
	buf_putc(b, ']');
}

/* As it could stand in a policy. */
void cli_limit_value(struct buf *b, const struct policy_image *image, const struct policy_key_row *row,
		     const struct image_value *value)
{
	switch (row->type) {
	case POLICY_BOOL:
		buf_puts(b, value->flag ? "true" : "false");
		break;
	case POLICY_CHOICE:
		put_choice(b, row->choices, value->flag);
		break;
	case POLICY_NUMBER:
	case POLICY_SIZE:
		buf_u64(b, value->number);
		break;
	case POLICY_STRINGS:
	case POLICY_BINDS:
		put_lists(b, image, row, value->list);
		break;
	}
}

static void print_json(const struct policy_key_row *row, const struct image_value *value, struct str text)
{
	char memory[6 * VALUE_TEXT_MAX + 2048];
	struct buf b = buf_over(memory, sizeof(memory));

	buf_puts(&b, row->key ? ",\n{\"limit\":" : "[\n{\"limit\":");
	buf_printf(&b, "\"%s.%s\",\"set\":%s,\"value\":", row->section, row->name,
		   value->set ? "true" : "false");
	buf_json(&b, text);
	buf_puts(&b, ",\"field\":");
	buf_json(&b, str_from(row->field));
	buf_printf(&b, ",\"since\":\"%s\",\"help\":", row->since);
	buf_json(&b, str_from(row->help));
	buf_putc(&b, '}');
	fwrite(b.p, 1, b.n, stdout);
}

int explain_limits(const struct explain_options *o, const struct policy_image *image,
		   const struct image_policy *policy)
{
	for (unsigned i = 0; i < POLICY_KEYS; i++) {
		const struct policy_key_row *row = &policy_keys[i];
		const struct image_value *value = &policy->values[i];
		char memory[VALUE_TEXT_MAX];
		struct buf b = buf_over(memory, sizeof(memory));

		cli_limit_value(&b, image, row, value);
		if (o->json) {
			print_json(row, value, buf_view(&b));
			continue;
		}
		printf("%s.%s: %.*s", row->section, row->name, STR_ARG(buf_view(&b)));
		if (value->set)
			printf("   # %.*s:%u", STR_ARG(image_string(image, value->source.file)),
			       value->source.line);
		printf("\n    %s\n", row->help);
	}
	if (o->json)
		puts("\n]");
	return CLI_FINE;
}
