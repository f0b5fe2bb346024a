/**
 * What a token may have or lack of what keys need that sign, agree or make MACs: a row and a proof
 * for each. Pairs of RSA are made for their proof once a start, since that takes a while.
 */

import { createHmac, randomBytes } from 'node:crypto'
import pkcs11js, { type Handle } from 'pkcs11js'
import { MAC_HASHES } from '../../model/asymmetric/schemes.ts'
import {
  type Curve,
  type KeyKind,
  type KeySpec,
  keySpecRow,
  materialOf,
} from '../../model/key-specs.ts'
import type { CapabilityRow } from './capabilities.ts'
import { proveKind } from './kind-proofs.ts'
import {
  CKM_EC_EDWARDS_KEY_PAIR_GEN,
  CKM_EDDSA,
  generationOf,
  type KindCapability,
  macMechanism,
} from './mechanisms.ts'
import { readPublicKey } from './public-keys.ts'
import { TokenError } from './return-values.ts'
import type { TokenSession } from './session.ts'
import { proofKindTemplate, publicKeyTemplate } from './templates.ts'

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
  return [...macRows(), ...curveRows()]
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
