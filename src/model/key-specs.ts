/**
 * One row for each key spec of AWS KMS: what it may be used for, with which algorithms, and what
 * the token has to make for it.
 * https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
 */

/** AWS's KeyUsage. */
export type KeyUsage =
  | 'ENCRYPT_DECRYPT'
  | 'SIGN_VERIFY'
  | 'GENERATE_VERIFY_MAC'
  | 'KEY_AGREEMENT'
  | 'ENCAPSULATE_DECAPSULATE'

/** AWS's EncryptionAlgorithm. */
export type EncryptionAlgorithm =
  | 'SYMMETRIC_DEFAULT'
  | 'RSAES_OAEP_SHA_1'
  | 'RSAES_OAEP_SHA_256'
  | 'SM2PKE'

/** An algorithm that encrypts with a public key. */
export type OaepAlgorithm = 'RSAES_OAEP_SHA_1' | 'RSAES_OAEP_SHA_256'

/** AWS's SigningAlgorithm. */
export type SigningAlgorithm =
  | 'RSASSA_PSS_SHA_256'
  | 'RSASSA_PSS_SHA_384'
  | 'RSASSA_PSS_SHA_512'
  | 'RSASSA_PKCS1_V1_5_SHA_256'
  | 'RSASSA_PKCS1_V1_5_SHA_384'
  | 'RSASSA_PKCS1_V1_5_SHA_512'
  | 'ECDSA_SHA_256'
  | 'ECDSA_SHA_384'
  | 'ECDSA_SHA_512'
  | 'ED25519_SHA_512'
  | 'ED25519_PH_SHA_512'
  | 'ML_DSA_SHAKE_256'
  | 'SM2DSA'

/** AWS's MacAlgorithm. */
export type MacAlgorithm = 'HMAC_SHA_224' | 'HMAC_SHA_256' | 'HMAC_SHA_384' | 'HMAC_SHA_512'

/** AWS's KeyAgreementAlgorithm. */
export type KeyAgreementAlgorithm = 'ECDH'

/** A curve by its name in JSON web keys. */
export type Curve = 'P-256' | 'P-384' | 'P-521' | 'secp256k1'

/** What the token makes for a key spec. */
export type Material =
  | { readonly type: 'AES' }
  | { readonly type: 'RSA'; readonly modulusBits: 2048 | 3072 | 4096 }
  | { readonly type: 'EC'; readonly curve: Curve }
  | { readonly type: 'Ed25519' }
  | { readonly type: 'secret'; readonly bytes: number }

/** A row of the table. */
interface KeySpecRow {
  /** The usages that AWS allows. */
  readonly usages: readonly KeyUsage[]
  /** The algorithms of Encrypt and Decrypt. */
  readonly encryptionAlgorithms: readonly EncryptionAlgorithm[]
  /** The algorithms of Sign and Verify. */
  readonly signingAlgorithms: readonly SigningAlgorithm[]
  /** The algorithms of GenerateMac and VerifyMac. */
  readonly macAlgorithms: readonly MacAlgorithm[]
  /** The algorithms of DeriveSharedSecret. */
  readonly keyAgreementAlgorithms: readonly KeyAgreementAlgorithm[]
  /** What the token makes; absent where keyslot makes no such keys. */
  readonly material?: Material
  /** Why keyslot makes no such keys; absent where it does. */
  readonly refused?: string
}

const nothing: KeySpecRow = {
  usages: [],
  encryptionAlgorithms: [],
  signingAlgorithms: [],
  macAlgorithms: [],
  keyAgreementAlgorithms: [],
}

const rsa = (modulusBits: 2048 | 3072 | 4096): KeySpecRow => ({
  ...nothing,
  usages: ['ENCRYPT_DECRYPT', 'SIGN_VERIFY'],
  encryptionAlgorithms: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
  signingAlgorithms: [
    'RSASSA_PKCS1_V1_5_SHA_256',
    'RSASSA_PKCS1_V1_5_SHA_384',
    'RSASSA_PKCS1_V1_5_SHA_512',
    'RSASSA_PSS_SHA_256',
    'RSASSA_PSS_SHA_384',
    'RSASSA_PSS_SHA_512',
  ],
  material: { type: 'RSA', modulusBits },
})

