/** A row of the tables of what keyslot uses of a token. */

import type { TokenSession } from './session.ts'

/** Something that keyslot uses, and how it is proved. */
export interface CapabilityRow {
  readonly name: string
  readonly use: string
  /** The mechanism's number; absent for what is a function of every token. */
  readonly mechanism?: number
  /** @throws when the token fails. */
  readonly prove: (session: TokenSession) => void
}
