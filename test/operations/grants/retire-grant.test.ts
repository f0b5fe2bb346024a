/** RetireGrant. */

import { describe, expect, test } from 'vitest'
import { rootArn } from '../../../src/model/arn.ts'
import type { Caller } from '../../../src/model/caller.ts'
import {
  callAs,
  expectAllowed,
  expectDenied,
  expectFailureAs,
  keyStatement,
  lastRecord,
  newKey,
  newSession,
  newUser,
  OTHER_ACCOUNT,
  ownStatement,
  ROOT_STATEMENT,
  removePrincipal,
  rootOf,
  useInstallation,
} from '../installation.ts'

useInstallation()

let names = 0
const someUser = (part: object = {}) => newUser(`user-${names++}`, part)

async function grant(part: object, by: Caller = rootOf(), statements: readonly object[] = []) {
  const grantee = await someUser()
  const { keyId, arn } = await newKey([ROOT_STATEMENT, ...statements])
  const made = await callAs(by, 'CreateGrant', {
    keyId: arn,
    granteePrincipal: grantee.arn,
    operations: ['Encrypt'],
    ...part,
  })
  const retire = { keyId: arn, grantId: made.grantId, dryRun: true }
  return { ...made, grantee, keyId, arn, retire }
}

/** Told only to who may: nothing is retired by it. */
async function expectMayRetire(caller: Caller, retire: object): Promise<void> {
  await expectFailureAs('DryRunOperationException', caller, 'RetireGrant', retire)
}

test('by token, and by key and id, ends the grant', async () => {
  const { grantee, keyId, grantToken } = await grant({ operations: ['Encrypt', 'RetireGrant'] })
  const encrypt = { keyId, plaintext: Buffer.from('x') }
  await expectAllowed(grantee, 'Encrypt', encrypt)
  await expectAllowed(grantee, 'RetireGrant', { grantToken })
  await expectDenied(grantee, 'Encrypt', encrypt)
  await expectFailureAs('InvalidGrantTokenException', grantee, 'RetireGrant', { grantToken })
  const second = await grant({})
  await callAs(rootOf(), 'RetireGrant', { ...second.retire, dryRun: false })
  await expectFailureAs('NotFoundException', rootOf(), 'RetireGrant', second.retire)
})

describe('C2: may be done by', () => {
  test('the retiring principal, and nobody for its name only', async () => {
    const ann = await someUser({ account: OTHER_ACCOUNT })
    const { retire, grantee, grantId } = await grant({ retiringPrincipal: ann.arn })
    await expectMayRetire(ann, retire)
    expect(lastRecord('RetireGrant')?.authorisation).toMatchObject([
      { permission: 'kms:RetireGrant', decision: 'allow', source: 'grant', name: grantId },
    ])
    await expectDenied(grantee, 'RetireGrant', retire)
    await expectDenied(await someUser(), 'RetireGrant', retire)
    await removePrincipal(ann)
    const name = ann.arn.split('/')[1] ?? ''
    await expectDenied(await newUser(name, { account: OTHER_ACCOUNT }), 'RetireGrant', retire)
  })

  test('sessions of a retiring role', async () => {
    const app = await newSession('app', 'one')
    const { retire } = await grant({ retiringPrincipal: app.roleArn })
    await expectMayRetire(app, retire)
  })

  test('the grantee, if the grant says so', async () => {
    const without = await grant({})
    await expectDenied(without.grantee, 'RetireGrant', without.retire)
    const { grantee, retire } = await grant({ operations: ['RetireGrant'] })
    await expectMayRetire(grantee, retire)
  })

  test('the account of the key and that which made the grant, and to whom they pass it on', async () => {
    const byOther = keyStatement({ AWS: OTHER_ACCOUNT }, 'kms:CreateGrant')
    const { retire } = await grant({}, rootOf(OTHER_ACCOUNT), [byOther])
    const statements = [ownStatement('kms:RetireGrant')]
    for (const account of ['111122223333', OTHER_ACCOUNT]) {
      await expectMayRetire(rootOf(account), retire)
      await expectMayRetire(await someUser({ account, statements }), retire)
      await expectDenied(await someUser({ account }), 'RetireGrant', retire)
    }
  })

  test('the account that is the retiring principal, and to whom it passes it on', async () => {
    const { retire } = await grant({ retiringPrincipal: rootArn(OTHER_ACCOUNT) })
    await expectMayRetire(rootOf(OTHER_ACCOUNT), retire)
    const statements = [ownStatement('kms:RetireGrant')]
    await expectMayRetire(await someUser({ account: OTHER_ACCOUNT, statements }), retire)
    await expectDenied(await someUser({ account: OTHER_ACCOUNT }), 'RetireGrant', retire)
  })
})

test('C2: is not given by a key policy, and may be denied by an identity policy', async () => {
  const may = keyStatement('*', 'kms:RetireGrant')
  const { retire } = await grant({}, rootOf(), [may])
  await expectDenied(await someUser(), 'RetireGrant', retire)
  const statements = [{ ...ownStatement('kms:RetireGrant'), Effect: 'Deny' }]
  const denied = await someUser({ statements })
  const own = await grant({ retiringPrincipal: denied.arn })
  await expectDenied(denied, 'RetireGrant', own.retire)
})

test('tells a stranger nothing of what is there', async () => {
  const { retire, arn } = await grant({})
  const stranger = rootOf(OTHER_ACCOUNT)
  const messages = await Promise.all(
    [retire, { ...retire, grantId: '0'.repeat(64) }].map((request) =>
      callAs(stranger, 'RetireGrant', request).catch((error: Error) => error.message),
    ),
  )
  expect(new Set(messages).size).toBe(1)
  const missing = { ...retire, keyId: arn.replace(/.{12}$/, '000000000000') }
  await expectDenied(stranger, 'RetireGrant', missing)
})

test('is named by a token, or by key and id', async () => {
  const { retire, grantToken, grantId, arn } = await grant({})
  for (const request of [
    {},
    { grantId },
    { keyId: arn },
    { ...retire, grantToken },
    { grantToken, grantId },
  ]) {
    await expectFailureAs('ValidationException', rootOf(), 'RetireGrant', request)
  }
  const odd = { keyId: arn, grantId: 'x' }
  await expectFailureAs('InvalidGrantIdException', rootOf(), 'RetireGrant', odd)
  await expectMayRetire(rootOf(), { grantToken, dryRun: true })
})
