/** Who calls: the principal that a door has authenticated. */

/**
 * A principal of an account, a service that acts for one, or keyslot itself.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
 */
export interface Caller {
  /**
   * The ARN of the principal: `arn:aws:iam::111122223333:root`, `…:user/alice`; of an assumed
   * role the session, `arn:aws:sts::111122223333:assumed-role/app/session`; of a service its name,
   * `backup.amazonaws.com`.
   */
  readonly arn: string
  /** The principal's account, or that for which a service acts: twelve digits. */
  readonly account: string
  /**
   * `web-identity`: the holder of a JSON Web Token, who may assume a role and nothing else.
   * `keyslot`: its own jobs, for which only its own rules allow.
   */
  readonly kind: 'root' | 'user' | 'role' | 'service' | 'web-identity' | 'keyslot'
  /**
   * IAM's unique id, which no later principal of the same name has, as `aws:userid` has it: the
   * account for its root, `AIDA…` for a user, `AROA…:session` for an assumed role, the name for a
   * service.
   */
  readonly principalId?: string
  /** Of an assumed role: the role's own ARN. */
  readonly roleArn?: string
  /** `aws:PrincipalTag`: tags of the principal, those of the session first. */
  readonly tags?: ReadonlyMap<string, string>
  /** JSON documents that bound a session: it may do only what each of them allows too. */
  readonly sessionPolicies?: readonly string[]
  /** Of a session: whom it is for, as whoever began it said. */
  readonly sourceIdentity?: string
  /** Of temporary credentials: when they were issued, in milliseconds since the epoch. */
  readonly issuedMs?: number
  readonly webIdentity?: WebIdentity
  /** Of a service: the resource for which it acts, `aws:SourceArn`. */
  readonly sourceArn?: string
}

/** What a verified JSON Web Token says of its holder. */
export interface WebIdentity {
  /** The identity provider that vouches for it. */
  readonly providerArn: string
  /** Its URL. */
  readonly issuer: string
  readonly subject: string
  readonly audience: string
  /** The claims that are texts, or lists of them, by their names. */
  readonly claims: ReadonlyMap<string, string | readonly string[]>
  /** Tags for its sessions, as the provider takes them from the claims. */
  readonly tags: ReadonlyMap<string, string>
}
