/**
 * How a token does what key specs and algorithms name: one row each. Mechanisms take digests and
 * not messages, since not every token combines the two.
 *
 * Numbers that the binding has no name for are those of PKCS#11 v3.0.
 */

import pkcs11js, { type Mechanism, type RsaOAEP, type RsaPSS } from 'pkcs11js'
import { COORDINATE_BYTES, derSignature } from '../../model/asymmetric/ecdsa.ts'
import { digestInfo, encodePss } from '../../model/asymmetric/rsa-padding.ts'
import {
  digestOf,
  HASH_BYTES,
  type Hash,
  type SignatureScheme,
  type ToSign,
} from '../../model/asymmetric/schemes.ts'
import { type Curve, type KeyKind, type Material, materialOf } from '../../model/key-specs.ts'

/** CKA_KEY_TYPE of keys on a twisted Edwards curve. */
export const CKK_EC_EDWARDS = 0x40
/** Makes pairs on a twisted Edwards curve. */
export const CKM_EC_EDWARDS_KEY_PAIR_GEN = 0x1055
/** Signs by EdDSA. */
export const CKM_EDDSA = 0x1057

/** What a token may have or lack, beside what it cannot serve without. */
export const KIND_CAPABILITIES = [
  'CKM_GENERIC_SECRET_KEY_GEN',
  'CKM_SHA224_HMAC',
  'CKM_SHA256_HMAC',
  'CKM_SHA384_HMAC',
  'CKM_SHA512_HMAC',
  'CKM_EC_KEY_PAIR_GEN',
  'CKA_EC_PARAMS/P-256',
  'CKA_EC_PARAMS/P-384',
  'CKA_EC_PARAMS/P-521',
  'CKA_EC_PARAMS/secp256k1',
  'CKM_ECDSA',
  'CKM_EC_EDWARDS_KEY_PAIR_GEN',
  'CKM_EDDSA',
  'CKM_ECDH1_DERIVE',
  'CKM_RSA_PKCS_KEY_PAIR_GEN',
  'CKM_RSA_PKCS',
  'CKM_RSA_PKCS_PSS',
  'CKM_RSA_PKCS_OAEP/SHA-1',
  'CKM_RSA_PKCS_OAEP/SHA-256',
  'CKM_RSA_X_509',
] as const

/** The name of one of them. */
export type KindCapability = (typeof KIND_CAPABILITIES)[number]

/** Whether the token has proved something. */
export type Proved = (name: KindCapability) => boolean

/** How a token makes the material of a kind. */
export interface Generation {
  readonly capabilities: readonly KindCapability[]
  readonly mechanism: number
  /** CKA_KEY_TYPE. */
  readonly keyType: number
  /** The one usage of the key: the attribute that is true. */
  readonly use: 'CKA_SIGN' | 'CKA_DECRYPT' | 'CKA_DERIVE'
  /** What decides about the material: attributes of the public half, or of the secret. */
  readonly parameters: readonly {
    readonly name: 'CKA_EC_PARAMS' | 'CKA_MODULUS_BITS' | 'CKA_PUBLIC_EXPONENT' | 'CKA_VALUE_LEN'
    readonly value: number | Buffer
  }[]
  /** CKA_ALLOWED_MECHANISMS, by number. */
  readonly allowed: readonly number[]
}

/** CKA_EC_PARAMS of a curve: its object identifier in DER (RFC 5480, SEC 2). */
export const CURVE_PARAMETERS: Readonly<Record<Curve, Buffer>> = {
  'P-256': Buffer.from('06082a8648ce3d030107', 'hex'),
  'P-384': Buffer.from('06052b81040022', 'hex'),
  'P-521': Buffer.from('06052b81040023', 'hex'),
  secp256k1: Buffer.from('06052b8104000a', 'hex'),
}

/** CKA_EC_PARAMS of edwards25519 (RFC 8410). */
export const ED25519_PARAMETERS = Buffer.from('06032b6570', 'hex')

const PUBLIC_EXPONENT = Buffer.of(1, 0, 1)

const MACS: Readonly<Partial<Record<Hash, { mechanism: number; capability: KindCapability }>>> = {
  sha224: { mechanism: 0x256, capability: 'CKM_SHA224_HMAC' },
  sha256: { mechanism: pkcs11js.CKM_SHA256_HMAC, capability: 'CKM_SHA256_HMAC' },
  sha384: { mechanism: pkcs11js.CKM_SHA384_HMAC, capability: 'CKM_SHA384_HMAC' },
  sha512: { mechanism: pkcs11js.CKM_SHA512_HMAC, capability: 'CKM_SHA512_HMAC' },
}

