/** CreateGrant. */

import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { rootArn } from '../../../src/model/arn.ts'
import type { Caller } from '../../../src/model/caller.ts'
import {
  ACCOUNT,
  callAs,
  expectAllowed,
  expectDenied,
  expectFailureAs,
  here,
  keyStatement,
  newKey,
  newSession,
  newUser,
  OTHER_ACCOUNT,
  ownStatement,
  ROOT_STATEMENT,
  removePrincipal,
  rootOf,
  serviceFor,
  useInstallation,
} from '../installation.ts'

useInstallation()

const plaintext = Buffer.from('x')
const team = new Map([['Team', 'blue']])

async function grantTo(
  grantee: Caller | string,
  keyId: string,
  part: object = {},
  by: Caller = rootOf(),
) {
  const granteePrincipal = typeof grantee === 'string' ? grantee : grantee.arn
  const operations: ('Encrypt' | 'Decrypt')[] = ['Encrypt', 'Decrypt']
  return callAs(by, 'CreateGrant', { keyId, granteePrincipal, operations, ...part })
}

test('gives what it says, at once, to whom it says', async () => {
  const [ann, ben] = [await newUser('ann'), await newUser('ben')]
  const { keyId, arn } = await newKey()
  const encrypt = { keyId, plaintext }
  await expectDenied(ann, 'Encrypt', encrypt)
  const { grantId, grantToken } = await grantTo(ann, keyId, { operations: ['Encrypt'] })
  expect(grantId).toMatch(/^[0-9a-f]{64}$/)
  await expectAllowed(ann, 'Encrypt', encrypt)
  await expectAllowed(ann, 'Encrypt', { ...encrypt, grantTokens: [grantToken] })
  await expectDenied(ann, 'GenerateDataKey', { keyId, numberOfBytes: 32 })
  await expectDenied(ann, 'DescribeKey', { keyId })
  await expectDenied(ben, 'Encrypt', encrypt)
  await expectDenied(ben, 'Encrypt', { ...encrypt, grantTokens: [grantToken] })
  expect(here().audit.findLast(({ outcome }) => outcome === 'succeeded')?.authorisation).toEqual([
    {
      permission: 'kms:Encrypt',
      resource: arn,
      decision: 'allow',
      source: 'grant',
      name: grantId,
    },
  ])
})

test('gives to a role in all its sessions, to a session only in it, to an account by its leave', async () => {
  const app = await newSession('app', 'one')
  const other = { ...app, arn: app.arn.replace(/one$/, 'two') }
  const { keyId } = await newKey()
  const encrypt = { keyId, plaintext }
  const session = await grantTo(app, keyId)
  await expectAllowed(app, 'Encrypt', encrypt)
  await expectDenied(other, 'Encrypt', encrypt)
  await callAs(rootOf(), 'RevokeGrant', { keyId, grantId: session.grantId })
  await expectDenied(app, 'Encrypt', encrypt)
  await grantTo(app.roleArn, keyId)
  await expectAllowed(app, 'Encrypt', encrypt)
  await expectAllowed(other, 'Encrypt', encrypt)
})

test('C4: binds to who the principal is now', async () => {
  const old = await newUser('renewed')
  const { keyId } = await newKey()
  await grantTo(old, keyId)
  await expectAllowed(old, 'Encrypt', { keyId, plaintext })
  await removePrincipal(old)
  const renewed = await newUser('renewed')
  expect(renewed.arn).toBe(old.arn)
  await expectDenied(renewed, 'Encrypt', { keyId, plaintext })
  const { grants } = await callAs(rootOf(), 'ListGrants', { keyId })
  expect(grants.map(({ granteePrincipal }) => granteePrincipal)).toEqual([old.principalId])
})

test('is the same one for an equal request of the same name, with a token of its own', async () => {
  const cleo = await newUser('cleo')
  const { keyId } = await newKey()
  const one = await grantTo(cleo, keyId, { name: 'n' })
  const two = await grantTo(cleo, keyId, { name: 'n' })
  expect(two.grantId).toBe(one.grantId)
  expect(two.grantToken).not.toBe(one.grantToken)
  const other = await grantTo(cleo, keyId, { name: 'n', operations: ['Encrypt'] })
  expect(other.grantId).not.toBe(one.grantId)
  for (const { grantToken } of [one, two]) {
    await callAs(cleo, 'Encrypt', { keyId, plaintext, grantTokens: [grantToken] })
  }
})

