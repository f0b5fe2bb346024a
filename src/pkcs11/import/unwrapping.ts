/**
 * The ways in which wrapped key material becomes an object of the token. Where the token unwraps
 * RSA OAEP itself, nothing is seen outside of it. Where it only does the private-key operation,
 * the padding is taken off here: of an AES key, with which the token then unwraps the material
 * itself, or, without one, of the material, which is handed back at once and zeroed.
 */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import pkcs11js, { type Handle, type Mechanism, type RsaOAEP } from 'pkcs11js'
import { type WrappingAlgorithm, wrappingAlgorithmRow } from '../../model/import/wrapping.ts'
import { TokenError } from '../token/return-values.ts'
import type { TokenSession } from '../token/session.ts'
import { type FixedAttribute, fixed } from '../token/templates.ts'
import { type OaepHash, oaepMessage } from './oaep.ts'
import { passingKeyTemplate, type UnwrappingWay } from './templates.ts'

/** CKM_AES_KEY_WRAP_KWP of PKCS#11 v3.0, for which the binding has no name. */
const CKM_AES_KEY_WRAP_KWP = 0x210b
/** CKZ_DATA_SPECIFIED: the binding wants a source, though the label is empty. */
const CKZ_DATA_SPECIFIED = 1
const KWP_IV = Buffer.from('a65959a6', 'hex')
/** Where no private key is to be unwrapped. */
const NO_KEY_WRAP: Mechanism = { mechanism: 0 }
const AES_BYTES: readonly number[] = [16, 24, 32]
const GONE: readonly string[] = ['session', 'device', 'key']

/** What was sent is not what the wrapping key unwraps: all that is ever said of it. */
export class NotWrappedError extends Error {
  override readonly name = 'NotWrappedError'
}

/** What was unwrapped is no key of the kind that was asked for. */
export class WrongKeyError extends Error {
  override readonly name = 'WrongKeyError'
}

/** No way for the token: it does not tell what has to be known of the key, or makes another. */
export class NoWayError extends Error {
  override readonly name = 'NoWayError'
}

/** What the material is to become. */
export interface UnwrappedTarget {
  /** Its template, without a length. */
  readonly template: readonly FixedAttribute[]
  /** How long a secret may be, in bytes; absent for private keys, which are PKCS #8. */
  readonly bytes?: readonly number[]
  /**
   * What makes an object of PKCS #8 that is known here, for keys that are always opened here.
   *
   * @throws WrongKeyError if it is no key of the kind.
   */
  readonly attributesOf?: (pkcs8: Buffer) => readonly FixedAttribute[]
}

/** A wrapping key in the token. */
export interface UnwrappingKey {
  readonly handle: Handle
  readonly way: UnwrappingWay
  /** Length of its modulus. */
  readonly bytes: number
}

/**
 * Unwraps.
 *
 * @param keyWrap the token's mechanism for RFC 5649; see `keyWrapMechanism`.
 * @throws NotWrappedError, or TokenError, which may mean the same; WrongKeyError.
 */
export function unwrap(
  session: TokenSession,
  key: UnwrappingKey,
  { algorithm, material }: { readonly algorithm: WrappingAlgorithm; readonly material: Buffer },
  keyWrap: () => Mechanism,
  target: UnwrappedTarget,
): Handle {
  const { hash, throughAes } = wrappingAlgorithmRow(algorithm)
  if (throughAes ? material.length <= key.bytes : material.length !== key.bytes) {
    throw new NotWrappedError('of another length')
  }
  const block = material.subarray(0, key.bytes)
  if (!throughAes) return unwrapOaep(session, key, { block, hash }, target, keyWrap)
  if (key.way === 'decrypts' && isOpenedHere(target))
    return unwrapOutside(session, key, { material, hash }, target)
  const mechanism = keyWrap()
  const aesKey = unwrapAesKey(session, key, { block, hash })
  try {
    const wrapped = material.subarray(key.bytes)
    return sized(() => session.unwrapKey(mechanism, aesKey, wrapped, target.template))
  } finally {
    session.destroyObject(aesKey)
  }
}

/**
 * Makes sure that a secret key which the token has unwrapped is as long as it has to be. Not every
 * token tells. What came through AES Key Wrap is known to 8 bytes by its wrapping, which is enough
 * for a key that encrypts with AES.
 *
 * @throws WrongKeyError if it is not; NoWayError if that cannot be known.
 */
