/**
 * Rounds of calls with keys that sign, decrypt, agree and make MACs, with pairs that are made and
 * with material that is imported. All that they hear is held against software.
 */

import {
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  randomUUID,
} from 'node:crypto'
import { expect } from 'vitest'
import { peerPoint } from '../../src/model/asymmetric/agreement.ts'
import { verifiesSignature } from '../../src/model/asymmetric/verify.ts'
import type { Authorised } from '../../src/model/authorised.ts'
import { currentBackingKey, type Key } from '../../src/model/key.ts'
import type { KeyKind } from '../../src/model/key-specs.ts'
import type { HsmHandle } from '../../src/pkcs11/client/supervisor.ts'
import { wrapWithPadding } from '../../src/pkcs11/import/unwrapping.ts'
import { keyWith, makeKey } from '../pkcs11/token.ts'
import { type Outcome, outcome } from './door.ts'

/** What can be asked for again and again. */
export interface KindRounds {
  /** Every verb of workers for keys of other kinds than for symmetric encryption, at once. */
  keys(): Promise<Outcome[]>
  /** The life of a pair, one verb after the other. */
  pairs(): Promise<Outcome[]>
  /** The life of imported material, one verb after the other. */
  imports(): Promise<Outcome[]>
}

const SIGNS: KeyKind = { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' }
const AGREES: KeyKind = { spec: 'ECC_NIST_P256', usage: 'KEY_AGREEMENT' }
/** A pair that decrypts. */
export const DECRYPTS: KeyKind = { spec: 'RSA_2048', usage: 'ENCRYPT_DECRYPT' }
const MACS: KeyKind = { spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC' }
const AES: KeyKind = { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT' }
const THROUGH_AES = 'RSA_AES_KEY_WRAP_SHA_1'
const LABEL = 'keyslot round 1'

/** Makes the keys of the rounds, and a wrapping key. */
export async function makeKindRounds(hsm: () => HsmHandle): Promise<KindRounds> {
  const [signs, agrees, decrypts, macs] = [
    await makeKind(hsm(), SIGNS),
    await makeKind(hsm(), AGREES),
    await makeKind(hsm(), DECRYPTS),
    await makeKind(hsm(), MACS),
  ]
  const wraps = await makeKey(hsm().objects)
  const message = randomBytes(40)
  const macInput = { algorithm: 'HMAC_SHA_256', message } as const
  const expectedMac = await hsm().hsm.mac(macs, macInput, {})
  const wrapping = await makeWrappingKey(hsm())

  async function sign() {
    const input = { message, isDigest: false }
    const signature = await hsm().hsm.sign(signs, { algorithm: 'ECDSA_SHA_256', ...input }, {})
    expect(verifiesSignature(halfOf(signs), 'ECDSA_SHA_256', input, signature)).toBe(true)
  }
  async function mac() {
    expect(await hsm().hsm.mac(macs, macInput, {})).toEqual(expectedMac)
  }
  async function agree() {
    const peer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const point = peerPoint(peer.publicKey.export({ type: 'spki', format: 'der' }), 'P-256')
    const expected = diffieHellman({ privateKey: peer.privateKey, publicKey: halfOf(agrees) })
    expect(await hsm().hsm.deriveSharedSecret(agrees, point, {})).toEqual(expected)
  }
  async function decrypt() {
    const ciphertextBlob = publicEncrypt({ key: halfOf(decrypts), oaepHash: 'sha256' }, message)
    const input = { algorithm: 'RSAES_OAEP_SHA_256', ciphertextBlob } as const
    expect(await hsm().hsm.decryptAsymmetric(decrypts, input, {})).toEqual(message)
  }
  async function dataKeyPair() {
    const input = { spec: 'ECC_NIST_P256', context: Buffer.from('round') } as const
    const pair = await hsm().hsm.generateDataKeyPair(wraps, input, {})
    const half = createPublicKey({ key: pair.publicKey, format: 'der', type: 'spki' })
    const own = createPublicKey({
      key: pair.privateKeyPlaintext,
      format: 'der',
      type: 'pkcs8',
    } as never)
    expect(own.equals(half)).toBe(true)
  }

  return {
    keys: () =>
      Promise.all([
        outcome('sign', sign()),
        outcome('mac', mac()),
        outcome('deriveSharedSecret', agree()),
        outcome('decryptAsymmetric', decrypt()),
        outcome('generateDataKeyPair', dataKeyPair()),
        outcome('sign', sign()),
      ]),
    async pairs() {
      const id = randomBytes(16).toString('hex')
      let publicKey: Buffer | undefined
      const make = async () => {
        publicKey = await hsm().objects.generateBackingKey({ id, label: LABEL, ...SIGNS })
      }
      const prove = async () => {
        if (publicKey === undefined) return
        const material = { id, publicKey, ...SIGNS }
        expect(await hsm().objects.provesBackingKey(material)).toBe(true)
      }
      return [
        await outcome('generateBackingKey', make()),
        await outcome('provesBackingKey', prove()),
        await outcome('destroyBackingKey', hsm().objects.destroyBackingKey(id)),
        await outcome('sign', sign()),
      ]
    },
    async imports() {
      const id = randomBytes(16).toString('hex')
      const sent = { ...wrapping, encryptedKeyMaterial: wrapping.parcel(randomBytes(32)), ...AES }
      let checkValue: string | undefined
      const check = async () => {
        checkValue = await hsm().objects.checkMaterial(sent)
      }
      const bring = async () => {
        if (checkValue === undefined) return
        const key = { id, label: LABEL, suite: 1, checkValue } as const
        await hsm().objects.importBackingKey({ ...sent, ...key })
        expect(await hsm().objects.provesBackingKey({ id, suite: 1, imported: true })).toBe(true)
      }
      return [
        await outcome('checkMaterial', check()),
        await outcome('importBackingKey', bring()),
        await outcome('destroyBackingKey', hsm().objects.destroyBackingKey(id)),
        await outcome('mac', mac()),
      ]
    },
  }
}

/** Makes a key of a kind. */
export async function makeKind({ objects }: HsmHandle, kind: KeyKind): Promise<Authorised<Key>> {
  const id = randomBytes(16).toString('hex')
  const publicKey = await objects.generateBackingKey({ id, label: LABEL, ...kind })
  const materialId = createHash('sha256').update(id).digest('hex')
  const backingKey = { id, number: 1, publicKey, materialId, createdMs: 0 }
  return { ...keyWith([backingKey]), ...kind }
}

async function makeWrappingKey({ objects }: HsmHandle) {
  const wrappingKeyId = randomBytes(16).toString('hex')
  const spki = await objects.makeWrappingKey({
    id: wrappingKeyId,
    keyId: randomUUID(),
    spec: 'RSA_2048',
    algorithm: THROUGH_AES,
    kind: AES,
  })
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  const parcel = (material: Buffer) => {
    const aesKey = randomBytes(32)
    const first = publicEncrypt({ key, oaepHash: 'sha1' }, aesKey)
    return Buffer.concat([first, wrapWithPadding(material, aesKey)])
  }
  return { wrappingKeyId, algorithm: THROUGH_AES, parcel } as const
}

/** The public half of a pair. */
export function halfOf(key: Key) {
  const { publicKey } = currentBackingKey(key)
  if (publicKey === undefined) throw new Error('a key without a public half')
  return createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
}
