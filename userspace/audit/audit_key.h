/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit_key.h - the Ed25519 key that signs checkpoints (RFC 8032), in the files that `openssl genpkey
 * -algorithm ed25519` makes too: PKCS #8 and SubjectPublicKeyInfo (RFC 8410), PEM. The worker has neither the
 * key nor this code.
 */
#ifndef SOCKGATE_AUDIT_KEY_H
#define SOCKGATE_AUDIT_KEY_H

#include "audit/audit_read.h"

#define AUDIT_KEY_SIZE 32

struct audit_key {
	uint8_t secret[AUDIT_KEY_SIZE]; /* audit_key_load_public() leaves it empty */
	uint8_t public[AUDIT_KEY_SIZE];
};

/* Both return 0, -EBADMSG for a file that is no such key, or -errno. -EPERM: others may read the secret. */
int audit_key_load(const char *path, struct audit_key *ret);
int audit_key_load_public(const char *path, struct audit_key *ret);
/* A new key in `path` (mode 0600) and its public half in `public_path`. -EEXIST: there is one. */
int audit_key_make(const char *path, const char *public_path, struct audit_key *ret);

void audit_key_sign(const struct audit_key *key, struct str text, uint8_t ret[AUDIT_SIGNATURE_SIZE]);
bool audit_key_verify(const struct audit_key *key, struct str text,
		      const uint8_t signature[AUDIT_SIGNATURE_SIZE]);

#endif
