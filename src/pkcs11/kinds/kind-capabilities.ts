/**
 * What a token may have or lack of what keys need that sign, agree or make MACs: a row and a proof
 * for each. Pairs of RSA are made for their proof once a start, since that takes a while.
 */

import { createHmac, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import pkcs11js, { type Handle } from 'pkcs11js'
import { MAC_HASHES } from '../../model/asymmetric/schemes.ts'
import {
  type Curve,
  type KeyKind,
  type KeySpec,
  type KeyUsage,
  keySpecRow,
  materialOf,
  type OaepAlgorithm,
  type SigningAlgorithm,
} from '../../model/key-specs.ts'
import type { CapabilityRow } from '../token/capability-row.ts'
import {
  CKM_EC_EDWARDS_KEY_PAIR_GEN,
  CKM_EDDSA,
  generationOf,
  type KindCapability,
  macMechanism,
} from '../token/mechanisms.ts'
import { TokenError } from '../token/return-values.ts'
import type { TokenSession } from '../token/session.ts'
import {
  type FixedAttribute,
  fixed,
  proofKindTemplate,
  publicKeyTemplate,
} from '../token/templates.ts'
import { encryptOaep, proveAlgorithm, proveKind } from './kind-proofs.ts'
import { decryptOaep, type OaepWay } from './private-operations.ts'
import { readPublicKey } from './public-keys.ts'

const RSA_NUMBERS = [
  ['CKA_MODULUS', 'n'],
  ['CKA_PUBLIC_EXPONENT', 'e'],
  ['CKA_PRIVATE_EXPONENT', 'd'],
  ['CKA_PRIME_1', 'p'],
  ['CKA_PRIME_2', 'q'],
  ['CKA_EXPONENT_1', 'dp'],
  ['CKA_EXPONENT_2', 'dq'],
  ['CKA_COEFFICIENT', 'qi'],
] as const

/** In a proof of one mechanism the others it goes with are taken for granted. */
const granted = () => true

const HMAC_SPECS: readonly KeySpec[] = ['HMAC_224', 'HMAC_256', 'HMAC_384', 'HMAC_512']
const CURVE_SPECS: Readonly<Record<Curve, KeySpec>> = {
  'P-256': 'ECC_NIST_P256',
  'P-384': 'ECC_NIST_P384',
  'P-521': 'ECC_NIST_P521',
  secp256k1: 'ECC_SECG_P256K1',
}
const CURVES: readonly Curve[] = ['P-256', 'P-384', 'P-521', 'secp256k1']

/** A row whose name is known to the table of mechanisms. */
interface KindRow extends CapabilityRow {
  readonly name: KindCapability
}

/** The rows, for one start. */
export function kindRows(): readonly KindRow[] {
  return [...macRows(), ...curveRows(), ...rsaRows()]
}

function macRows(): KindRow[] {
  const generates: KindRow = {
    name: 'CKM_GENERIC_SECRET_KEY_GEN',
    use: 'HMAC keys',
    mechanism: pkcs11js.CKM_GENERIC_SECRET_KEY_GEN,
    prove: (session) => void makeSecret(session, macKind('HMAC_256')),
  }
  const makes = HMAC_SPECS.flatMap((spec) => {
    const [algorithm] = keySpecRow(spec).macAlgorithms
    if (algorithm === undefined) return []
    const { capability, mechanism } = macMechanism(MAC_HASHES[algorithm])
    const prove = (session: TokenSession) => proveMacOf(session, spec)
    return [{ name: capability, use: `GenerateMac with ${algorithm}`, mechanism, prove }]
  })
  return [generates, ...makes]
}

function curveRows(): KindRow[] {
  const mechanism = pkcs11js.CKM_EC_KEY_PAIR_GEN
  return [
    {
      name: 'CKM_EC_KEY_PAIR_GEN',
      use: 'pairs on elliptic curves',
      mechanism,
      prove: (session) => void makePair(session, signing('ECC_NIST_P256')),
    },
    ...CURVES.map((curve): KindRow => {
      const spec = CURVE_SPECS[curve]
      return {
        name: `CKA_EC_PARAMS/${curve}`,
        use: `keys of ${spec}`,
        mechanism,
        // What it answers for its public half is on that curve, or is refused.
        prove: (session) => void makePair(session, signing(spec)),
      }
    }),
    {
      name: 'CKM_ECDSA',
      use: 'Sign with ECDSA',
      mechanism: pkcs11js.CKM_ECDSA,
      prove: (session) => proveSigning(session, 'ECC_NIST_P256'),
    },
    {
      name: 'CKM_ECDH1_DERIVE',
      use: 'DeriveSharedSecret',
      mechanism: pkcs11js.CKM_ECDH1_DERIVE,
      prove: (session) => {
        const kind: KeyKind = { spec: 'ECC_NIST_P256', usage: 'KEY_AGREEMENT' }
        const { privateKey, publicKey } = makePair(session, kind)
        proveKind(session, privateKey, { kind, publicKey, proved: granted })
      },
    },
    {
      name: 'CKM_EC_EDWARDS_KEY_PAIR_GEN',
      use: 'keys of ECC_NIST_EDWARDS25519',
      mechanism: CKM_EC_EDWARDS_KEY_PAIR_GEN,
      prove: (session) => void makePair(session, signing('ECC_NIST_EDWARDS25519')),
    },
    {
      name: 'CKM_EDDSA',
      use: 'Sign with ED25519_SHA_512',
      mechanism: CKM_EDDSA,
      prove: (session) => proveSigning(session, 'ECC_NIST_EDWARDS25519'),
    },
  ]
}

function rsaRows(): KindRow[] {
  // Made in software once a start, since it takes a tenth of a second: it guards nothing.
  let pair: { privateKey: KeyObject; publicKey: KeyObject } | undefined
  const known = () => (pair ??= generateKeyPairSync('rsa', { modulusLength: 2048 }))
  const signs =
    (algorithm: SigningAlgorithm) =>
    (session: TokenSession): void => {
      const { key, publicKey } = rsaKey(session, 'SIGN_VERIFY', known())
      const kind = signing('RSA_2048')
      proveAlgorithm(session, key, { kind, publicKey, proved: granted, algorithm })
    }
  const decrypts =
    (algorithm: OaepAlgorithm, way: OaepWay) =>
    (session: TokenSession): void => {
      const { key, publicKey } = rsaKey(session, 'ENCRYPT_DECRYPT', known())
      const message = randomBytes(32)
      const sealed = encryptOaep(publicKey, algorithm, message)
      const opened = decryptOaep(session, key, sealed, { algorithm, way })
      if (!opened?.equals(message)) throw new Error('it decrypts to something else')
    }
  const { CKM_RSA_PKCS, CKM_RSA_PKCS_PSS, CKM_RSA_PKCS_OAEP, CKM_RSA_X_509 } = pkcs11js
  const row = (
    name: KindCapability,
    use: string,
    mechanism: number,
    prove: KindRow['prove'],
  ): KindRow => ({ name, use, mechanism, prove })
  return [
    // Every pair proves itself when it is made; a start does not wait for one.
    row('CKM_RSA_PKCS_KEY_PAIR_GEN', 'RSA keys', pkcs11js.CKM_RSA_PKCS_KEY_PAIR_GEN, () => {}),
    row(
      'CKM_RSA_PKCS',
      'Sign with RSASSA_PKCS1_V1_5',
      CKM_RSA_PKCS,
      signs('RSASSA_PKCS1_V1_5_SHA_256'),
    ),
    row('CKM_RSA_PKCS_PSS', 'Sign with RSASSA_PSS', CKM_RSA_PKCS_PSS, signs('RSASSA_PSS_SHA_256')),
    row(
      'CKM_RSA_PKCS_OAEP/SHA-1',
      'Decrypt with RSAES_OAEP_SHA_1',
      CKM_RSA_PKCS_OAEP,
      decrypts('RSAES_OAEP_SHA_1', 'padded'),
    ),
    row(
      'CKM_RSA_PKCS_OAEP/SHA-256',
      'Decrypt with RSAES_OAEP_SHA_256',
      CKM_RSA_PKCS_OAEP,
      decrypts('RSAES_OAEP_SHA_256', 'padded'),
    ),
    row(
      'CKM_RSA_X_509',
      'what RSA pads outside the token, where it does not pad itself',
      CKM_RSA_X_509,
      decrypts('RSAES_OAEP_SHA_256', 'raw'),
    ),
  ]
}

/** A session key of a known value, or one that the token makes where it takes none. */
function rsaKey(
  session: TokenSession,
  usage: KeyUsage,
  known: { privateKey: KeyObject; publicKey: KeyObject },
): { key: Handle; publicKey: KeyObject } {
  const kind: KeyKind = { spec: 'RSA_2048', usage }
  try {
    const template = proofKindTemplate(generationOf(kind, granted))
    const key = session.createObject([...template, ...rsaNumbers(known.privateKey)])
    return { key, publicKey: known.publicKey }
  } catch (cause) {
    if (!(cause instanceof TokenError)) throw cause
    const { privateKey, publicKey } = makePair(session, kind)
    return { key: privateKey, publicKey }
  }
}

function rsaNumbers(key: KeyObject): readonly FixedAttribute[] {
  const jwk = key.export({ format: 'jwk' })
  return RSA_NUMBERS.map(([name, member]) =>
    fixed(name, Buffer.from(jwk[member] ?? '', 'base64url')),
  )
}

function signing(spec: KeySpec): KeyKind {
  return { spec, usage: 'SIGN_VERIFY' }
}

function macKind(spec: KeySpec): KeyKind {
  return { spec, usage: 'GENERATE_VERIFY_MAC' }
}

/** Makes a session pair and reads its public half. */
function makePair(session: TokenSession, kind: KeyKind) {
  const generation = generationOf(kind, granted)
  const pair = session.generateKeyPair(
    generation.mechanism,
    publicKeyTemplate(generation),
    proofKindTemplate(generation),
  )
  return { ...pair, publicKey: readPublicKey(session, pair.publicKey, kind.spec) }
}

function makeSecret(session: TokenSession, kind: KeyKind): Handle {
  const generation = generationOf(kind, granted)
  return session.generateKey(proofKindTemplate(generation), generation.mechanism)
}

function proveSigning(session: TokenSession, spec: KeySpec): void {
  const kind = signing(spec)
  const { privateKey, publicKey } = makePair(session, kind)
  proveKind(session, privateKey, { kind, publicKey, proved: granted })
}

/** Compares with software where the token takes a secret from outside. */
function proveMacOf(session: TokenSession, spec: KeySpec): void {
  const kind = macKind(spec)
  const material = materialOf(spec)
  const [algorithm] = keySpecRow(spec).macAlgorithms
  if (material.type !== 'secret' || algorithm === undefined) throw new Error(`${spec} is no HMAC`)
  const value = randomBytes(material.bytes)
  let key: Handle
  try {
    key = session.createObject(proofKindTemplate(generationOf(kind, granted), value))
  } catch (cause) {
    if (!(cause instanceof TokenError)) throw cause
    proveKind(session, makeSecret(session, kind), { kind, proved: granted })
    return
  }
  const hash = MAC_HASHES[algorithm]
  const message = randomBytes(40)
  const { mechanism } = macMechanism(hash)
  const expected = createHmac(hash, value).update(message).digest()
  if (!session.sign(key, { mechanism }, message).equals(expected)) {
    throw new Error(`it makes something else than ${algorithm}`)
  }
}