const HASHES: Readonly<Record<Hash, { mechanism: number; mgf: number }>> = {
  sha1: { mechanism: pkcs11js.CKM_SHA_1, mgf: pkcs11js.CKG_MGF1_SHA1 },
  sha224: { mechanism: pkcs11js.CKM_SHA224, mgf: pkcs11js.CKG_MGF1_SHA224 },
  sha256: { mechanism: pkcs11js.CKM_SHA256, mgf: pkcs11js.CKG_MGF1_SHA256 },
  sha384: { mechanism: pkcs11js.CKM_SHA384, mgf: pkcs11js.CKG_MGF1_SHA384 },
  sha512: { mechanism: pkcs11js.CKM_SHA512, mgf: pkcs11js.CKG_MGF1_SHA512 },
}

/** How a token makes the material of a kind; not of symmetric encryption keys. */
export function generationOf({ spec, usage }: KeyKind, proved: Proved): Generation {
  return generation(materialOf(spec), USES[usage] ?? 'CKA_SIGN', proved)
}

const USES: Readonly<Partial<Record<KeyKind['usage'], Generation['use']>>> = {
  ENCRYPT_DECRYPT: 'CKA_DECRYPT',
  KEY_AGREEMENT: 'CKA_DERIVE',
}

function generation(material: Material, use: Generation['use'], proved: Proved): Generation {
  switch (material.type) {
    case 'RSA':
      return {
        capabilities: ['CKM_RSA_PKCS_KEY_PAIR_GEN', ...rsaCapabilities(use, proved)],
        mechanism: pkcs11js.CKM_RSA_PKCS_KEY_PAIR_GEN,
        keyType: pkcs11js.CKK_RSA,
        use,
        parameters: [
          { name: 'CKA_MODULUS_BITS', value: material.modulusBits },
          { name: 'CKA_PUBLIC_EXPONENT', value: PUBLIC_EXPONENT },
        ],
        allowed: rsaMechanisms(use, proved),
      }
    case 'EC': {
      const signs = use === 'CKA_SIGN'
      return {
        capabilities: [
          'CKM_EC_KEY_PAIR_GEN',
          `CKA_EC_PARAMS/${material.curve}`,
          signs ? 'CKM_ECDSA' : 'CKM_ECDH1_DERIVE',
        ],
        mechanism: pkcs11js.CKM_EC_KEY_PAIR_GEN,
        keyType: pkcs11js.CKK_EC,
        use,
        parameters: [{ name: 'CKA_EC_PARAMS', value: CURVE_PARAMETERS[material.curve] }],
        allowed: [signs ? pkcs11js.CKM_ECDSA : pkcs11js.CKM_ECDH1_DERIVE],
      }
    }
    case 'Ed25519':
      return {
        capabilities: ['CKM_EC_EDWARDS_KEY_PAIR_GEN', 'CKM_EDDSA'],
        mechanism: CKM_EC_EDWARDS_KEY_PAIR_GEN,
        keyType: CKK_EC_EDWARDS,
        use,
        parameters: [{ name: 'CKA_EC_PARAMS', value: ED25519_PARAMETERS }],
        allowed: [CKM_EDDSA],
      }
    case 'secret': {
      const mac = macMechanism(macHash(material.bytes))
      return {
        capabilities: ['CKM_GENERIC_SECRET_KEY_GEN', mac.capability],
        mechanism: pkcs11js.CKM_GENERIC_SECRET_KEY_GEN,
        keyType: pkcs11js.CKK_GENERIC_SECRET,
        use,
        parameters: [{ name: 'CKA_VALUE_LEN', value: material.bytes }],
        allowed: [mac.mechanism],
      }
    }
    case 'AES':
      throw new Error('backing keys of symmetric keys are made for a suite')
  }
}

/** What an RSA key needs at the least: with less, none of its algorithms would work. */
function rsaCapabilities(use: Generation['use'], proved: Proved): readonly KindCapability[] {
  if (use === 'CKA_SIGN') return ['CKM_RSA_PKCS']
  return proved('CKM_RSA_X_509') ? [] : ['CKM_RSA_PKCS_OAEP/SHA-256']
}

