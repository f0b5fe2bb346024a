/** Accounts, their access keys, and the identity providers that their roles may trust. */

/** The access key of a user, or of an account's root. */
export interface AccessKey {
  /** `AKIA` and 16 characters. */
  readonly accessKeyId: string
  readonly account: string
  /** Of the user; absent if it is the root's. */
  readonly principalId?: string
  /** The secret, encrypted by keyslot's own key: a ciphertext in base64. */
  readonly sealedSecret: string
  readonly status: 'Active' | 'Inactive'
  /** Milliseconds since the epoch. */
  readonly createdMs: number
}

/** Who issues JSON Web Tokens that roles of an account may trust. */
export interface IdentityProvider {
  readonly arn: string
  readonly account: string
  /** The issuer, as the claim `iss` has it. */
  readonly issuer: string
  /** Of these, the claim `aud` must have one. */
  readonly audiences: readonly string[]
  /** The issuer's public keys: a JSON Web Key Set, or the URL of one. */
  readonly jwks: string
  /** The role of callers who name none: its ARN. */
  readonly defaultRoleArn?: string
  /** Tags of a session by their keys, each from the claim at a JSON pointer (RFC 6901). */
  readonly sessionTags: ReadonlyMap<string, string>
  /** Milliseconds since the epoch. */
  readonly createdMs: number
}

/** An account. */
export interface Account {
  /** Twelve digits. */
  readonly account: string
  /** For people. */
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly createdMs: number
}
