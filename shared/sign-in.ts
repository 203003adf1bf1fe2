import * as v from 'valibot'

/**
 * Why a sign-in, a key or a session was refused: `details.reason` of the refusal. Stable, so that a page can say each in
 * its own words. A key that is not registered, one that was revoked and a signature that is not the key's are one reason:
 * nobody can ask this server which keys it knows.
 */
export const SignInReason = v.picklist([
  // The text is not the key that was asked for.
  'private_key_expected',
  'public_key_expected',
  'several_keys',
  'unsupported_key_format',
  // The key is one that is not taken.
  'not_rsa',
  'key_too_short',
  'key_too_long',
  'bad_exponent',
  // The challenge and its signature.
  'challenge_not_ours',
  'challenge_expired',
  'challenge_used',
  'wrong_origin',
  'wrong_purpose',
  'clock',
  'key_not_accepted',
  // What is opened with it.
  'no_workspace',
  'scope_not_allowed',
  'session_over',
  'refresh_reused',
])
export type SignInReason = v.InferOutput<typeof SignInReason>

/** How a challenge may be signed, both with SHA-256: RSA-PSS with a salt of 32 bytes, or PKCS #1 v1.5. */
export const SignatureAlgorithm = v.picklist(['RSA-PSS', 'RS256'])
export type SignatureAlgorithm = v.InferOutput<typeof SignatureAlgorithm>

/** Refused above these bits: slower to check than anybody needs, and longer than any tool makes by default. */
export const KEY_BITS_MAX = 4096
/** Refused below: may be broken within the lifetime of a key. */
export const KEY_BITS_MIN = 2048
/** What `npm run keys` makes. */
export const KEY_BITS_DEFAULT = 3072
/** e = 65537, as base64url. Others are either too small to be safe or a sign of a key that was made to deceive. */
export const KEY_EXPONENT = 'AQAB'
