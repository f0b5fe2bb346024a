/** The same tests over every token present: what must not depend on whose module it is. */

import { execFile } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Authorised } from '../../src/model/authorised.ts'
import { parseCiphertext } from '../../src/model/ciphertext.ts'
import type { Key } from '../../src/model/key.ts'
import { type HsmHandle, startHsm } from '../../src/pkcs11/client/supervisor.ts'
import { findToken, loadModule } from '../../src/pkcs11/token/module.ts'
import { TokenError } from '../../src/pkcs11/token/return-values.ts'
import { TokenSession } from '../../src/pkcs11/token/session.ts'
import { makeKey } from '../pkcs11/token.ts'
import { nss } from './nss.ts'
import { opencryptoki } from './opencryptoki.ts'
import { softhsm } from './softhsm.ts'
import type { MadeToken, TokenKind } from './token-kind.ts'
import { tpm2 } from './tpm2.ts'

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts')
const CONTEXT = Buffer.from('the canonical context')
const OTHER_CONTEXT = Buffer.from('another context')
const PLAINTEXT = Buffer.from('kept by the token')
const INVALID = { name: 'InvalidCiphertextException' }
const MORE_SESSIONS_THAN_ANY = 5000

const log = () => undefined

for (const kind of [softhsm, nss, opencryptoki, tpm2]) {
  const { name, missing, outcome } = kind
  if (missing !== undefined) console.log(`SKIPPED: the tests on ${name}: ${missing}`)
  const title = missing === undefined ? name : `${name}, skipped: ${missing}`
  describe.skipIf(missing !== undefined)(title, () => {
    if ('refuses' in outcome) refuses(kind, outcome.refuses)
    else serves(kind, outcome)
  })
}

function serves({ make }: TokenKind, { suite, profile }: { suite: number; profile: string }) {
  let token: MadeToken
  let handle: HsmHandle
  let key: Authorised<Key>
  let other: Authorised<Key>

  beforeAll(async () => {
    token = await make()
    handle = await startHsm(token.settings, { log })
    const canaryId = await handle.objects.createCanary()
    token = { ...token, settings: { ...token.settings, canaryId } }
    key = await makeKey(handle.objects)
    other = await makeKey(handle.objects)
  })
  afterAll(async () => {
    await handle?.stop()
    await token?.remove()
  })

  const sealed = async () => {
    const input = { plaintext: PLAINTEXT, context: CONTEXT }
    return parseCiphertext(await handle.hsm.encrypt(key, input, {}))
  }

  test('it is recognised, and serves in its suite', async () => {
    expect(handle.state()).toMatchObject({ state: 'ready', identity: { profile } })
    expect(await handle.objects.suite()).toBe(suite)
    expect(await handle.check()).toMatchObject({ canary: 'good', backingKeys: 2 })
  })

  test('keys are read back and listed', async () => {
    const ids = [key, other].map(({ backingKeys }) => backingKeys[0]?.id)
    const found = await handle.objects.listBackingKeys()
    expect(found.toSorted((a, b) => a.id.localeCompare(b.id))).toEqual(
      ids.toSorted().map((id) => ({ id, suite })),
    )
    for (const { id, suite: one = 1 } of found) {
      expect(await handle.objects.provesBackingKey({ id, suite: one })).toBe(true)
    }
  })

  test('what it encrypts it decrypts, twice differently', async () => {
    const [one, two] = [await sealed(), await sealed()]
    expect(one.iv).not.toEqual(two.iv)
    for (const ciphertext of [one, two]) {
      const opened = await handle.hsm.decrypt(key, { ciphertext, context: CONTEXT }, {})
      expect(opened).toEqual(PLAINTEXT)
    }
  })

  test('another context, or one bit, is refused, and the session works on', async () => {
    const ciphertext = await sealed()
    const flipped = Buffer.from(ciphertext.sealed)
    flipped[0] = (flipped[0] ?? 0) ^ 1
    for (const input of [
      { ciphertext, context: OTHER_CONTEXT },
      { ciphertext: { ...ciphertext, sealed: flipped }, context: CONTEXT },
    ]) {
      await expect(handle.hsm.decrypt(key, input, {})).rejects.toMatchObject(INVALID)
      await sealed()
    }
  })

  test('ciphertexts move to another key and context inside it', async () => {
    const source = { key, ciphertext: await sealed(), context: CONTEXT }
    const destination = { key: other, context: OTHER_CONTEXT }
    const ciphertext = parseCiphertext(await handle.hsm.reEncrypt(source, destination, {}))
    const opened = handle.hsm.decrypt(other, { ciphertext, context: OTHER_CONTEXT }, {})
    expect(await opened).toEqual(PLAINTEXT)
  })

  test('it makes data keys', async () => {
    const input = { numberOfBytes: 32, context: CONTEXT }
    const made = await handle.hsm.generateDataKey(key, input, {})
    const without = await handle.hsm.generateDataKeyWithoutPlaintext(key, input, {})
    const opened = await Promise.all(
      [made.ciphertextBlob, without].map((blob) =>
        handle.hsm.decrypt(key, { ciphertext: parseCiphertext(blob), context: CONTEXT }, {}),
      ),
    )
    expect(opened[0]).toEqual(made.plaintext)
    expect(opened[1]).toHaveLength(32)
    expect(opened[1]).not.toEqual(opened[0])
  })

  test('keys outlive the process, and end when they are destroyed', async () => {
    const ciphertext = await sealed()
    await handle.stop()
    handle = await startHsm(token.settings, { log })
    const decrypt = () => handle.hsm.decrypt(key, { ciphertext, context: CONTEXT }, {})
    expect(await decrypt()).toEqual(PLAINTEXT)
    const id = key.backingKeys[0]?.id ?? ''
    await handle.objects.destroyBackingKey(id)
    expect(await handle.objects.provesBackingKey({ id, suite: suite === 1 ? 1 : 2 })).toBe(false)
    expect(await handle.objects.listBackingKeys()).toHaveLength(1)
    await expect(decrypt()).rejects.toMatchObject({ name: 'KeyUnavailableException' })
  })
}

