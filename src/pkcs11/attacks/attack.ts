/** What an attack is, and the list of all of them. */

import type { Attacker } from './attacker.ts'
import { concatenations, derivations } from './families/deriving.ts'
import { copies, settings } from './families/loosening.ts'
import { secretValues } from './families/reading.ts'
import { conjurings, reImports } from './families/unwrapping.ts'
import { digests, usages } from './families/using.ts'
import { clulow, trojans, wraps, wrapsWithIt } from './families/wrapping.ts'
import type { Outcome } from './report.ts'
import type { Target } from './target.ts'

/** An attack. */
export interface Attack {
  /** As the table names it. */
  readonly name: string
  readonly run: (attacker: Attacker, target: Target) => Iterable<Outcome>
}

/** All attacks. */
export const ATTACKS: readonly Attack[] = [
  { name: 'read a secret attribute', run: secretValues },
  { name: 'C_SetAttributeValue', run: settings },
  { name: 'C_CopyObject', run: copies },
  { name: 'C_WrapKey with a key of the attacker', run: wraps },
  { name: 'wrap, then decrypt (Clulow)', run: clulow },
  { name: 'trusted wrapping key of the attacker', run: trojans },
  { name: 're-import in two roles', run: reImports },
  { name: 'key conjuring by C_UnwrapKey', run: conjurings },
  { name: 'C_WrapKey with the key itself', run: wrapsWithIt },
  { name: 'C_DeriveKey with a free template', run: derivations },
  { name: 'concatenate, extract, XOR', run: concatenations },
  ...usages.map(({ name, run }) => ({ name, run })),
  { name: 'C_DigestKey', run: digests },
]
