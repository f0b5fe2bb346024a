/**
 * What names something of one account, brought by another: OpenBao did work by the handles of other
 * namespaces (CVE-2026-40264, CVE-2026-45808, GHSA-c36x).
 */

import { beforeAll, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/model/caller.ts'
import type { RpcName, Service } from '../../../src/service.ts'
import {
  callAs,
  here,
  newKey,
  newUser,
  OTHER_ACCOUNT,
  ownStatement,
  rootOf,
  useInstallation,
} from '../../operations/installation.ts'

useInstallation()

const plaintext = Buffer.from('x')
const owner = rootOf()
const operations = ['Encrypt', 'Decrypt', 'RetireGrant'] as const
let keyId: string
let arn: string
let grant: Service['CreateGrant']['response']
let strangers: readonly Caller[]
/** A key of the other account, which its own people may use. */
let theirs: string

beforeAll(async () => {
  ;({ keyId, arn } = await newKey())
  const grantee = await newUser('grantee', { statements: [ownStatement('kms:*')] })
  const request = { keyId, granteePrincipal: grantee.arn, operations: [...operations] }
  grant = await callAs(owner, 'CreateGrant', request)
  const part = { account: OTHER_ACCOUNT, statements: [ownStatement('*')] }
  strangers = [rootOf(OTHER_ACCOUNT), await newUser('stranger', part)]
  const made = await callAs(rootOf(OTHER_ACCOUNT), 'CreateKey', {})
  theirs = made.keyMetadata?.arn ?? ''
})

/** Expects that no stranger gets anything done. */
async function expectNothing<N extends RpcName>(
  name: N,
  request: Partial<Service[N]['request']>,
  failure: RegExp,
): Promise<void> {
  for (const stranger of strangers) {
    const before = here().audit.length
    const answer = await callAs(stranger, name, request).catch((error: Error) => error)
    expect(`${answer}`).toMatch(failure)
    const outcomes = here()
      .audit.slice(before)
      .map((record) => record.outcome)
    expect(outcomes.at(-1)).toBe('failed')
    expect(outcomes).not.toContain('succeeded')
  }
}

const grants = async () => (await callAs(owner, 'ListGrants', { keyId })).grants

describe('P4: brought by another account is of no use', () => {
  test('the id of a grant', async () => {
    const { grantId = '' } = grant
    await expectNothing('RetireGrant', { keyId: arn, grantId }, /^AccessDeniedException/)
    await expectNothing('RetireGrant', { keyId: theirs, grantId }, /^(AccessDenied|NotFound)/)
    await expectNothing('RevokeGrant', { keyId: arn, grantId }, /^AccessDeniedException/)
    await expectNothing('RevokeGrant', { keyId: theirs, grantId }, /^NotFoundException/)
    await expectNothing('ListGrants', { keyId: arn, grantId }, /^AccessDeniedException/)
    expect(await grants()).toHaveLength(1)
  })

  test('the token of a grant', async () => {
    const grantTokens = [grant.grantToken ?? '']
    const [grantToken] = grantTokens
    await expectNothing('Encrypt', { keyId: arn, plaintext, grantTokens }, /^AccessDenied/)
    await expectNothing('GenerateDataKey', { keyId: arn, numberOfBytes: 32, grantTokens }, /^Acc/)
    await expectNothing('RetireGrant', { grantToken }, /^AccessDeniedException/)
    expect(await grants()).toHaveLength(1)
  })

  test('a ciphertext', async () => {
    const { ciphertextBlob } = await callAs(owner, 'Encrypt', { keyId, plaintext })
    await expectNothing('Decrypt', { ciphertextBlob }, /^AccessDeniedException/)
    await expectNothing('Decrypt', { ciphertextBlob, keyId: arn }, /^AccessDeniedException/)
    await expectNothing('Decrypt', { ciphertextBlob, keyId: theirs }, /^IncorrectKeyException/)
    const away = { ciphertextBlob, destinationKeyId: theirs }
    await expectNothing('ReEncrypt', away, /^AccessDeniedException/)
  })

  test('an import token', async () => {
    const made = await Promise.all(
      [owner, rootOf(OTHER_ACCOUNT)].map((by) => callAs(by, 'CreateKey', { origin: 'EXTERNAL' })),
    )
    const [own = '', other = ''] = made.map(({ keyMetadata }) => keyMetadata?.arn ?? '')
    const how = { wrappingAlgorithm: 'RSAES_OAEP_SHA_1', wrappingKeySpec: 'RSA_2048' } as const
    const parameters = await callAs(owner, 'GetParametersForImport', { keyId: own, ...how })
    const rest = {
      importToken: parameters.importToken,
      encryptedKeyMaterial: Buffer.alloc(256, 1),
      expirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    } as const
    await expectNothing('ImportKeyMaterial', { keyId: own, ...rest }, /^AccessDenied/)
    for (const stranger of strangers) {
      const foreign = callAs(stranger, 'ImportKeyMaterial', { keyId: other, ...rest })
      await expect(foreign).rejects.toMatchObject({ name: 'InvalidImportTokenException' })
    }
    for (const [by, keyId] of [
      [owner, own],
      [rootOf(OTHER_ACCOUNT), other],
    ] as const) {
      const { keyMetadata } = await callAs(by, 'DescribeKey', { keyId })
      expect(keyMetadata?.keyState).toBe('PendingImport')
    }
  })

  test('the marker of a page', async () => {
    await newKey()
    for (const [at, targetKeyId] of [keyId, keyId].entries()) {
      await callAs(owner, 'CreateAlias', { aliasName: `alias/page-${at}`, targetKeyId })
    }
    await callAs(owner, 'CreateGrant', {
      keyId,
      granteePrincipal: owner.arn,
      operations: ['Encrypt'],
    })
    const keys = await callAs(owner, 'ListKeys', { limit: 1 })
    const aliases = await callAs(owner, 'ListAliases', { limit: 1 })
    const ofKey = await callAs(owner, 'ListGrants', { keyId, limit: 1 })
    const refused = /^InvalidMarkerException/
    await expectNothing('ListKeys', { limit: 1, marker: keys.nextMarker }, refused)
    await expectNothing('ListAliases', { limit: 1, marker: aliases.nextMarker }, refused)
    const page = { limit: 1, marker: ofKey.nextMarker }
    await expectNothing('ListGrants', { keyId: theirs, ...page }, refused)
    await expectNothing('ListGrants', { keyId: arn, ...page }, /^AccessDeniedException/)
  })

  test('the name of an alias', async () => {
    const aliasArn = arn.replace(/key\/.*/, 'alias/page-0')
    await expectNothing('Encrypt', { keyId: 'alias/page-0', plaintext }, /^NotFoundException|^Acc/)
    await expectNothing('Encrypt', { keyId: aliasArn, plaintext }, /^AccessDeniedException/)
    await expectNothing('CreateAlias', { aliasName: 'alias/x', targetKeyId: arn }, /Exception/)
  })
})
