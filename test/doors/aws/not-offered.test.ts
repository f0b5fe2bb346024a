/** What AWS KMS does and keyslot does not. */

import * as sdk from '@aws-sdk/client-kms'
import { expect, test } from 'vitest'
import { CONTRACT } from '../../../src/contract/contract.ts'
import { tryAwsDoor } from './door.ts'

const names = Object.keys(sdk).flatMap((name) => /^(\w+)Command$/.exec(name)?.[1] ?? [])
const ours: readonly string[] = Object.keys(CONTRACT)
const missing = names.filter((name) => !ours.includes(name))

test('AWS’s client has more than keyslot', () => {
  expect(names.length).toBeGreaterThan(50)
  expect(missing).toEqual(expect.arrayContaining(['Decapsulate', 'Encapsulate', 'ReplicateKey']))
})

test.each(missing)('%s is refused with the reason', async (name) => {
  await using tried = await tryAwsDoor(async () => {
    throw new Error('not to be called')
  })
  const { status, json } = await tried.call(name, {})
  expect(status).toBe(400)
  expect(json).toMatchObject({
    __type: 'UnsupportedOperationException',
    message: expect.stringMatching(new RegExp(`^keyslot does not offer ${name}: \\S.+\\.$`)),
  })
})
