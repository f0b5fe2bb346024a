/** ListGrants. */

import { expect, test } from 'vitest'
import {
  callAs,
  expectDenied,
  expectFailureAs,
  here,
  keyStatement,
  newKey,
  newUser,
  OTHER_ACCOUNT,
  ROOT_STATEMENT,
  rootOf,
  useInstallation,
} from '../installation.ts'

useInstallation()

test('lists the grants of a key, whole, narrowed and in pages', async () => {
  const [ann, ben] = [await newUser('ann'), await newUser('ben')]
  const { keyId, arn } = await newKey()
  const grant = async (part: object) =>
    callAs(rootOf(), 'CreateGrant', {
      keyId,
      granteePrincipal: ann.arn,
      operations: ['Encrypt'],
      ...part,
    })
  const equals = new Map([['a', 'b']])
  const whole = await grant({
    name: 'whole',
    retiringPrincipal: ben.arn,
    operations: ['Decrypt', 'Encrypt', 'Decrypt'],
    constraints: { encryptionContextEquals: equals },
  })
  const toBen = await grant({ granteePrincipal: ben.arn })
  const plain = await grant({})
  const ids = [whole, toBen, plain].map(({ grantId }) => grantId).toSorted()
  const list = (part: object = {}) => callAs(rootOf(), 'ListGrants', { keyId, ...part })
  const all = await list()
  expect(all.grants.map(({ grantId }) => grantId)).toEqual(ids)
  expect(all).toMatchObject({ truncated: false })
  expect((await list({ grantId: whole.grantId })).grants).toEqual([
    {
      keyId: arn,
      grantId: whole.grantId,
      name: 'whole',
      creationDate: new Date(here().nowMs),
      granteePrincipal: ann.arn,
      retiringPrincipal: ben.arn,
      issuingAccount: rootOf().arn,
      operations: ['Decrypt', 'Encrypt'],
      constraints: { encryptionContextEquals: equals, encryptionContextSubset: new Map() },
    },
  ])
  const ofBen = await list({ granteePrincipal: ben.arn })
  expect(ofBen.grants.map(({ grantId }) => grantId)).toEqual([toBen.grantId])
  expect((await list({ grantId: '0'.repeat(64) })).grants).toEqual([])
  const first = await list({ limit: 2 })
  const { nextMarker: marker } = first
  const second = await list({ limit: 2, marker })
  expect([...first.grants, ...second.grants].map(({ grantId }) => grantId)).toEqual(ids)
  expect([first.truncated, second.truncated]).toEqual([true, false])
  // A marker continues its own list only.
  for (const other of [{ granteePrincipal: ann.arn }, { keyId: (await newKey()).keyId }]) {
    const request = { keyId, limit: 2, marker, ...other }
    await expectFailureAs('InvalidMarkerException', rootOf(), 'ListGrants', request)
  }
})

test('refuses what is no grant id, and shows no more than 100 at a time', async () => {
  const { keyId } = await newKey()
  const wrong = { keyId, grantId: 'x' }
  await expectFailureAs('InvalidGrantIdException', rootOf(), 'ListGrants', wrong)
  const ann = await newUser('anna')
  for (let at = 0; at < 101; at++) {
    const grant = { keyId, granteePrincipal: ann.arn, operations: ['Encrypt' as const] }
    await callAs(rootOf(), 'CreateGrant', grant)
  }
  expect((await callAs(rootOf(), 'ListGrants', { keyId, limit: 1000 })).grants).toHaveLength(100)
  expect((await callAs(rootOf(), 'ListGrants', { keyId })).grants).toHaveLength(50)
})

test('is for other accounts where the key policy says so', async () => {
  const closed = await newKey()
  const open = await newKey([
    ROOT_STATEMENT,
    keyStatement({ AWS: OTHER_ACCOUNT }, 'kms:ListGrants'),
  ])
  await expectDenied(rootOf(OTHER_ACCOUNT), 'ListGrants', { keyId: closed.arn })
  const { grants } = await callAs(rootOf(OTHER_ACCOUNT), 'ListGrants', { keyId: open.arn })
  expect(grants).toEqual([])
})