const nist = (curve: Curve, signingAlgorithm: SigningAlgorithm): KeySpecRow => ({
  ...nothing,
  usages: ['SIGN_VERIFY', 'KEY_AGREEMENT'],
  signingAlgorithms: [signingAlgorithm],
  keyAgreementAlgorithms: ['ECDH'],
  material: { type: 'EC', curve },
})

const hmac = (macAlgorithm: MacAlgorithm, bytes: number): KeySpecRow => ({
  ...nothing,
  usages: ['GENERATE_VERIFY_MAC'],
  macAlgorithms: [macAlgorithm],
  material: { type: 'secret', bytes },
})

const mlDsa: KeySpecRow = {
  ...nothing,
  usages: ['SIGN_VERIFY'],
  signingAlgorithms: ['ML_DSA_SHAKE_256'],
  refused: 'keyslot speaks PKCS#11 up to version 3.1, and ML-DSA came with 3.2',
}

const mlKem: KeySpecRow = {
  ...nothing,
  usages: ['ENCAPSULATE_DECAPSULATE'],
  refused: 'keyslot speaks PKCS#11 up to version 3.1, and ML-KEM came with 3.2',
}

/** The table of key specs. */
export const KEY_SPECS = {
  SYMMETRIC_DEFAULT: {
    ...nothing,
    usages: ['ENCRYPT_DECRYPT'],
    encryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    material: { type: 'AES' },
  },
  RSA_2048: rsa(2048),
  RSA_3072: rsa(3072),
  RSA_4096: rsa(4096),
  ECC_NIST_P256: nist('P-256', 'ECDSA_SHA_256'),
  ECC_NIST_P384: nist('P-384', 'ECDSA_SHA_384'),
  ECC_NIST_P521: nist('P-521', 'ECDSA_SHA_512'),
  ECC_SECG_P256K1: {
    ...nothing,
    usages: ['SIGN_VERIFY'],
    signingAlgorithms: ['ECDSA_SHA_256'],
    material: { type: 'EC', curve: 'secp256k1' },
  },
  ECC_NIST_EDWARDS25519: {
    ...nothing,
    usages: ['SIGN_VERIFY'],
    // Without ED25519_PH_SHA_512: tokens answer a plain signature when they are asked to hash
    // first, and no software here can tell by verifying it.
    signingAlgorithms: ['ED25519_SHA_512'],
    material: { type: 'Ed25519' },
  },
  HMAC_224: hmac('HMAC_SHA_224', 28),
  HMAC_256: hmac('HMAC_SHA_256', 32),
  HMAC_384: hmac('HMAC_SHA_384', 48),
  HMAC_512: hmac('HMAC_SHA_512', 64),
  SM2: {
    ...nothing,
    usages: ['ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'KEY_AGREEMENT'],
    encryptionAlgorithms: ['SM2PKE'],
    signingAlgorithms: ['SM2DSA'],
    refused: 'tokens take the curve of SM2 and answer with plain ECDSA',
  },
  ML_DSA_44: mlDsa,
  ML_DSA_65: mlDsa,
  ML_DSA_87: mlDsa,
  ML_KEM_512: mlKem,
  ML_KEM_768: mlKem,
  ML_KEM_1024: mlKem,
} as const satisfies Record<string, KeySpecRow>

/** AWS's KeySpec. */
export type KeySpec = keyof typeof KEY_SPECS

/** What a key is: its spec and its usage. */
export interface KeyKind {
  readonly spec: KeySpec
  readonly usage: KeyUsage
}

/** The row of a key spec. */
export function keySpecRow(spec: KeySpec): KeySpecRow {
  return KEY_SPECS[spec]
}

/**
 * What the token makes for a key spec.
 *
 * @throws Error for a spec of which keyslot makes no keys.
 */
export function materialOf(spec: KeySpec): Material {
  const { material } = keySpecRow(spec)
  if (material === undefined) throw new Error(`no token makes material for ${spec}`)
  return material
}

/** Whether keys of this spec are pairs, of which one half is public. */
export function isPair(spec: KeySpec): boolean {
  const type = keySpecRow(spec).material?.type
  return type === 'RSA' || type === 'EC' || type === 'Ed25519'
}
