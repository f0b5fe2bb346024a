/** RevokeGrant. */

import { expect, test } from 'vitest'
import {
  callAs,
  expectAllowed,
  expectDenied,
  expectFailureAs,
  keyStatement,
  newKey,
  newUser,
  ROOT_STATEMENT,
  rootOf,
  useInstallation,
} from '../installation.ts'

useInstallation()

const plaintext = Buffer.from('x')
const operations = ['Encrypt' as const, 'RetireGrant' as const]

test('C2: ends a grant when it is acknowledged, by whom the policies let', async () => {
  const [ann, ben] = [await newUser('ann'), await newUser('ben')]
  const statement = keyStatement({ AWS: ben.arn }, 'kms:RevokeGrant')
  const { keyId } = await newKey([ROOT_STATEMENT, statement])
  const grant = { keyId, granteePrincipal: ann.arn, retiringPrincipal: ann.arn, operations }
  const { grantId } = await callAs(rootOf(), 'CreateGrant', grant)
  await expectAllowed(ann, 'Encrypt', { keyId, plaintext })
  // Its retiring principal may retire it, which is another permission.
  await expectDenied(ann, 'RevokeGrant', { keyId, grantId })
  const dry = { keyId, grantId, dryRun: true }
  await expectFailureAs('DryRunOperationException', ben, 'RevokeGrant', dry)
  await expectAllowed(ben, 'RevokeGrant', { keyId, grantId })
  await expectDenied(ann, 'Encrypt', { keyId, plaintext })
  await expectFailureAs('NotFoundException', ben, 'RevokeGrant', { keyId, grantId })
  await expectFailureAs('NotFoundException', ben, 'RevokeGrant', dry)
})

test('works in every state, and only with the key of the grant', async () => {
  const cleo = await newUser('cleo')
  const [one, two] = [await newKey(), await newKey()]
  const grant = { keyId: one.keyId, granteePrincipal: cleo.arn, operations }
  const { grantId } = await callAs(rootOf(), 'CreateGrant', grant)
  const elsewhere = { keyId: two.keyId, grantId }
  await expectFailureAs('NotFoundException', rootOf(), 'RevokeGrant', elsewhere)
  await callAs(rootOf(), 'ScheduleKeyDeletion', { keyId: one.keyId })
  await callAs(rootOf(), 'RevokeGrant', { keyId: one.keyId, grantId })
  const odd = { keyId: one.keyId, grantId: grantId.toUpperCase().padStart(65, 'A') }
  await expectFailureAs('InvalidGrantIdException', rootOf(), 'RevokeGrant', odd)
  expect((await callAs(rootOf(), 'ListGrants', { keyId: one.keyId })).grants).toEqual([])
})