export function checkLength(
  session: TokenSession,
  key: Handle,
  wanted: { readonly bytes: number; readonly wrappedBytes: number | undefined },
): void {
  const [told] = session.read(key, [pkcs11js.CKA_VALUE_LEN])
  const bytes = told?.length === 0 ? 0 : (told?.readUInt32LE() ?? 0)
  if (bytes === wanted.bytes) return
  if (bytes !== 0) throw new WrongKeyError('of another length')
  const { wrappedBytes } = wanted
  if (wrappedBytes === undefined) throw new NoWayError('the token tells no length')
  if (wrappedBytes !== 8 + 8 * Math.ceil(wanted.bytes / 8)) {
    throw new WrongKeyError('of another length')
  }
  try {
    checkValueOf(session, key)
  } catch (cause) {
    // A session or a device that is gone says nothing of the key.
    const isOfTheKey = cause instanceof TokenError && !GONE.includes(cause.value.fault)
    throw isOfTheKey ? new WrongKeyError('of no length for AES', { cause }) : cause
  }
}

/**
 * The token's mechanism for AES Key Wrap with Padding (RFC 5649): tokens do not agree on which of
 * two numbers it has, so that the first is taken that unwraps a known key.
 *
 * @returns `undefined` if it has none.
 */
export function keyWrapMechanism(session: TokenSession): Mechanism | undefined {
  const value = randomBytes(32)
  const aesKey = randomBytes(32)
  const wrapped = wrapWithPadding(value, aesKey)
  const numbers = [CKM_AES_KEY_WRAP_KWP, pkcs11js.CKM_AES_KEY_WRAP_PAD]
  return numbers
    .map((mechanism) => ({ mechanism }))
    .find((mechanism) => {
      const trial = session.another()
      try {
        const template = [...passingKeyTemplate('CKA_UNWRAP'), fixed('CKA_VALUE', aesKey)]
        const unwrapping = trial.createObject(template)
        const made = trial.unwrapKey(
          mechanism,
          unwrapping,
          wrapped,
          passingKeyTemplate('CKA_ENCRYPT'),
        )
        return checkValueOf(trial, made).equals(softwareCheckValue(value))
      } catch (cause) {
        if (cause instanceof TokenError && GONE.includes(cause.value.fault)) throw cause
        return false
      } finally {
        trial.close()
      }
    })
}

function unwrapWithPadding(wrapped: Buffer, aesKey: Buffer): Buffer {
  if (!AES_BYTES.includes(aesKey.length)) throw new NotWrappedError('no AES key')
  try {
    const name = `id-aes${8 * aesKey.length}-wrap-pad`
    const decipher = createDecipheriv(name, aesKey, KWP_IV)
    // One part is all there is: the cipher hands nothing out at the end.
    const value = decipher.update(wrapped)
    decipher.final()
    return value
  } catch (cause) {
    throw new NotWrappedError('no AES Key Wrap', { cause })
  }
}

/** AES Key Wrap with Padding (RFC 5649) of a value under an AES-256 key. */
export function wrapWithPadding(value: Buffer, aesKey: Buffer): Buffer {
  const cipher = createCipheriv('id-aes256-wrap-pad', aesKey, KWP_IV)
  return Buffer.concat([cipher.update(value), cipher.final()])
}

/**
 * What two blocks of known text become under an AES key. No input of the cipher that keyslot makes
 * elsewhere begins so: derivations begin with 1 and 2, counters of GCM with a random IV.
 */
export function checkValueOf(session: TokenSession, key: Handle): Buffer {
  return session.transform('encrypt', { mechanism: pkcs11js.CKM_AES_ECB }, key, KNOWN)
}

/** The check value of a key that is known, for proofs. */
export function softwareCheckValue(value: Buffer): Buffer {
  return createCipheriv('aes-256-ecb', value, null).setAutoPadding(false).update(KNOWN)
}

/** The text that check values are made of. */
export const KNOWN = Buffer.from('keyslot material check value 256')

interface OaepBlock {
  readonly block: Buffer
  readonly hash: OaepHash
}

/** An AES key of another length is as good as none. */
function unwrapAesKey(session: TokenSession, key: UnwrappingKey, block: OaepBlock): Handle {
  const target = { template: passingKeyTemplate('CKA_UNWRAP'), bytes: AES_BYTES }
  try {
    return unwrapOaep(session, key, block, target, () => NO_KEY_WRAP)
  } catch (cause) {
    throw cause instanceof WrongKeyError ? new NotWrappedError('no AES key') : cause
  }
}

