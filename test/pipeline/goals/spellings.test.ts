/** Keys and aliases in other spellings: OpenBao took case and spaces lightly (CVE-2025-64761). */

import { expect, test } from 'vitest'
import {
  callAs,
  newKey,
  newUser,
  ownStatement,
  rootOf,
  useInstallation,
} from '../../operations/installation.ts'
import { alike, casesOf } from '../../policy/cases.ts'

useInstallation()

test('P1: another spelling of a key or alias is not the key, whoever asks', async () => {
  const [mine, other] = [await newKey(), await newKey()]
  for (const [aliasName, { keyId }] of [
    ['alias/mine', mine],
    ['alias/other', other],
  ] as const) {
    await callAs(rootOf(), 'CreateAlias', { aliasName, targetKeyId: keyId })
  }
  const statements = [ownStatement('kms:*', { Resource: mine.arn })]
  const caller = await newUser('speller', { statements })
  const names = [mine.keyId, mine.arn, other.keyId, other.arn]
  const aliases = ['alias/mine', 'alias/other', mine.arn.replace(/key\/.*/, 'alias/mine')]
  const known = new Set([...names, ...aliases])
  const found: string[] = []
  for (let seed = 0; seed < casesOf(10_000); seed += 1) {
    const all = [...names, ...aliases]
    const keyId = alike(all[seed % all.length] ?? '', seed)
    if (known.has(keyId)) continue
    for (const who of [caller, rootOf()]) {
      await callAs(who, 'DescribeKey', { keyId }).then(
        () => found.push(keyId),
        (error: Error) => expect(error.name).toMatch(/Exception$/),
      )
    }
  }
  expect(found).toEqual([])
  expect((await callAs(caller, 'DescribeKey', { keyId: 'alias/mine' })).keyMetadata?.arn).toBe(
    mine.arn,
  )
  await expect(callAs(caller, 'DescribeKey', { keyId: 'alias/other' })).rejects.toMatchObject({
    name: 'AccessDeniedException',
  })
})
