/** The policies that keys have of themselves, and who stays in charge. */

import { expect, test } from 'vitest'
import { defaultKeyPolicy } from '../../src/policy/default-policy.ts'
import { compilePolicy } from '../../src/policy/document.ts'
import { evaluate } from '../../src/policy/evaluate.ts'

const account = '111122223333'

test('the default key policy lets the root of the account do everything, and nobody else', () => {
  const policy = compilePolicy(defaultKeyPolicy(account), 'key')
  const decide = (arn: string, kind: 'root' | 'user') =>
    evaluate(
      {
        caller: { arn, account, kind },
        action: 'kms:Encrypt',
        resource: { arn: `arn:aws:kms:eu-central-1:${account}:key/k`, account },
        conditions: new Map(),
        grantable: true,
      },
      {
        resourcePolicy: { policy, principalIds: new Map() },
        identityPolicies: [],
        sessionPolicies: [],
        grants: [],
      },
    )
  expect(decide(`arn:aws:iam::${account}:root`, 'root')).toEqual({
    allowed: true,
    reason: 'allow',
    by: { source: 'key-policy', statement: 'Enable IAM User Permissions' },
  })
  expect(decide(`arn:aws:iam::${account}:user/alice`, 'user').allowed).toBe(false)
})
