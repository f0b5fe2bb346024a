/** Golden ciphertexts: what an earlier release has encrypted, this one decrypts. */

import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { softhsmConfiguration } from '../../src/pkcs11/profiles/softhsm.ts'
import { openStore } from '../../src/store/database.ts'
import { startTestService } from '../harness.ts'

const GOLDEN = resolve(import.meta.dirname, '../golden')
const releases = readdirSync(GOLDEN).filter((name) => /^v\d+$/.test(name))

interface Golden {
  readonly suite: 1 | 2
  readonly plaintext: string
  readonly context: Readonly<Record<string, string>>
  readonly ciphertextBlob: string
}

/** A copy of the installation that made them: serving would change it. */
function installationOf(release: string): string {
  const home = mkdtempSync(join(tmpdir(), 'keyslot-golden-'))
  cpSync(join(GOLDEN, release), home, { recursive: true })
  const tokens = join(home, 'hsm/tokens')
  mkdirSync(tokens, { recursive: true })
  writeFileSync(join(home, 'hsm/softhsm2.conf'), softhsmConfiguration(tokens))
  // git keeps no modes but the executable's.
  chmodSync(join(home, 'hsm/pin'), 0o400)
  return home
}

/** What a database is made of, in words. */
function schemaOf(path: string): readonly unknown[] {
  const database = new DatabaseSync(path)
  const rows = database.prepare('select type, name, sql from sqlite_schema order by name').all()
  database.close()
  return rows
}

test('there is a release to hold on to', () => {
  expect(releases).toContain('v1')
})

describe.each(releases)('%s', (release) => {
  test('every ciphertext decrypts, in its context only', async () => {
    const service = await startTestService({ home: installationOf(release) })
    const text = readFileSync(join(GOLDEN, release, 'ciphertexts.json'), 'utf8')
    const goldens: readonly Golden[] = JSON.parse(text)
    expect(new Set(goldens.map(({ suite }) => suite))).toEqual(new Set([1, 2]))
    for (const golden of goldens) {
      const ciphertextBlob = Buffer.from(golden.ciphertextBlob, 'base64')
      const encryptionContext = new Map(Object.entries(golden.context).reverse())
      const { client } = service
      const { plaintext } = await client.call('Decrypt', { ciphertextBlob, encryptionContext })
      expect(plaintext.toString('base64')).toBe(golden.plaintext)
      encryptionContext.set('other', 'context')
      const wrong = client.call('Decrypt', { ciphertextBlob, encryptionContext })
      await expect(wrong).rejects.toMatchObject({ name: 'InvalidCiphertextException' })
    }
    await service.stop()
  })

  test('its database becomes what a new one is: no migration was changed afterwards', async () => {
    const path = join(installationOf(release), 'keyslot.db')
    const fresh = join(mkdtempSync(join(tmpdir(), 'keyslot-golden-')), 'keyslot.db')
    for (const each of [path, fresh]) await (await openStore({ path: each })).close()
    expect(schemaOf(path)).toEqual(schemaOf(fresh))
  })
})
