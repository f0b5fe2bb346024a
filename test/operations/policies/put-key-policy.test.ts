/** PutKeyPolicy. */

import { describe, expect, test } from 'vitest'
import {
  ACCOUNT,
  callAs,
  expectAllowed,
  expectDenied,
  expectFailureAs,
  keyStatement,
  newKey,
  newUser,
  OTHER_ACCOUNT,
  ownStatement,
  policyText,
  ROOT_STATEMENT,
  removePrincipal,
  rootOf,
  useInstallation,
} from '../installation.ts'

useInstallation()

const plaintext = Buffer.from('x')
const put = (keyId: string, statements: readonly object[], part: object = {}) =>
  callAs(rootOf(), 'PutKeyPolicy', { keyId, policy: policyText(statements), ...part })

test('is in effect when acknowledged', async () => {
  const eve = await newUser('eve')
  const { keyId } = await newKey()
  const encrypt = { keyId, plaintext }
  for (let round = 0; round < 3; round++) {
    await expectDenied(eve, 'Encrypt', encrypt)
    await put(keyId, [ROOT_STATEMENT, keyStatement({ AWS: eve.arn }, 'kms:Encrypt')])
    await expectAllowed(eve, 'Encrypt', encrypt)
    await put(keyId, [ROOT_STATEMENT])
  }
})

test('works in every state', async () => {
  const { keyId } = await newKey()
  await callAs(rootOf(), 'DisableKey', { keyId })
  await put(keyId, [ROOT_STATEMENT])
  await callAs(rootOf(), 'ScheduleKeyDeletion', { keyId })
  await put(keyId, [ROOT_STATEMENT])
})

describe('refuses', () => {
  test.each([
    ['what is no policy', '{}'],
    ['what is no JSON', 'x'],
    ['a statement without a principal', policyText([ownStatement('kms:*')])],
    ['an identity that does not exist', policyText([keyStatement({ AWS: 'nobody' }, 'kms:*')])],
  ])('%s', async (_what, policy) => {
    const { keyId } = await newKey()
    const request = { keyId, policy, bypassPolicyLockoutSafetyCheck: true }
    await expectFailureAs('MalformedPolicyDocumentException', rootOf(), 'PutKeyPolicy', request)
  })

  test('users and roles that are not there, unique ids, and no accounts', async () => {
    const gone = await newUser('gone')
    await removePrincipal(gone)
    const { keyId } = await newKey()
    for (const name of [
      gone.arn,
      gone.principalId,
      `arn:aws:iam::${ACCOUNT}:role/none`,
      `arn:aws:sts::${ACCOUNT}:assumed-role/none/one`,
    ]) {
      const policy = policyText([ROOT_STATEMENT, keyStatement({ AWS: name }, 'kms:Encrypt')])
      await expect(callAs(rootOf(), 'PutKeyPolicy', { keyId, policy })).rejects.toMatchObject({
        name: 'MalformedPolicyDocumentException',
        message: 'Policy contains a statement with one or more invalid principals.',
      })
    }
    const accounts = { AWS: [OTHER_ACCOUNT, 'arn:aws:iam::999900001111:root'] }
    await put(keyId, [ROOT_STATEMENT, keyStatement(accounts, 'kms:Encrypt')])
  })

  test('C2: a policy by which the caller could not change it again, unless told to', async () => {
    const eva = await newUser('eva')
    const { keyId } = await newKey()
    const shut = [keyStatement({ AWS: eva.arn }, 'kms:*')]
    const policy = policyText(shut)
    await expect(callAs(rootOf(), 'PutKeyPolicy', { keyId, policy })).rejects.toMatchObject({
      name: 'MalformedPolicyDocumentException',
      message: 'The new key policy will not allow you to update the key policy in the future.',
    })
    await put(keyId, shut, { bypassPolicyLockoutSafetyCheck: true })
    await expectDenied(rootOf(), 'GetKeyPolicy', { keyId })
    await expectAllowed(eva, 'PutKeyPolicy', { keyId, policy })
  })

  test('more than 32768 bytes', async () => {
    const { keyId } = await newKey()
    const policy = policyText([ROOT_STATEMENT])
    const padded = (bytes: number) => policy + ' '.repeat(bytes - policy.length)
    await callAs(rootOf(), 'PutKeyPolicy', { keyId, policy: padded(32_768) })
    const long = { keyId, policy: padded(32_769) }
    await expectFailureAs('LimitExceededException', rootOf(), 'PutKeyPolicy', long)
  })

  test('another name than default, and a key of another account', async () => {
    const { keyId, arn } = await newKey([
      ROOT_STATEMENT,
      keyStatement({ AWS: OTHER_ACCOUNT }, 'kms:*'),
    ])
    const policy = policyText([ROOT_STATEMENT])
    const named = { keyId, policy, policyName: 'other' }
    await expectFailureAs('NotFoundException', rootOf(), 'PutKeyPolicy', named)
    await expectDenied(rootOf(OTHER_ACCOUNT), 'PutKeyPolicy', { keyId: arn, policy })
  })
})
