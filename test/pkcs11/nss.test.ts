/** A module of another maker, with other quirks: what must not depend on SoftHSM. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { parseCiphertext } from '../../src/model/ciphertext.ts'
import { startHsm } from '../../src/pkcs11/supervisor.ts'
import { makeKey } from './token.ts'

const modulePath = [
  '/usr/lib/x86_64-linux-gnu/libsoftokn3.so',
  '/usr/lib/aarch64-linux-gnu/libsoftokn3.so',
  '/usr/lib64/libsoftokn3.so',
].find((path) => existsSync(path))
const directory = mkdtempSync(join(tmpdir(), 'keyslot-nss-'))
const libraryParameters = `configdir='sql:${directory}' certPrefix='' keyPrefix='' secmod='' flags=`

afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Sets the PIN of a new database, in a process of its own like every use of a module. */
const SET_PIN = `
import pkcs11js from 'pkcs11js'
const [modulePath, libraryParameters, pin] = process.argv.slice(1)
const pkcs11 = new pkcs11js.PKCS11()
pkcs11.load(modulePath)
pkcs11.C_Initialize({ flags: pkcs11js.CKF_OS_LOCKING_OK, libraryParameters: libraryParameters + ' ' })
const slot = pkcs11.C_GetSlotList(true).find((one) =>
  pkcs11.C_GetTokenInfo(one).label.startsWith('NSS Certificate DB'))
const session = pkcs11.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION)
pkcs11.C_Login(session, pkcs11js.CKU_SO, '')
pkcs11.C_InitPIN(session, pin)
pkcs11.C_Finalize()
`

test('NSS softokn serves in suite 2, with its own symbols and parameters', async ({ skip }) => {
  if (modulePath === undefined) {
    skip('NSS softokn is not installed')
    return
  }
  const pinFile = join(directory, 'pin')
  writeFileSync(pinFile, 'a pin of nss', { mode: 0o400 })
  execFileSync(process.execPath, [
    '--input-type=module',
    '-e',
    SET_PIN,
    modulePath,
    libraryParameters,
    'a pin of nss',
  ])
  const settings = { modulePath, tokenLabel: 'NSS Certificate DB', pinFile, libraryParameters }
  const first = await startHsm(settings, { log: () => undefined })
  expect(first.state()).toMatchObject({ state: 'ready', identity: { profile: 'nss' } })
  expect(await first.objects.suite()).toBe(2)
  const canaryId = await first.objects.createCanary()
  const key = await makeKey(first.objects)
  const context = Buffer.alloc(2)
  const plaintext = Buffer.from('kept by NSS')
  const ciphertext = parseCiphertext(await first.hsm.encrypt(key, { plaintext, context }, {}))
  await first.stop()
  // Everything is in its database, not in the process.
  const second = await startHsm({ ...settings, canaryId }, { log: () => undefined })
  expect(await second.hsm.decrypt(key, { ciphertext, context }, {})).toEqual(plaintext)
  const other = { ciphertext, context: Buffer.alloc(3) }
  await expect(second.hsm.decrypt(key, other, {})).rejects.toMatchObject({
    name: 'InvalidCiphertextException',
  })
  const id = key.backingKeys[0]?.id ?? ''
  expect(await second.objects.listBackingKeys()).toEqual([{ id, suite: 2 }])
  await second.objects.destroyBackingKey(id)
  expect(await second.objects.provesBackingKey({ id, suite: 2 })).toBe(false)
  await expect(second.hsm.decrypt(key, { ciphertext, context }, {})).rejects.toMatchObject({
    name: 'KeyUnavailableException',
  })
  await second.stop()
})