/** Without raw RSA wherever the token pads by itself. */
function rsaMechanisms(use: Generation['use'], proved: Proved): readonly number[] {
  const { CKM_RSA_PKCS, CKM_RSA_X_509, CKM_RSA_PKCS_OAEP, CKM_RSA_PKCS_PSS } = pkcs11js
  const isWhole =
    use === 'CKA_SIGN'
      ? proved('CKM_RSA_PKCS_PSS')
      : proved('CKM_RSA_PKCS_OAEP/SHA-1') && proved('CKM_RSA_PKCS_OAEP/SHA-256')
  const raw = isWhole || !proved('CKM_RSA_X_509') ? [] : [CKM_RSA_X_509]
  const padded = use === 'CKA_SIGN' ? [CKM_RSA_PKCS, CKM_RSA_PKCS_PSS] : [CKM_RSA_PKCS_OAEP]
  return [...padded, ...raw].sort((one, other) => one - other)
}

/** How a token signs: with which mechanism what, and what of its answer is the signature. */
export interface SigningSteps {
  readonly mechanism: Mechanism
  readonly input: Buffer
  readonly signature: (answer: Buffer) => Buffer
}

/**
 * How a token signs by a scheme.
 *
 * @returns the name of the capability that is missing where it does not.
 */
export function signingSteps(
  scheme: SignatureScheme,
  material: Material,
  toSign: ToSign,
  proved: Proved,
): SigningSteps | KindCapability {
  const asItIs = (answer: Buffer) => answer
  if (scheme.type === 'Ed25519') {
    if (!proved('CKM_EDDSA')) return 'CKM_EDDSA'
    return { mechanism: { mechanism: CKM_EDDSA }, input: toSign.message, signature: asItIs }
  }
  const digest = digestOf(toSign, scheme.hash)
  if (scheme.type === 'ECDSA') {
    if (material.type !== 'EC' || !proved('CKM_ECDSA')) return 'CKM_ECDSA'
    // Tokens differ in what they do with a digest longer than the curve.
    const input = digest.subarray(0, COORDINATE_BYTES[material.curve])
    return { mechanism: { mechanism: pkcs11js.CKM_ECDSA }, input, signature: derSignature }
  }
  if (scheme.type === 'PKCS1') {
    if (!proved('CKM_RSA_PKCS')) return 'CKM_RSA_PKCS'
    const mechanism = { mechanism: pkcs11js.CKM_RSA_PKCS }
    return { mechanism, input: digestInfo(digest, scheme.hash), signature: asItIs }
  }
  if (proved('CKM_RSA_PKCS_PSS')) {
    return { mechanism: pssMechanism(scheme.hash), input: digest, signature: asItIs }
  }
  if (material.type !== 'RSA' || !proved('CKM_RSA_X_509')) return 'CKM_RSA_PKCS_PSS'
  return {
    mechanism: { mechanism: pkcs11js.CKM_RSA_X_509 },
    input: encodePss(digest, scheme.hash, material.modulusBits / 8),
    signature: asItIs,
  }
}

/** RSASSA-PSS of a digest. */
export function pssMechanism(hash: Hash): Mechanism {
  const { mechanism: hashAlg, mgf } = HASHES[hash]
  const parameter: RsaPSS = {
    type: pkcs11js.CK_PARAMS_RSA_PSS,
    hashAlg,
    mgf,
    saltLen: HASH_BYTES[hash],
  }
  return { mechanism: pkcs11js.CKM_RSA_PKCS_PSS, parameter }
}

/** RSAES-OAEP with an empty label. */
export function oaepMechanism(hash: 'sha1' | 'sha256'): Mechanism {
  const { mechanism: hashAlg, mgf } = HASHES[hash]
  // Without sourceData: an empty Buffer is not the NULL that tokens ask for.
  const parameter: RsaOAEP = { type: pkcs11js.CK_PARAMS_RSA_OAEP, hashAlg, mgf, source: 1 }
  return { mechanism: pkcs11js.CKM_RSA_PKCS_OAEP, parameter }
}

/** The mechanism of a MAC, and its capability. */
export function macMechanism(hash: Hash) {
  const row = MACS[hash]
  if (row === undefined) throw new Error(`no MAC with ${hash}`)
  return row
}

/** AWS's HMAC keys are as long as what they make. */
function macHash(bytes: number): Hash {
  const found = (Object.keys(MACS) as Hash[]).find((hash) => HASH_BYTES[hash] === bytes)
  if (found === undefined) throw new Error(`no MAC of ${bytes} bytes`)
  return found
}
