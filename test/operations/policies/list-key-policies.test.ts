/** ListKeyPolicies. */

import { expect, test } from 'vitest'
import { callAs, expectFailureAs, newKey, rootOf, useInstallation } from '../installation.ts'

useInstallation()

test('lists default', async () => {
  const { keyId } = await newKey()
  const answer = await callAs(rootOf(), 'ListKeyPolicies', { keyId, limit: 1 })
  expect(answer).toEqual({ policyNames: ['default'], truncated: false })
  const none = { keyId: '00000000-0000-4000-8000-000000000000' }
  await expectFailureAs('NotFoundException', rootOf(), 'ListKeyPolicies', none)
})
