/**
 * How many of each resource there may be.
 * https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
 */

/** KMS keys of an account in a Region. */
export const KEYS_MAX = 100_000
/** Aliases of a key. */
export const ALIASES_PER_KEY_MAX = 50
/** Tags of a key; https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html */
export const TAGS_PER_KEY_MAX = 50
/** Grants of a key. */
export const GRANTS_PER_KEY_MAX = 50_000
/** Rotations on demand of a key, for as long as it lives. */
export const ON_DEMAND_ROTATIONS_MAX = 25