test('C2: takes up to 10 tokens, of grants that are there', async () => {
  const dora = await newUser('dora')
  const { keyId } = await newKey()
  const { grantToken, grantId } = await grantTo(dora, keyId)
  const encrypt = (...grantTokens: string[]) => ({ keyId, plaintext, grantTokens })
  const wrong = [
    'x',
    `${grantToken}=`,
    grantToken.slice(0, -1),
    `${grantToken.slice(0, -2)}${grantToken.endsWith('AA') ? 'BB' : 'AA'}`,
    Buffer.from(grantToken).toString('base64url'),
  ]
  for (const token of wrong) {
    await expectFailureAs('InvalidGrantTokenException', rootOf(), 'Encrypt', encrypt(token))
  }
  const eleven = encrypt(...Array(11).fill(grantToken))
  await expectFailureAs('ValidationException', rootOf(), 'Encrypt', eleven)
  await callAs(rootOf(), 'RevokeGrant', { keyId, grantId })
  await expectFailureAs('InvalidGrantTokenException', rootOf(), 'Encrypt', encrypt(grantToken))
})

describe('constraints', () => {
  const encrypt = (keyId: string, pairs: object) => ({
    keyId,
    plaintext,
    encryptionContext: new Map(Object.entries(pairs)),
  })

  test('C7: ask for pairs: names whatever their case, values exactly', async () => {
    const fay = await newUser('fay')
    const { keyId } = await newKey()
    await grantTo(fay, keyId, { constraints: { encryptionContextSubset: team } })
    for (const pairs of [{ Team: 'blue' }, { tEAM: 'blue', more: 'x' }]) {
      await expectAllowed(fay, 'Encrypt', encrypt(keyId, pairs))
    }
    for (const pairs of [{}, { Team: 'Blue' }, { Team: 'blue ' }, { Teams: 'blue' }]) {
      await expectDenied(fay, 'Encrypt', encrypt(keyId, pairs))
    }
  })

  test('of all pairs ask for no other', async () => {
    const gus = await newUser('gus')
    const { keyId } = await newKey()
    await grantTo(gus, keyId, { constraints: { encryptionContextEquals: team } })
    await expectAllowed(gus, 'Encrypt', encrypt(keyId, { team: 'blue' }))
    await expectDenied(gus, 'Encrypt', encrypt(keyId, { team: 'blue', more: 'x' }))
  })

  test('do not matter to operations without a context', async () => {
    const hal = await newUser('hal')
    const { keyId } = await newKey()
    const constraints = { encryptionContextEquals: team }
    await grantTo(hal, keyId, { constraints, operations: ['DescribeKey', 'Decrypt'] })
    await expectAllowed(hal, 'DescribeKey', { keyId })
  })

  test('have at most 8 pairs and 384 characters', async () => {
    const ida = await newUser('ida')
    const { keyId } = await newKey()
    const of = (pairs: [string, string][]) => ({
      constraints: { encryptionContextSubset: new Map(pairs) },
    })
    const many = Array.from({ length: 9 }, (_, at): [string, string] => [`${at}`, ''])
    await grantTo(ida, keyId, of(many.slice(1)))
    await expect(grantTo(ida, keyId, of(many))).rejects.toThrow('8 pairs')
    await grantTo(ida, keyId, of([['k', 'v'.repeat(383)]]))
    await expect(grantTo(ida, keyId, of([['k', 'v'.repeat(384)]]))).rejects.toThrow('384')
  })
})

