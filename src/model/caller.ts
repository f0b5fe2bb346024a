/** Who calls: the principal that a door has authenticated. */

/** A principal of an account, or keyslot itself. */
export interface Caller {
  /** The ARN of the principal: `arn:aws:iam::111122223333:root`. */
  readonly arn: string
  /** The principal's account: twelve digits. */
  readonly account: string
  /** `service`: keyslot's own jobs, for which only its own rules allow. */
  readonly kind: 'root' | 'user' | 'role' | 'service'
}
