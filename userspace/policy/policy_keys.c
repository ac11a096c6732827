/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_keys.h"

const struct policy_key_row policy_keys[POLICY_KEYS] = {
#define KEY(id, section_, name_, type_, choices_, fallback_, field_, since_, help_) \
	[POLICY_KEY_##id] = { POLICY_KEY_##id, section_, name_,  POLICY_##type_, choices_, \
			      fallback_,       field_,   since_, help_ },
#include "policy/policy_keys.inc"
#undef KEY
};