describe('by a grant', () => {
  test('C2: gives no more than that grant, and as strictly', async () => {
    const [jo, kim] = [await newUser('jo'), await newUser('kim')]
    const { keyId } = await newKey()
    const operations = ['Encrypt', 'CreateGrant']
    await grantTo(jo, keyId, { operations, constraints: { encryptionContextSubset: team } })
    const byJo = (part: object) => grantTo(kim, keyId, part, jo)
    const denied = { name: 'AccessDeniedException' }
    const blue = { encryptionContextSubset: team }
    for (const part of [
      { operations: ['Encrypt'] },
      { operations: ['Encrypt', 'Decrypt'], constraints: blue },
      {
        operations: ['Encrypt'],
        constraints: { encryptionContextSubset: new Map([['Team', 'red']]) },
      },
      {
        operations: ['Encrypt'],
        constraints: { encryptionContextEquals: new Map([['a', 'b']]) },
      },
    ]) {
      await expect(byJo(part)).rejects.toMatchObject(denied)
    }
    const stricter = new Map([...team, ['more', 'x']])
    await byJo({ operations: ['Encrypt'], constraints: { encryptionContextEquals: stricter } })
    await byJo({
      operations,
      constraints: { encryptionContextSubset: new Map([['team', 'blue']]) },
    })
    // And on from there.
    await expectAllowed(kim, 'CreateGrant', {
      keyId,
      granteePrincipal: jo.arn,
      operations: ['Encrypt'],
      constraints: { encryptionContextSubset: team, encryptionContextEquals: new Map() },
    })
  })

  test('that asks for an exact context passes on nothing looser', async () => {
    const [lea, mia] = [await newUser('lea'), await newUser('mia')]
    const { keyId } = await newKey()
    const operations = ['Encrypt', 'CreateGrant']
    await grantTo(lea, keyId, { operations, constraints: { encryptionContextEquals: team } })
    const byLea = (constraints: object) =>
      grantTo(mia, keyId, { operations: ['Encrypt'], constraints }, lea)
    await byLea({ encryptionContextEquals: team })
    const denied = { name: 'AccessDeniedException' }
    await expect(byLea({ encryptionContextSubset: team })).rejects.toMatchObject(denied)
    const more = { encryptionContextEquals: new Map([...team, ['a', 'b']]) }
    await expect(byLea(more)).rejects.toMatchObject(denied)
  })
})

describe('refuses', () => {
  test('who does not exist', async () => {
    const gone = await newUser('gone')
    await removePrincipal(gone)
    const { keyId } = await newKey()
    for (const granteePrincipal of [gone.arn, gone.principalId ?? '', 'ann', '*', 'x/y']) {
      const named = { granteePrincipal, operations: ['Encrypt' as const] }
      await expect(callAs(rootOf(), 'CreateGrant', { keyId, ...named })).rejects.toMatchObject({
        name: expect.stringMatching(/^(InvalidArn|Validation)Exception$/),
      })
    }
    const nina = await newUser('nina')
    await expect(grantTo(nina, keyId, { retiringPrincipal: gone.arn })).rejects.toMatchObject({
      name: 'InvalidArnException',
    })
  })

  test('operations that the key does not have', async () => {
    const olga = await newUser('olga')
    const { keyId } = await newKey()
    for (const operation of ['Sign', 'GetPublicKey', 'GenerateMac', 'DeriveSharedSecret']) {
      const grant = grantTo(olga, keyId, { operations: ['Encrypt', operation] })
      await expect(grant).rejects.toMatchObject({ name: 'ValidationException' })
    }
    await expect(grantTo(olga, keyId, { operations: [] })).rejects.toMatchObject({
      name: 'ValidationException',
    })
  })

  test('what would bound it in a way that keyslot does not know, and services of AWS', async () => {
    const rosa = await newUser('rosa')
    const { keyId } = await newKey()
    const refused = { name: 'UnsupportedOperationException' }
    for (const part of [
      { constraints: { sourceArn: 'arn:aws:s3:::bucket' } },
      { granteeServicePrincipal: 's3.amazonaws.com' },
      { retiringServicePrincipal: 's3.amazonaws.com' },
    ]) {
      await expect(grantTo(rosa, keyId, part)).rejects.toMatchObject(refused)
    }
  })

  test('two constraints, and to pass on nothing', async () => {
    const sam = await newUser('sam')
    const { keyId } = await newKey()
    const both = { encryptionContextSubset: team, encryptionContextEquals: team }
    await expect(grantTo(sam, keyId, { constraints: both })).rejects.toThrow(
      'More than one constraint supplied',
    )
    await expect(grantTo(sam, keyId, { operations: ['CreateGrant'] })).rejects.toThrow(
      'Grants must not contain only the CreateGrant operation.',
    )
    expect((await callAs(rootOf(), 'ListGrants', { keyId })).grants).toEqual([])
  })

  test('a key that is not enabled, and an alias', async () => {
    const pia = await newUser('pia')
    const { keyId } = await newKey()
    await callAs(rootOf(), 'CreateAlias', { aliasName: 'alias/g', targetKeyId: keyId })
    await expect(grantTo(pia, 'alias/g')).rejects.toMatchObject({ name: 'NotFoundException' })
    await callAs(rootOf(), 'DisableKey', { keyId })
    await expect(grantTo(pia, keyId)).rejects.toMatchObject({ name: 'DisabledException' })
    await callAs(rootOf(), 'ScheduleKeyDeletion', { keyId })
    await expect(grantTo(pia, keyId)).rejects.toMatchObject({ name: 'KMSInvalidStateException' })
  })

  test('a dry run, once it would have succeeded', async () => {
    const quin = await newUser('quin')
    const { keyId } = await newKey()
    const dry = (part: object = {}) => grantTo(quin, keyId, { dryRun: true, ...part })
    await expect(dry()).rejects.toMatchObject({ name: 'DryRunOperationException' })
    await expect(dry({ operations: ['Sign'] })).rejects.toMatchObject({
      name: 'ValidationException',
    })
    const nobody = { granteePrincipal: `${quin.arn}-gone` }
    await expect(dry(nobody)).rejects.toMatchObject({ name: 'InvalidArnException' })
    expect((await callAs(rootOf(), 'ListGrants', { keyId })).grants).toEqual([])
  })
})

