/** The way that every call takes: the order of its checks, and a record of every end. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { call, expectFailure, MISSING, newKey, service, useService } from '../operations/service.ts'

useService()

const plaintext = Buffer.from('canary-plaintext-of-this-test')
const recordsOf = (operation: string) =>
  service()
    .auditRecords()
    .filter(({ eventName }) => eventName === operation)

describe('the audit record', () => {
  test('says who asked for what, on which key, and how it ended', async () => {
    const { keyId, arn } = await newKey()
    const encryptionContext = new Map([['line', 'one\ntwo\u2028\u001b[31m']])
    await call('Encrypt', { keyId, plaintext, encryptionContext })
    const { account } = service().place
    expect(recordsOf('Encrypt').at(-1)).toMatchObject({
      eventTime: new Date(service().clock()).toISOString(),
      requestID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      outcome: 'succeeded',
      readOnly: true,
      door: 'grpc',
      userIdentity: { type: 'root', arn: `arn:aws:iam::${account}:root`, accountId: account },
      sourceIPAddress: '127.0.0.1',
      requestParameters: { keyId, encryptionContext: Object.fromEntries(encryptionContext) },
      resources: [{ ARN: arn }],
    })
  })

  test('is there for every end of a call', async () => {
    const { keyId } = await newKey()
    await expectFailure('Encrypt', { keyId: MISSING, plaintext }, 'NotFoundException')
    expect(recordsOf('Encrypt').at(-1)).toMatchObject({
      outcome: 'failed',
      errorCode: 'NotFoundException',
    })
    await expectFailure('Encrypt', { keyId }, 'ValidationException')
    expect(recordsOf('Encrypt').at(-1)).toMatchObject({ errorCode: 'ValidationException' })
    const stranger = service().clientOf('999911112222')
    const { arn } = await newKey()
    await expect(stranger.call('Encrypt', { keyId: arn, plaintext })).rejects.toThrow()
    expect(recordsOf('Encrypt').at(-1)).toMatchObject({
      errorCode: 'AccessDeniedException',
      userIdentity: { arn: 'arn:aws:iam::999911112222:root' },
      resources: [{ ARN: arn }],
    })
    const nobody = service().clientOf('spiffe://elsewhere/account/111122223333/root')
    const failure = { name: 'UnrecognizedClientException' }
    await expect(nobody.call('Encrypt', { keyId, plaintext })).rejects.toMatchObject(failure)
    expect(recordsOf('Encrypt').at(-1)).toMatchObject({ errorCode: 'UnrecognizedClientException' })
  })

  test('of a change is there before it begins', async () => {
    const { keyId } = await newKey()
    const before = recordsOf('DisableKey').length
    await call('DisableKey', { keyId })
    const made = recordsOf('DisableKey').slice(before)
    expect(made.map(({ outcome }) => outcome)).toEqual(['attempted', 'succeeded'])
    expect(new Set(made.map(({ requestID }) => requestID)).size).toBe(1)
  })

  test('P5: holds no secret, on any path', async () => {
    const { keyId } = await newKey()
    const secrets: Buffer[] = [plaintext]
    const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
    await call('Decrypt', { ciphertextBlob })
    const dataKey = await call('GenerateDataKey', { keyId, numberOfBytes: 32 })
    const random = await call('GenerateRandom', { numberOfBytes: 32 })
    secrets.push(dataKey.plaintext, random.plaintext)
    const grantTokens = ['canary-grant-token-of-this-test']
    const granted = { keyId, plaintext, grantTokens }
    await expectFailure('Encrypt', granted, 'InvalidGrantTokenException')
    secrets.push(Buffer.from(grantTokens[0] ?? ''))
    await expectFailure('Encrypt', { keyId: MISSING, plaintext }, 'NotFoundException')
    await expectFailure('Encrypt', { keyId, plaintext, dryRun: true }, 'DryRunOperationException')
    const pin = readFileSync(service().config.hsm.pinFile ?? '')
    secrets.push(Buffer.from(pin.toString().trim()))
    const log = readFileSync(service().config.audit, 'latin1')
    for (const secret of secrets) {
      for (const form of [
        secret.toString('latin1'),
        secret.toString('base64'),
        secret.toString('hex'),
      ]) {
        expect(log.includes(form)).toBe(false)
      }
    }
  })

  test('is one line and one parse, whatever the caller writes', async () => {
    const { keyId } = await newKey()
    const before = service().auditRecords().length
    for (const text of [
      '\n',
      '\r\n{"a":1}',
      '\u0000',
      '"}\n{"',
      '\ud83d\ude00',
      'x'.repeat(4000),
    ]) {
      await call('UpdateKeyDescription', { keyId, description: text })
    }
    expect(service().auditRecords().length - before).toBe(12)
  })
})

const TRUST = JSON.stringify({
  Statement: { Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: 'sts:AssumeRole' },
})

describe('the order of the checks', () => {
  test('a malformed request is refused before its key is looked for', async () => {
    await expectFailure('Encrypt', { keyId: MISSING }, 'ValidationException', 'plaintext')
  })

  test('a caller who may not is refused before the state of the key is told', async () => {
    const { keyId, arn } = await newKey()
    await call('DisableKey', { keyId })
    const stranger = service().clientOf('999911112222')
    const failure = { name: 'AccessDeniedException' }
    const encrypt = stranger.call('Encrypt', { keyId: arn, plaintext })
    await expect(encrypt).rejects.toMatchObject(failure)
  })

  test('the state is told before a dry run succeeds', async () => {
    const { keyId } = await newKey()
    await call('DisableKey', { keyId })
    await expectFailure('Encrypt', { keyId, plaintext, dryRun: true }, 'DisabledException')
  })
})

describe('who may', () => {
  test.each([
    [
      'spiffe://keyslot/account/111122223333/user/ada',
      'arn:aws:iam::111122223333:user/ada',
      () => call('CreateUser', { userName: 'ada' }),
    ],
    [
      'spiffe://keyslot/account/111122223333/role/app/one',
      'arn:aws:sts::111122223333:assumed-role/app/one',
      () => call('CreateRole', { roleName: 'app', assumeRolePolicyDocument: TRUST }),
    ],
  ])('%s may do nothing without a policy', async (spiffeId, arn, make) => {
    const { keyId } = await newKey()
    const client = service().clientOf(spiffeId)
    const unknown = client.call('ListKeys', {})
    await expect(unknown).rejects.toMatchObject({ name: 'UnrecognizedClientException' })
    await make()
    const refusals = [
      client.call('Encrypt', { keyId, plaintext }),
      client.call('CreateKey', {}),
      client.call('ListKeys', {}),
    ]
    for (const refusal of refusals) {
      await expect(refusal).rejects.toMatchObject({
        name: 'AccessDeniedException',
        message: expect.stringContaining(arn),
      })
    }
  })
})

describe('what another process has changed', () => {
  /** Changes the database from a process of its own, as a second keyslot would. */
  const change = (sql: string, ...values: string[]) => {
    const program =
      "const [path, sql, ...values] = process.argv.slice(1); new (require('node:sqlite')" +
      '.DatabaseSync)(path).prepare(sql).run(...values)'
    execFileSync(process.execPath, ['-e', program, service().config.database, sql, ...values])
  }

  test('of a key is what the next call meets', async () => {
    const { keyId } = await newKey()
    await call('Encrypt', { keyId, plaintext })
    change("update keys set state = 'Disabled' where key_id = ?", keyId)
    await expectFailure('Encrypt', { keyId, plaintext }, 'DisabledException')
    change("update keys set state = 'Enabled' where key_id = ?", keyId)
    await call('Encrypt', { keyId, plaintext })
  })

  test('of a user is what the next call meets', async () => {
    const userName = 'leaves'
    await call('CreateUser', { userName })
    const leaver = service().clientOf(
      `spiffe://keyslot/account/${service().place.account}/user/${userName}`,
    )
    const denied = { name: 'AccessDeniedException' }
    await expect(leaver.call('ListKeys', {})).rejects.toMatchObject(denied)
    change('delete from principals where folded_name = ?', userName)
    const unknown = { name: 'UnrecognizedClientException' }
    await expect(leaver.call('ListKeys', {})).rejects.toMatchObject(unknown)
  })
})