function unwrapOaep(
  session: TokenSession,
  { handle, way }: UnwrappingKey,
  { block, hash }: OaepBlock,
  target: UnwrappedTarget,
  keyWrap: () => Mechanism,
): Handle {
  if (way === 'unwraps') {
    return sized(() => session.unwrapKey(oaepMechanism(hash), handle, block, target.template))
  }
  const message = openedOaep(session, handle, { block, hash })
  try {
    return createKey(session, message, target, keyWrap)
  } finally {
    message.fill(0)
  }
}

/** The message of a block, where the token only does the private-key operation. */
function openedOaep(session: TokenSession, handle: Handle, { block, hash }: OaepBlock): Buffer {
  const mechanism = { mechanism: pkcs11js.CKM_RSA_X_509 }
  const opened = session.transform('decrypt', mechanism, handle, block)
  try {
    if (opened.length !== block.length) throw new Error('a raw decryption of another length')
    const message = oaepMessage(opened, hash)
    if (message === undefined) throw new NotWrappedError('no OAEP')
    return message
  } finally {
    opened.fill(0)
  }
}

/**
 * What tokens do not tell enough of when they unwrap it, the length of a secret or the public half
 * of an Ed25519 key, is unwrapped outside, with the AES key that is outside already.
 */
function unwrapOutside(
  session: TokenSession,
  { handle, bytes }: UnwrappingKey,
  { material, hash }: { readonly material: Buffer; readonly hash: OaepHash },
  target: UnwrappedTarget,
): Handle {
  const aesKey = openedOaep(session, handle, { block: material.subarray(0, bytes), hash })
  let secret: Buffer | undefined
  try {
    secret = unwrapWithPadding(material.subarray(bytes), aesKey)
    return createKey(session, secret, target, () => NO_KEY_WRAP)
  } finally {
    aesKey.fill(0)
    secret?.fill(0)
  }
}

/** Hands a key that is known here to the token: a private key wrapped again, for it to take apart. */
function createKey(
  session: TokenSession,
  value: Buffer,
  { template, bytes, attributesOf }: UnwrappedTarget,
  keyWrap: () => Mechanism,
): Handle {
  if (attributesOf) return session.createObject([...template, ...attributesOf(value)])
  if (bytes !== undefined) {
    if (!bytes.includes(value.length)) throw new WrongKeyError('of another length')
    return session.createObject([...template, fixed('CKA_VALUE', value)])
  }
  if (value.length === 0) throw new WrongKeyError('of no length')
  const mechanism = keyWrap()
  const passing = randomBytes(32)
  try {
    const unwrapping = session.createObject([
      ...passingKeyTemplate('CKA_UNWRAP'),
      fixed('CKA_VALUE', passing),
    ])
    try {
      return session.unwrapKey(mechanism, unwrapping, wrapWithPadding(value, passing), template)
    } finally {
      session.destroyObject(unwrapping)
    }
  } finally {
    passing.fill(0)
  }
}

/** A secret that is not used with AES, since of those the length has to be told; and Ed25519. */
function isOpenedHere({ template, bytes, attributesOf }: UnwrappedTarget): boolean {
  if (attributesOf) return true
  const isAes = template.some(
    ({ name, value }) => name === 'CKA_KEY_TYPE' && value === pkcs11js.CKK_AES,
  )
  return bytes !== undefined && !isAes
}

/** Some tokens look at the length of the key that they unwrap. */
function sized(make: () => Handle): Handle {
  try {
    return make()
  } catch (cause) {
    if (!(cause instanceof TokenError) || cause.value.name !== 'CKR_KEY_SIZE_RANGE') throw cause
    throw new WrongKeyError('of another length')
  }
}

function oaepMechanism(hash: OaepHash): Mechanism {
  const isSha1 = hash === 'sha1'
  const parameter: RsaOAEP = {
    type: pkcs11js.CK_PARAMS_RSA_OAEP,
    hashAlg: isSha1 ? pkcs11js.CKM_SHA_1 : pkcs11js.CKM_SHA256,
    mgf: isSha1 ? pkcs11js.CKG_MGF1_SHA1 : pkcs11js.CKG_MGF1_SHA256,
    source: CKZ_DATA_SPECIFIED,
  }
  return { mechanism: pkcs11js.CKM_RSA_PKCS_OAEP, parameter }
}
