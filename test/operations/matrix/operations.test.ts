/** Every operation on a key of every kind in every state, by every algorithm. */

import { beforeAll, expect, test } from 'vitest'
import { OPERATIONS } from '../../../src/operations/table.ts'
import { useService } from '../service.ts'
import { differencesOfAlgorithms } from './algorithms.ts'
import { ATTEMPTS, rpcOf } from './attempts.ts'
import { differencesOf, statesOf } from './differences.ts'
import { KINDS, type Kind } from './documents.ts'
import { type Asker, grpcClient, isInFull } from './outcomes.ts'
import { sdkClient } from './sdk.ts'
import { OPERATIONS_ON_KEYS } from './states.ts'
import { newSubject, type References, references } from './subjects.ts'

useService()

let refs: References
beforeAll(async () => {
  refs = await references()
})

/** RSA keys take long to make, and so do imports: without the full form, one of each material. */
const SLOW =
  /^RSA_(3072|4096) |^(ECC_NIST_P384|ECC_NIST_P521|ECC_SECG.*|HMAC_(224|384|512)) .* EXTERNAL$|^RSA_2048 ENCRYPT_DECRYPT EXTERNAL$/
/** One key of each type. */
const THROUGH_AWS_DOOR = [
  'SYMMETRIC_DEFAULT ENCRYPT_DECRYPT AWS_KMS',
  'ECC_NIST_P384 SIGN_VERIFY AWS_KMS',
  'ECC_NIST_P256 KEY_AGREEMENT AWS_KMS',
  'HMAC_512 GENERATE_VERIFY_MAC AWS_KMS',
]

const kinds = KINDS.map((kind) => [`${kind.spec} ${kind.usage} ${kind.origin}`, kind] as const)

async function expectAsDocumented(kind: Kind, asker: Asker): Promise<void> {
  const subject = await newSubject(kind, refs)
  const differences: string[] = []
  for (const state of statesOf(kind)) {
    differences.push(...(await differencesOf(subject, state, asker)))
    if (state !== 'Enabled') continue
    differences.push(...(await differencesOfAlgorithms(subject, asker)))
  }
  expect(differences).toEqual([])
}

test('P10: the matrix has every operation that touches a key', () => {
  const touching = Object.values(OPERATIONS).filter(({ needs }) =>
    Object.values(needs).some(
      ({ kind, permission = '' }) =>
        ['key', 'alias', 'grant'].includes(kind) && !permission.startsWith('keyslot:'),
    ),
  )
  const rpcs = new Set<string>(OPERATIONS_ON_KEYS.map(rpcOf))
  expect(touching.map(({ name }) => name).filter((name) => !rpcs.has(name))).toEqual([])
  expect([...ATTEMPTS.keys()].toSorted()).toEqual(OPERATIONS_ON_KEYS.toSorted())
})

test.each(kinds.filter(([name]) => isInFull || !SLOW.test(name)))('%s', (_name, kind) =>
  expectAsDocumented(kind, grpcClient()),
)

test.each(kinds.filter(([name]) => THROUGH_AWS_DOOR.includes(name)))(
  '%s by AWS’s SDK',
  (_name, kind) => expectAsDocumented(kind, sdkClient()),
)