function refuses({ make, hasFewSessions }: TokenKind, reason: string) {
  let token: MadeToken
  beforeAll(async () => {
    token = await make()
  })
  afterAll(async () => {
    await token?.remove()
  })

  test('it is refused once and for all, and the reason names what it lacks', async () => {
    const handle = await startHsm(token.settings, { log })
    expect(handle.state()).toMatchObject({ state: 'refused', reason })
    await expect(handle.objects.suite()).rejects.toMatchObject({ name: 'KMSInternalException' })
    expect(handle.metrics().restarts).toBe(0)
    await handle.stop()
  })

  test('`keyslot hsm check` says so, and exits with 1', async ({ skip }) => {
    const { modulePath, tokenLabel, pinFile, moduleEnvironment } = token.settings
    if (moduleEnvironment !== undefined) skip('its variables are not among those passed on')
    const flags = ['--hsm-module', modulePath, '--hsm-token-label', tokenLabel]
    const check = [MAIN, 'hsm', 'check', ...flags, '--hsm-pin-file', pinFile]
    await expect(promisify(execFile)(process.execPath, check)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(reason),
    })
  })

  test('a module whose words nobody knows has the profile of its file name', async () => {
    const { settings } = token
    const modulePath = join(dirname(settings.pinFile), 'libcs_pkcs11_R3.so')
    symlinkSync(settings.modulePath, modulePath)
    const logged = vi.fn()
    const handle = await startHsm({ ...settings, modulePath }, { log: logged })
    await handle.stop()
    const identity = expect.objectContaining({ profile: 'utimaco' })
    expect(logged).toHaveBeenCalledWith('info', 'the PKCS#11 module is loaded', identity)
  })

  if (hasFewSessions === true) {
    test('a session too many is refused as such, and one closed makes room', () => {
      const { settings } = token
      Object.assign(process.env, settings.moduleEnvironment)
      const module = loadModule(settings, () => undefined)
      const { slot } = findToken(module, settings.tokenLabel)
      const open = () => TokenSession.open(module.pkcs11, slot.handle, module.profile)
      const sessions = [open()]
      const openAll = () => {
        while (sessions.length < MORE_SESSIONS_THAN_ANY) sessions.push(open())
      }
      try {
        expect(openAll).toThrow(TokenError)
        expect(openAll).toThrow('C_OpenSession returned CKR_SESSION_COUNT')
        sessions.pop()?.close()
        sessions.push(open())
      } finally {
        for (const session of sessions) session.close()
        module.graphene.finalize()
      }
    })
  }
}
