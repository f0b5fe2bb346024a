/** Deriving from a key what should not come of it. */

import pkcs11js, { type Handle, type Mechanism } from 'pkcs11js'
import { type Attacker, attribute, mechanismName, outcomeOf } from '../attacker.ts'
import { freeTemplate, payloadOf } from '../attacker-keys.ts'
import { hkdf, withParameters } from '../parameters.ts'
import type { Outcome } from '../report.ts'
import { isFor, type Target, usedOtherwise } from '../target.ts'

const { CKM_CONCATENATE_BASE_AND_KEY, CKM_CONCATENATE_BASE_AND_DATA } = pkcs11js
const { CKM_CONCATENATE_DATA_AND_BASE, CKM_XOR_BASE_AND_DATA, CKM_EXTRACT_KEY_FROM_KEY } = pkcs11js
/** CKM_HKDF_DERIVE of PKCS#11 v3.0. */
const CKM_HKDF_DERIVE = 0x402a

/** What these make holds the key itself, or bits of it. */
const REVEALING: readonly number[] = [
  CKM_CONCATENATE_BASE_AND_KEY,
  CKM_CONCATENATE_BASE_AND_DATA,
  CKM_CONCATENATE_DATA_AND_BASE,
  CKM_XOR_BASE_AND_DATA,
  CKM_EXTRACT_KEY_FROM_KEY,
]
/** Whole, half, and so little that it can be tried out. */
const LENGTHS = [undefined, 32, 16, 1] as const

/** Derives by every mechanism that is none of the key's own. */
export function* derivations(attacker: Attacker, target: Target): Iterable<Outcome> {
  const mechanisms = attacker
    .mechanismsFor(pkcs11js.CKF_DERIVE)
    .filter((mechanism) => !REVEALING.includes(mechanism))
    .filter((mechanism) => !isFor(target, 'CKA_DERIVE', mechanism))
  for (const mechanism of mechanisms.flatMap(withParameters)) {
    for (const length of LENGTHS) {
      yield derived(attacker, { mechanism, base: target.handle, length }, (how) =>
        usedOtherwise(target, 'CKA_DERIVE', how),
      )
    }
  }
}

/** Derives what holds the key, or bits of it, with the key as the first part and as the second. */
export function* concatenations(attacker: Attacker, { handle }: Target): Iterable<Outcome> {
  const own = payloadOf(attacker)
  const offered = REVEALING.filter((mechanism) => attacker.mechanisms.includes(mechanism))
  const ways = offered.flatMap((mechanism): { mechanism: Mechanism; base: Handle }[] => {
    if (mechanism !== CKM_CONCATENATE_BASE_AND_KEY) {
      return withParameters(mechanism).map((one) => ({ mechanism: one, base: handle }))
    }
    if (own === undefined) return []
    return [
      { mechanism: { mechanism, parameter: own }, base: handle },
      { mechanism: { mechanism, parameter: handle }, base: own },
    ]
  })
  if (own !== undefined && attacker.mechanisms.includes(CKM_HKDF_DERIVE)) {
    ways.push({ mechanism: { mechanism: CKM_HKDF_DERIVE, parameter: hkdf(handle) }, base: own })
  }
  for (const way of ways) {
    for (const length of LENGTHS) {
      const gain = REVEALING.includes(way.mechanism.mechanism) ? 'key out' : 'usage added'
      yield derived(attacker, { ...way, length }, (how) => ({ gain, how }))
    }
  }
}

function derived(
  attacker: Attacker,
  { mechanism, base, length }: { mechanism: Mechanism; base: Handle; length?: number },
  gained: (how: string) => Outcome,
): Outcome {
  const template = [
    ...freeTemplate(pkcs11js.CKK_GENERIC_SECRET),
    ...(length === undefined ? [] : [attribute(pkcs11js.CKA_VALUE_LEN, length)]),
  ]
  const answer = attacker.ask('C_DeriveKey', (pkcs11, session) =>
    pkcs11.C_DeriveKey(session, mechanism, base, template),
  )
  return outcomeOf(answer, () => gained(`C_DeriveKey by ${mechanismName(mechanism)}`))
}
