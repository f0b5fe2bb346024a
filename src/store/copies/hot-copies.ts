/** The copies that answer hot reads: of keys, aliases, grants and who is who. */

import type { Grant } from '../../model/grant.ts'
import type { Alias, Key } from '../../model/key.ts'
import { type IdentityCopies, identityCopies } from '../identities/copies.ts'
import { Copies } from './copies.ts'

/**
 * How many keys are held at least before one is let go: all that an account may have in a Region,
 * so that the cost of a call does not grow with their number. About 1 KB each.
 */
const KEYS_HELD = 100_000
/** How many aliases are held at least before one is let go. */
const ALIASES_HELD = 100_000

/**
 * How many lists of grants are held at least before one is let go: one for each key and caller in
 * use, most of them empty, and more only for who has many grants that are bound to pairs.
 */
const GRANT_LISTS_HELD = 100_000

/** The grants of a grantee that are bound to a pair, by its name; `many` of them are not held. */
export type BoundGrants = ReadonlyMap<string, readonly Grant[]> | 'many'

/** The copies that answer hot reads. */
export interface HotCopies {
  readonly keys: Copies<Key>
  readonly aliases: Copies<Alias>
  readonly grants: Copies<readonly Grant[]>
  readonly bound: Copies<BoundGrants>
  readonly identities: IdentityCopies
  /** Drops everything if another process has changed the database; once in a turn. */
  refresh(): void
}

/**
 * The hot copies.
 *
 * @param changed whether another connection has committed since it was last asked.
 */
export function hotCopies(changed: () => boolean): HotCopies {
  const keys = new Copies<Key>(KEYS_HELD)
  const aliases = new Copies<Alias>(ALIASES_HELD)
  const grants = new Copies<readonly Grant[]>(GRANT_LISTS_HELD)
  const bound = new Copies<BoundGrants>(GRANT_LISTS_HELD)
  const identities = identityCopies()
  /** Whether it has been asked in this turn of the event loop. */
  let isFresh = false
  const endTurn = () => {
    isFresh = false
  }
  return {
    keys,
    aliases,
    grants,
    bound,
    identities,
    refresh() {
      // A call asks several times, and to ask costs a system call.
      if (isFresh) return
      isFresh = true
      process.nextTick(endTurn)
      if (!changed()) return
      keys.clear()
      aliases.clear()
      grants.clear()
      bound.clear()
      identities.clear()
    },
  }
}
