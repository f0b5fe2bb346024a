/** Reading what a key is. */

import pkcs11js from 'pkcs11js'
import type { Attacker } from '../attacker.ts'
import { outcomeOf } from '../attacker.ts'
import type { Outcome } from '../report.ts'
import type { Target } from '../target.ts'

const { CKA_VALUE, CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2 } = pkcs11js
const { CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT } = pkcs11js

/** By name: whichever of them a key has is its secret. */
const SECRETS = {
  CKA_VALUE,
  CKA_PRIVATE_EXPONENT,
  CKA_PRIME_1,
  CKA_PRIME_2,
  CKA_EXPONENT_1,
  CKA_EXPONENT_2,
  CKA_COEFFICIENT,
} as const

/** Reads each secret attribute by itself, and all of them at once. */
export function* secretValues(attacker: Attacker, { handle }: Target): Iterable<Outcome> {
  const names = Object.keys(SECRETS) as (keyof typeof SECRETS)[]
  for (const asked of [...names.map((name) => [name]), names]) {
    const types = asked.map((name) => ({ type: SECRETS[name] }))
    const answer = attacker.ask('C_GetAttributeValue', (pkcs11, session) =>
      pkcs11.C_GetAttributeValue(session, handle, types),
    )
    yield outcomeOf(answer, (read) => {
      const told = asked.filter((_, at) => (read[at]?.value.length ?? 0) > 0)
      for (const { value } of read) value.fill(0)
      if (told.length === 0) return { refused: 'nothing told' }
      return { gain: 'key out', how: `C_GetAttributeValue of ${told.join(', ')}` }
    })
  }
}
