/** `keyslot hsm`: what a container does before it serves, and what a token is worth. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { attackTable } from '../../src/cli/hsm.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'keyslot-init-'))

afterAll(() => rmSync(home, { recursive: true, force: true }))

const env = { PATH: process.env.PATH, HOME: home }

function init(): string {
  const words = [MAIN, 'hsm', 'init', '--home', home]
  return execFileSync(process.execPath, words, { env }).toString()
}

test('makes a token and certificates once, and shows no PIN', () => {
  const read = () => ['hsm/pin', 'tls/server.pem'].map((file) => readFileSync(join(home, file)))
  expect(init()).toBe(`${home}: token keyslot made now\n`)
  const made = read()
  expect(statSync(join(home, 'hsm/pin')).mode & 0o777).toBe(0o400)
  expect(init()).toBe(`${home}: token keyslot found again\n`)
  expect(read()).toEqual(made)
}, 60_000)

test('attacks keys of every kind, says what succeeded, and ends with 1 if anything did', () => {
  init()
  const words = [MAIN, 'hsm', 'check', '--attacks', '--home', home, '--output', 'json']
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { env })
  const { attacks, identity } = JSON.parse(stdout.toString())
  expect(identity.tokenLabel).toBe('keyslot')
  expect(attacks.notMade).toEqual([])
  expect(attacks.keys).toContain('RSA_4096 for SIGN_VERIFY')
  // SoftHSM digests whatever key it is asked to: no template stops that.
  const others = attacks.successes.filter((one: { attack: string }) => one.attack !== 'C_DigestKey')
  expect(others).toEqual([])
  expect(stderr.toString()).toMatch(/^keyslot: \d+ attacks succeeded\n$/)
  expect(status).toBe(1)
}, 180_000)

test('prints what attacks came to as a table', () => {
  const table = attackTable({
    keys: ['one', 'other'],
    notMade: [{ key: 'third', why: 'CKM_EDDSA: the token does not offer it' }],
    rows: [
      {
        attack: 'C_SetAttributeValue',
        tries: 44,
        refused: { CKR_ACTION_PROHIBITED: 44 },
        unbound: 0,
      },
      { attack: 'C_WrapKey', tries: 20, refused: { CKR_KEY_UNEXTRACTABLE: 18 }, unbound: 0 },
      { attack: 'C_EncryptInit', tries: 9, refused: { CKR_MECHANISM_INVALID: 5 }, unbound: 4 },
      { attack: 'concatenate', tries: 0, refused: {}, unbound: 0 },
    ],
    successes: [
      { attack: 'C_WrapKey', key: 'one', gain: 'key out', how: 'C_WrapKey by CKM_AES_CBC' },
      { attack: 'C_WrapKey', key: 'one', gain: 'key out', how: 'C_WrapKey by CKM_AES_CBC_PAD' },
    ],
  })
  expect(`\n${table}`).toBe(`
attack on 2 keys     tries  result
C_SetAttributeValue  44     refused
C_WrapKey            20     SUCCEEDED 2 times
C_EncryptInit        9      refused; its own use by other mechanisms 4 times
concatenate          0      not offered

not made  why
third     CKM_EDDSA: the token does not offer it

succeeded on  gain     by
one           key out  C_WrapKey by CKM_AES_CBC and 1 more

2 keys out, 0 attributes loosened, 0 usages added.`)
})
