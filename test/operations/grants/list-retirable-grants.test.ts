/** ListRetirableGrants. */

import { expect, test } from 'vitest'
import {
  callAs,
  expectAllowed,
  expectDenied,
  expectFailureAs,
  lastRecord,
  newKey,
  newUser,
  OTHER_ACCOUNT,
  ownStatement,
  removePrincipal,
  rootOf,
  useInstallation,
} from '../installation.ts'

useInstallation()

test('lists what a principal of the account may retire, on keys of any', async () => {
  const ann = await newUser('ann', { account: OTHER_ACCOUNT })
  const { keyId, arn } = await newKey()
  const grant = { keyId, granteePrincipal: ann.arn, operations: ['Encrypt' as const] }
  const { grantId } = await callAs(rootOf(), 'CreateGrant', {
    ...grant,
    retiringPrincipal: ann.arn,
  })
  await callAs(rootOf(), 'CreateGrant', grant)
  const asked = { retiringPrincipal: ann.arn }
  const answer = await callAs(rootOf(OTHER_ACCOUNT), 'ListRetirableGrants', asked)
  expect(answer).toMatchObject({ grants: [{ grantId, keyId: arn }], truncated: false })
  await expectFailureAs('InvalidArnException', rootOf(), 'ListRetirableGrants', asked)
  // Who comes after the principal sees nothing of it.
  await removePrincipal(ann)
  await newUser('ann', { account: OTHER_ACCOUNT })
  const after = await callAs(rootOf(OTHER_ACCOUNT), 'ListRetirableGrants', asked)
  expect(after.grants).toEqual([])
})

test('asks for the permission on the principal', async () => {
  const ben = await newUser('ben')
  const of = (arn: string) => [ownStatement('kms:ListRetirableGrants', { Resource: arn })]
  const may = await newUser('may', { statements: of(ben.arn) })
  const mayNot = await newUser('may-not', { statements: of(`${ben.arn}a`) })
  const asked = { retiringPrincipal: ben.arn }
  await expectAllowed(may, 'ListRetirableGrants', asked)
  expect(lastRecord('ListRetirableGrants')?.resources).toEqual([{ ARN: ben.arn }])
  await expectDenied(mayNot, 'ListRetirableGrants', asked)
  await expectDenied(ben, 'ListRetirableGrants', asked)
})
