/**
 * Project Wycheproof's vectors of AES-GCM on every token that has it, through the sessions that
 * encrypt and decrypt in the HSM process. They lie beside the repository, and are optional.
 */

import type { Handle, PKCS11 } from 'pkcs11js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findToken, loadModule, logIn, readPin } from '../../src/pkcs11/token/module.ts'
import { TokenSession } from '../../src/pkcs11/token/session.ts'
import { proofKeyTemplate } from '../../src/pkcs11/token/templates.ts'
import { FILES } from '../vectors/files.ts'
import {
  groupsOf,
  missing,
  report,
  Tally,
  type Vector as WycheproofVector,
} from '../vectors/wycheproof.ts'
import { nss } from './nss.ts'
import { softhsm } from './softhsm.ts'
import type { MadeToken, TokenKind } from './token-kind.ts'

/** What keyslot asks of a token, and nothing else. */
const KEY_BITS = 256
const IV_BITS = 96
const TAG_BITS = 128

const [FILE] = FILES.aesGcm

/** A vector as it stands in the file. */
interface Written extends WycheproofVector {
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
}

interface Vector {
  readonly written: Written
  readonly key: Buffer
  readonly iv: Buffer
  readonly aad: Buffer
  readonly msg: Buffer
  /** Ciphertext and tag. */
  readonly sealed: Buffer
}

const { fitting, leftOut } = read()

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

  test('every valid ciphertext opens, and is what it makes itself; no invalid one opens', ({
    task,
  }) => {
    const tally = new Tally(FILE, `AES-GCM of the HSM process, on ${name}`)
    for (const { written, why } of leftOut) tally.unfit(written, why)
    for (const vector of fitting) {
      const { written, msg, sealed } = vector
      if (written.result === 'valid') {
        expect(open(vector), `vector ${written.tcId} opened`).toEqual(msg)
        expect(seal(vector), `vector ${written.tcId} sealed`).toEqual(sealed)
        tally.accepted(written)
      } else {
        expect(() => open(vector), `vector ${written.tcId}`).toThrow(/^C_Decrypt returned/)
        tally.refused(written)
      }
    }
    report(task, `AES-GCM on ${name}`, [tally])
    expect(tally.row().validAccepted).toBeGreaterThan(0)
    expect(tally.row().invalidRefused).toBeGreaterThan(0)
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

function read() {
  const fitting: Vector[] = []
  const leftOut: { readonly written: Written; readonly why: string }[] = []
  for (const { keySize, ivSize, tagSize, tests } of groupsOf<Written>(FILE)) {
    for (const written of tests) {
      const { key, iv, aad, msg, ct, tag } = written
      const why = unfit({ keySize, ivSize, tagSize, msg })
      if (why !== undefined) {
        leftOut.push({ written, why })
        continue
      }
      const bytes = (text: string) => Buffer.from(text, 'hex')
      fitting.push({
        written,
        key: bytes(key),
        iv: bytes(iv),
        aad: bytes(aad),
        msg: bytes(msg),
        sealed: bytes(ct + tag),
      })
    }
  }
  return { fitting, leftOut }
}

/** Why keyslot never asks for such a thing. */
function unfit(vector: Readonly<Record<'keySize' | 'ivSize' | 'tagSize' | 'msg', unknown>>) {
  if (vector.keySize !== KEY_BITS) return `of a key of ${vector.keySize} bits`
  if (vector.ivSize !== IV_BITS) return 'of an IV of another length'
  if (vector.tagSize !== TAG_BITS) return 'of a tag of another length'
  return vector.msg === '' ? 'of an empty plaintext' : undefined
}
