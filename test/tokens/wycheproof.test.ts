/**
 * Project Wycheproof's vectors of AES-GCM on every token that has it, through the sessions that
 * encrypt and decrypt in the HSM process. They lie beside the repository, and are optional.
 */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Handle, PKCS11 } from 'pkcs11js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findToken, loadModule, logIn, readPin } from '../../src/pkcs11/token/module.ts'
import { TokenSession } from '../../src/pkcs11/token/session.ts'
import { proofKeyTemplate } from '../../src/pkcs11/token/templates.ts'
import { nss } from './nss.ts'
import { softhsm } from './softhsm.ts'
import type { MadeToken, TokenKind } from './token-kind.ts'

const FILE = join(import.meta.dirname, '../../../shared/vectors/wycheproof/aes_gcm_test.json')

/** What keyslot asks of a token, and nothing else. */
const KEY_BITS = 256
const IV_BITS = 96
const TAG_BITS = 128

interface Vector {
  readonly tcId: number
  readonly key: Buffer
  readonly iv: Buffer
  readonly aad: Buffer
  readonly msg: Buffer
  /** Ciphertext and tag. */
  readonly sealed: Buffer
  readonly isValid: boolean
}

const missing = existsSync(FILE) ? undefined : 'there are no vectors beside the repository'
const { fitting, leftOut } = missing === undefined ? read() : { fitting: [], leftOut: {} }
const counts = Object.entries(leftOut).map(([why, count]) => `${count} ${why}`)
console.log(`Wycheproof AES-GCM: ${fitting.length} vectors fit; left out: ${counts.join(', ')}`)

for (const kind of [softhsm, nss]) {
  const reason = kind.missing ?? missing
  if (reason !== undefined) console.log(`SKIPPED: Wycheproof on ${kind.name}: ${reason}`)
  const title = reason === undefined ? kind.name : `${kind.name}, skipped: ${reason}`
  describe.skipIf(reason !== undefined)(title, () => holds(kind))
}

function holds({ name, make }: TokenKind): void {
  let token: MadeToken
  let session: TokenSession
  let close: () => void
  /** What stands in the parameters of the next call instead of keyslot's own. */
  let instead: { readonly iv: Buffer; readonly aad: Buffer } | undefined

  beforeAll(async () => {
    token = await make()
    const { settings } = token
    Object.assign(process.env, settings.moduleEnvironment)
    const module = loadModule(settings, () => undefined)
    const found = findToken(module, settings.tokenLabel)
    await logIn(module, found, () => readPin({ file: settings.pinFile }))
    const pkcs11 = withParameters(module.pkcs11, () => instead)
    session = TokenSession.open(pkcs11, found.slot.handle, module.profile)
    close = () => {
      found.slot.closeAll()
      module.graphene.finalize()
    }
  })
  afterAll(async () => {
    close?.()
    await token?.remove()
  })

  /** In a session of its own, which a failure may leave unusable. */
  const using = <T>(vector: Vector, use: (session: TokenSession, key: Handle) => T): T => {
    const trial = session.another()
    instead = vector
    try {
      return use(trial, trial.createObject(proofKeyTemplate('encrypts', vector.key)))
    } finally {
      instead = undefined
      trial.close()
    }
  }
  // Not the vector's own additional data, which the session wants as one digest: see `instead`.
  const digest = Buffer.alloc(32)
  const open = (vector: Vector) =>
    using(vector, (trial, key) => Buffer.from(trial.open(key, digest, vector)))
  const seal = (vector: Vector) =>
    using(vector, (trial, key) => Buffer.from(trial.seal(key, digest, vector.msg).sealed))

  test('every valid ciphertext opens, and is what the token makes itself', () => {
    const valid = fitting.filter(({ isValid }) => isValid)
    for (const vector of valid) {
      expect(open(vector), `vector ${vector.tcId} opened`).toEqual(vector.msg)
      expect(seal(vector), `vector ${vector.tcId} sealed`).toEqual(vector.sealed)
    }
    console.log(`Wycheproof AES-GCM on ${name}: ${valid.length} valid opened and made again`)
    expect(valid.length).toBeGreaterThan(0)
  })

  test('no invalid ciphertext opens', () => {
    const invalid = fitting.filter(({ isValid }) => !isValid)
    for (const vector of invalid) {
      expect(() => open(vector), `vector ${vector.tcId}`).toThrow(/^C_Decrypt returned/)
    }
    console.log(`Wycheproof AES-GCM on ${name}: ${invalid.length} invalid, 0 accepted`)
    expect(invalid.length).toBeGreaterThan(0)
  })
}

/** The binding, with other parameters of AES-GCM than the session hands in. */
function withParameters(
  pkcs11: PKCS11,
  instead: () => { readonly iv: Buffer; readonly aad: Buffer } | undefined,
): PKCS11 {
  return new Proxy(pkcs11, {
    get(target, name) {
      const member = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      if (name !== 'C_EncryptInit' && name !== 'C_DecryptInit') return member.bind(target)
      return (handle: Handle, mechanism: { parameter: object }, key: Handle) => {
        const parameter = { ...mechanism.parameter, ...parameters(instead()) }
        return member.call(target, handle, { ...mechanism, parameter }, key)
      }
    },
  })
}

function parameters(instead: { readonly iv: Buffer; readonly aad: Buffer } | undefined) {
  if (instead === undefined) throw new Error('a call outside a vector')
  return { iv: instead.iv, ivBits: 8 * instead.iv.length, aad: instead.aad }
}

function read(): { fitting: readonly Vector[]; leftOut: Readonly<Record<string, number>> } {
  const fitting: Vector[] = []
  const leftOut: Record<string, number> = {}
  for (const { keySize, ivSize, tagSize, tests } of JSON.parse(readFileSync(FILE, 'utf8'))
    .testGroups) {
    for (const { tcId, result, key, iv, aad, msg, ct, tag } of tests) {
      const why = unfit({ keySize, ivSize, tagSize, msg })
      if (why !== undefined) {
        leftOut[why] = (leftOut[why] ?? 0) + 1
        continue
      }
      const bytes = (text: string) => Buffer.from(text, 'hex')
      fitting.push({
        tcId,
        key: bytes(key),
        iv: bytes(iv),
        aad: bytes(aad),
        msg: bytes(msg),
        sealed: bytes(ct + tag),
        isValid: result === 'valid',
      })
    }
  }
  return { fitting, leftOut }
}

/** Why keyslot never asks for such a thing. */
function unfit(vector: { keySize: number; ivSize: number; tagSize: number; msg: string }) {
  if (vector.keySize !== KEY_BITS) return `of a key of ${vector.keySize} bits`
  if (vector.ivSize !== IV_BITS) return 'of an IV of another length'
  if (vector.tagSize !== TAG_BITS) return 'of a tag of another length'
  return vector.msg === '' ? 'of an empty plaintext' : undefined
}
