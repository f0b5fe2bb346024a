/**
 * One row for each key spec of AWS KMS: what it may be used for and with which algorithms.
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

/** A row of the table. */
interface KeySpecRow {
  /** The usages that AWS allows. */
  readonly usages: readonly KeyUsage[]
  /** The algorithms of Encrypt and Decrypt. */
  readonly encryptionAlgorithms: readonly EncryptionAlgorithm[]
  /** Whether this version of keyslot makes such keys. */
  readonly offered: boolean
}

const later = (...usages: KeyUsage[]): KeySpecRow => ({
  usages,
  encryptionAlgorithms: [],
  offered: false,
})
const rsa: KeySpecRow = {
  usages: ['ENCRYPT_DECRYPT', 'SIGN_VERIFY'],
  encryptionAlgorithms: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
  offered: false,
}
const curve = later('SIGN_VERIFY', 'KEY_AGREEMENT')
const hmac = later('GENERATE_VERIFY_MAC')
const signature = later('SIGN_VERIFY')
const encapsulation = later('ENCAPSULATE_DECAPSULATE')

/** The table of key specs. */
export const KEY_SPECS = {
  SYMMETRIC_DEFAULT: {
    usages: ['ENCRYPT_DECRYPT'],
    encryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    offered: true,
  },
  RSA_2048: rsa,
  RSA_3072: rsa,
  RSA_4096: rsa,
  ECC_NIST_P256: curve,
  ECC_NIST_P384: curve,
  ECC_NIST_P521: curve,
  ECC_SECG_P256K1: signature,
  ECC_NIST_EDWARDS25519: signature,
  HMAC_224: hmac,
  HMAC_256: hmac,
  HMAC_384: hmac,
  HMAC_512: hmac,
  SM2: later('ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'KEY_AGREEMENT'),
  ML_DSA_44: signature,
  ML_DSA_65: signature,
  ML_DSA_87: signature,
  ML_KEM_512: encapsulation,
  ML_KEM_768: encapsulation,
  ML_KEM_1024: encapsulation,
} as const satisfies Record<string, KeySpecRow>

/** AWS's KeySpec. */
export type KeySpec = keyof typeof KEY_SPECS

/** The row of a key spec. */
export function keySpecRow(spec: KeySpec): KeySpecRow {
  return KEY_SPECS[spec]
}