test('C4: to a service is for the account that made it, and for nobody else whom it serves', async () => {
  const service = 'backup.amazonaws.com'
  const { arn: keyId } = await newKey([
    ROOT_STATEMENT,
    keyStatement({ AWS: OTHER_ACCOUNT }, 'kms:CreateGrant'),
  ])
  const [here, elsewhere] = [serviceFor(service), serviceFor(service, OTHER_ACCOUNT)]
  const { grantId } = await grantTo(service, keyId)
  await expectAllowed(here, 'Encrypt', { keyId, plaintext })
  await expectDenied(elsewhere, 'Encrypt', { keyId, plaintext })
  await callAs(rootOf(), 'RevokeGrant', { keyId, grantId })
  await grantTo(service, keyId, {}, rootOf(OTHER_ACCOUNT))
  await expectDenied(here, 'Encrypt', { keyId, plaintext })
  await expectAllowed(elsewhere, 'Encrypt', { keyId, plaintext })
})

test.each([
  ['in the order of their ids', '0', 'f'],
  ['the other way round', 'f', '0'],
])('C4: of two accounts to one service both count, %s', async (_order, first, second) => {
  const service = 'backup.amazonaws.com'
  const { arn, keyId } = await newKey()
  const accounts = [
    [ACCOUNT, first],
    [OTHER_ACCOUNT, second],
  ] as const
  for (const [account, digit] of accounts) {
    const made = await here().store.grants.insert(
      {
        grantId: digit + randomBytes(32).toString('hex').slice(1),
        keyId,
        name: '',
        grantee: { arn: service },
        issuingAccount: rootArn(account),
        operations: ['Encrypt', 'Decrypt'],
        createdMs: here().nowMs,
        tokenKey: randomBytes(32).toString('hex'),
      },
      2,
    )
    expect(made).not.toBe('full')
  }
  for (const [account] of accounts) {
    const caller = serviceFor(service, account)
    for (const encryptionContext of [new Map(), new Map([['tenant', 'blue']])]) {
      const asked = { keyId: arn, plaintext, encryptionContext }
      const { ciphertextBlob } = await expectAllowed(caller, 'Encrypt', asked)
      await expectAllowed(caller, 'Decrypt', { keyId: arn, ciphertextBlob, encryptionContext })
    }
  }
})

test('works across accounts, for whom the key policy lets and their own account does', async () => {
  const key = await newKey([
    ROOT_STATEMENT,
    keyStatement({ AWS: OTHER_ACCOUNT }, 'kms:CreateGrant'),
  ])
  const statements = [ownStatement('kms:Encrypt')]
  const rosa = await newUser('rosa', { account: OTHER_ACCOUNT, statements })
  const { grantId } = await grantTo(rosa, key.arn, {}, rootOf(OTHER_ACCOUNT))
  await expectAllowed(rosa, 'Encrypt', { keyId: key.arn, plaintext })
  const remo = await newUser('remo', { account: OTHER_ACCOUNT })
  await grantTo(remo, key.arn, {}, rootOf(OTHER_ACCOUNT))
  await expectDenied(remo, 'Encrypt', { keyId: key.arn, plaintext })
  const { grants } = await callAs(rootOf(), 'ListGrants', { keyId: key.keyId, grantId })
  expect(grants).toMatchObject([{ issuingAccount: rootOf(OTHER_ACCOUNT).arn }])
})
