/** A key with as many grants as it may have. */

import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { rootArn } from '../../src/model/arn.ts'
import type { Caller } from '../../src/model/caller.ts'
import { grantRow } from '../../src/store/grants/rows.ts'
import {
  ACCOUNT,
  callAs,
  here,
  newKey,
  newUser,
  rootOf,
  useInstallation,
} from '../operations/installation.ts'

useInstallation()

describe('50,000 grants on a key', () => {
  test('are the most, and cost a decision nothing', async () => {
    const grantee = await newUser('grantee')
    const { keyId } = await newKey()
    const few = await newKey()
    fill(keyId, grantee, 49_999)
    const grant = (id: string) =>
      callAs(rootOf(), 'CreateGrant', {
        keyId: id,
        granteePrincipal: grantee.arn,
        operations: ['Encrypt'],
      })
    await grant(few.keyId)
    await grant(keyId)
    await expect(grant(keyId)).rejects.toMatchObject({ name: 'LimitExceededException' })
    const question = async (id: string) => {
      const key = await here().store.keys.find(id)
      if (!key) throw new Error('no key')
      return {
        caller: grantee,
        permission: 'kms:Encrypt',
        resource: key,
        key,
        conditions: { 'kms:EncryptionContext': new Map([['n', '7']]) },
        call: { secureTransport: true },
        grantable: true,
        otherAccounts: true,
      }
    }
    const microseconds = async (id: string) => {
      const asked = await question(id)
      const rounds = 500
      for (let at = 0; at < rounds; at++) await here().authority.decide(asked)
      const began = performance.now()
      for (let at = 0; at < rounds; at++) await here().authority.decide(asked)
      expect((await here().authority.decide(asked)).allowed).toBe(true)
      return ((performance.now() - began) * 1000) / rounds
    }
    const [one, many] = [await microseconds(few.keyId), await microseconds(keyId)]
    console.log(`a decision by 1 grant ${one.toFixed(1)} µs, of 50,000 ${many.toFixed(1)} µs`)
    // A scan of 50,000 would take milliseconds.
    expect(many).toBeLessThan(one * 5 + 100)
  })

  function fill(keyId: string, grantee: Caller, grants: number): void {
    const rows = Array.from({ length: grants }, (_, at) => {
      const constraints = { encryptionContextEquals: new Map([['n', `${at}`]]) }
      return grantRow({
        grantId: randomBytes(32).toString('hex'),
        keyId,
        name: '',
        grantee: { arn: grantee.arn, principalId: grantee.principalId },
        issuingAccount: rootArn(ACCOUNT),
        operations: ['Encrypt'],
        constraints: at % 2 ? constraints : undefined,
        createdMs: 0,
        tokenKey: randomBytes(32).toString('hex'),
      })
    })
    const database = new DatabaseSync(here().path, { timeout: 5000 })
    const columns = Object.keys(rows[0] ?? {})
    const values = columns.map((name) => `$${name}`).join()
    const insert = database.prepare(`insert into grants (${columns.join()}) values (${values})`)
    database.exec('begin immediate')
    for (const row of rows) insert.run({ ...row })
    database.exec('commit')
    database.close()
  }
})
