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
  /** `keyslot`: its own jobs, for which only its own rules allow. */
  readonly kind: 'root' | 'user' | 'role' | 'service' | 'keyslot'
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
  /** Of a service: the resource for which it acts, `aws:SourceArn`. */
  readonly sourceArn?: string
}
