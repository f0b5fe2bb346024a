/**
 * What imported material becomes, by its kind: how it is looked at before it stays, and which
 * material it is. A secret says so by what it makes of a known text, a pair by its public half.
 */

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { Handle } from 'pkcs11js'
import { COORDINATE_BYTES, derSignature, recoveredKeys } from '../../model/asymmetric/ecdsa.ts'
import { ed25519Seed } from '../../model/asymmetric/pkcs8.ts'
import { MAC_HASHES, signatureScheme } from '../../model/asymmetric/schemes.ts'
import { verifiesSignature } from '../../model/asymmetric/verify.ts'
import {
  type Curve,
  type KeyKind,
  type KeySpec,
  keySpecRow,
  materialOf,
} from '../../model/key-specs.ts'
import { mayReadPublicKey, spkiOf } from '../kinds/public-keys.ts'
import {
  ED25519_PARAMETERS,
  generationOf,
  macMechanism,
  type Proved,
  signingSteps,
} from '../token/mechanisms.ts'
import { TokenError } from '../token/return-values.ts'
import type { TokenSession } from '../token/session.ts'
import { fixed, proofKindTemplate, withoutLength } from '../token/templates.ts'
import { passingKeyTemplate } from './templates.ts'
import {
  checkLength,
  checkValueOf,
  KNOWN,
  NoWayError,
  type UnwrappedTarget,
  WrongKeyError,
} from './unwrapping.ts'

const AES_BYTES = 32

/** What material is looked at as. */
export interface Target extends UnwrappedTarget {
  /**
   * Which material it is.
   *
   * @param wrappedBytes its length under AES Key Wrap, if it came so.
   * @throws WrongKeyError if it is no key of the kind; NoWayError if that cannot be known.
   */
  readonly checkValue: (
    session: TokenSession,
    handle: Handle,
    wrappedBytes: number | undefined,
  ) => Buffer
  /** Whether that is the public half of a pair: SubjectPublicKeyInfo in DER. */
  readonly isPublicKey: boolean
}

/** What material of a kind is looked at as: a session object. */
export function targetOf(kind: KeyKind, proved: Proved): Target {
  const material = materialOf(kind.spec)
  switch (material.type) {
    case 'AES':
      return {
        template: passingKeyTemplate('CKA_ENCRYPT'),
        bytes: [AES_BYTES],
        checkValue(session, handle, wrappedBytes) {
          checkLength(session, handle, { bytes: AES_BYTES, wrappedBytes })
          return checkValueOf(session, handle)
        },
        isPublicKey: false,
      }
    case 'secret':
      return {
        template: withoutLength(proofKindTemplate(generationOf(kind, proved))),
        bytes: [material.bytes],
        checkValue(session, handle) {
          // To 8 bytes is not enough: a MAC takes keys of any length.
          checkLength(session, handle, { bytes: material.bytes, wrappedBytes: undefined })
          return Buffer.from(session.sign(handle, macOf(kind), KNOWN))
        },
        isPublicKey: false,
      }
    case 'Ed25519':
      return edwardsTarget(kind, proved)
    default:
      return {
        template: proofKindTemplate(generationOf(signing(kind), proved)),
        checkValue: (session, handle) => publicKeyOf(session, handle, kind, proved),
        isPublicKey: true,
      }
  }
}

/**
 * A token does not tell the public half of an Ed25519 key that it unwraps, and no signature gives it
 * away; some unwrap none at all. So it is worked out here, of the seed, which becomes the object.
 */
function edwardsTarget(kind: KeyKind, proved: Proved): Target {
  let publicKey: KeyObject | undefined
  return {
    template: proofKindTemplate(generationOf(kind, proved)),
    attributesOf(pkcs8) {
      const seed = ed25519Seed(pkcs8)
      if (seed === undefined) throw new WrongKeyError('no key of Ed25519')
      publicKey = publicHalfOf(pkcs8)
      return [fixed('CKA_EC_PARAMS', ED25519_PARAMETERS), fixed('CKA_VALUE', seed)]
    },
    checkValue(session, handle) {
      if (publicKey === undefined) throw new Error('the seed was not seen')
      const message = { message: KNOWN, isDigest: false }
      const { signature } = signed(session, handle, kind.spec, KNOWN, proved)
      if (!verifiesSignature(publicKey, 'ED25519_SHA_512', message, signature)) {
        throw new NoWayError('the token signs with another key')
      }
      return spkiOf(publicKey)
    },
    isPublicKey: true,
  }
}

function publicHalfOf(pkcs8: Buffer): KeyObject {
  try {
    return createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }))
  } catch (cause) {
    throw new WrongKeyError('no private key', { cause })
  }
}

/** A key for agreement has to sign while it is looked at, as that gives its public half away. */
function signing(kind: KeyKind): KeyKind {
  return kind.usage === 'KEY_AGREEMENT' ? { ...kind, usage: 'SIGN_VERIFY' } : kind
}

function macOf({ spec }: KeyKind) {
  const [algorithm] = keySpecRow(spec).macAlgorithms
  if (algorithm === undefined) throw new Error(`${spec} makes no MACs`)
  return { mechanism: macMechanism(MAC_HASHES[algorithm]).mechanism }
}

function publicKeyOf(session: TokenSession, handle: Handle, kind: KeyKind, proved: Proved): Buffer {
  const material = materialOf(kind.spec)
  try {
    const told = mayReadPublicKey(session, handle, kind.spec)
    if (told !== undefined) return spkiOf(told)
    if (material.type === 'EC') return recovered(session, handle, material.curve, kind, proved)
  } catch (cause) {
    if (cause instanceof TokenError) throw cause
    throw new WrongKeyError('of another size', { cause })
  }
  throw new WrongKeyError(`no key of ${kind.spec}`)
}

/** Few tokens tell the public half of an imported key: two signatures do. */
function recovered(
  session: TokenSession,
  handle: Handle,
  curve: Curve,
  { spec }: KeyKind,
  proved: Proved,
): Buffer {
  const [algorithm] = keySpecRow(spec).signingAlgorithms
  if (algorithm === undefined) throw new Error(`${spec} signs nothing`)
  const sign = (text: string) => signed(session, handle, spec, Buffer.from(text), proved)
  const [one, other] = [sign('keyslot import 1'), sign('keyslot import 2')]
  if (one.signature.length !== 2 * COORDINATE_BYTES[curve]) {
    throw new Error(`a signature of ${one.signature.length} bytes`)
  }
  const found = recoveredKeys(curve, one.digest, one.signature).find((key) =>
    verifiesSignature(
      key,
      algorithm,
      { message: other.message, isDigest: false },
      derSignature(other.signature),
    ),
  )
  if (found === undefined) throw new Error(`no key of ${spec} has made its signatures`)
  return spkiOf(found)
}

/** What the token answers, before it is put into the form of a signature. */
function signed(
  session: TokenSession,
  handle: Handle,
  spec: KeySpec,
  message: Buffer,
  proved: Proved,
) {
  const [algorithm] = keySpecRow(spec).signingAlgorithms
  const scheme = algorithm && signatureScheme(algorithm)
  if (scheme === undefined) throw new Error(`${spec} signs nothing`)
  const steps = signingSteps(scheme, materialOf(spec), { message, isDigest: false }, proved)
  if (typeof steps === 'string') throw new Error(`${steps} is not proved`)
  const signature = Buffer.from(session.sign(handle, steps.mechanism, steps.input))
  return { message, digest: steps.input, signature }
}
