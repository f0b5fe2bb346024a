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
/** Users of an account; https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export const USERS_MAX = 5000
/** Roles of an account. */
export const ROLES_MAX = 1000
/** Tags of a user or a role. */
export const TAGS_PER_PRINCIPAL_MAX = 50
/** Inline policies of a user or a role: as many as IAM's managed ones. */
export const POLICIES_PER_PRINCIPAL_MAX = 10
/** Access keys of a user or a root. */
export const ACCESS_KEYS_MAX = 2
/** Identity providers of an account. */
export const PROVIDERS_MAX = 100
