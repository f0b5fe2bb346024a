/**
 * Parameters of mechanisms, so that the token looks at the key and does not refuse for the
 * parameter's sake. A mechanism that is not here is tried without one.
 */

import { createECDH, randomBytes } from 'node:crypto'
import pkcs11js, { type Handle, type Mechanism } from 'pkcs11js'
import { oaepMechanism, pssMechanism } from '../token/mechanisms.ts'
import { ulong } from '../token/templates.ts'
import { mechanismName } from './attacker.ts'

/** CKM_HKDF_DERIVE and CKM_HKDF_DATA of PKCS#11 v3.0. */
const HKDF: readonly number[] = [0x402a, 0x402b]
/** CKF_HKDF_SALT_NULL and CKF_HKDF_SALT_KEY. */
const HKDF_SALT = { none: 1, key: 4 } as const
/** CKD_NULL. */
const WITHOUT_DERIVATION = 1
/** The curves on which a token may hold a key, by OpenSSL's names. */
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1', 'secp256k1'] as const

const MAC_BYTES = 8
/** Longer than any parameter: zeros, so that no pointer in it leads anywhere. */
const NOTHING_BYTES = 512
/** Mechanisms that take no parameter. */
const STANDARD_PLAIN =
  /_(ECB|MAC|CMAC|HMAC|ECDSA|DSA|RSA_PKCS|X_509|X9_31|KEY_WRAP|KEY_WRAP_PAD|ECDSA_SHA\w+|DSA_SHA\w+)$/

/** A mechanism with each of the parameters that it may take. */
export function withParameters(mechanism: number): readonly Mechanism[] {
  const parameters = PARAMETERS.get(mechanism)?.()
  if (parameters !== undefined) return parameters.map((parameter) => ({ mechanism, parameter }))
  if (mechanism === pkcs11js.CKM_RSA_PKCS_OAEP) {
    return [oaepMechanism('sha1'), oaepMechanism('sha256')]
  }
  if (mechanism === pkcs11js.CKM_RSA_PKCS_PSS) return [pssMechanism('sha256')]
  const hash = PSS_HASHES.get(mechanism)
  if (hash !== undefined) return [{ ...pssMechanism(hash), mechanism }]
  if (mechanism === pkcs11js.CKM_ECDH1_DERIVE || mechanism === pkcs11js.CKM_ECDH1_COFACTOR_DERIVE) {
    return POINTS().map((publicData) => ({
      mechanism,
      parameter: { type: pkcs11js.CK_PARAMS_EC_DH, kdf: WITHOUT_DERIVATION, publicData },
    }))
  }
  if (HKDF.includes(mechanism)) return [{ mechanism, parameter: hkdf() }]
  const name = mechanismName({ mechanism })
  if (name.endsWith('_GENERAL')) return [{ mechanism, parameter: ulong(MAC_BYTES) }]
  // Some modules read a parameter before they look whether there is one.
  if (!STANDARD_PLAIN.test(name)) return [{ mechanism, parameter: Buffer.alloc(NOTHING_BYTES) }]
  return [{ mechanism }]
}

/** HKDF with SHA-256, in one go, with a salt of zeros or another key as its salt. */
export function hkdf(saltKey?: Handle): Buffer {
  const parameter = Buffer.alloc(64)
  parameter.set([1, 1])
  ulong(pkcs11js.CKM_SHA256).copy(parameter, 8)
  ulong(saltKey === undefined ? HKDF_SALT.none : HKDF_SALT.key).copy(parameter, 16)
  saltKey?.copy(parameter, 40)
  return parameter
}

type Parameter = NonNullable<Mechanism['parameter']>

/** Word size and rounds. */
const RC5 = Buffer.concat([ulong(4), ulong(12)])

const PARAMETERS = new Map<number, () => readonly Parameter[]>([
  [pkcs11js.CKM_AES_CBC, () => [randomBytes(16)]],
  [pkcs11js.CKM_AES_CBC_PAD, () => [randomBytes(16)]],
  [pkcs11js.CKM_AES_CTS, () => [randomBytes(16)]],
  [pkcs11js.CKM_AES_CTR, () => [Buffer.concat([ulong(128), randomBytes(16)])]],
  [
    pkcs11js.CKM_AES_GCM,
    () => [
      {
        type: pkcs11js.CK_PARAMS_AES_GCM_v240,
        iv: randomBytes(12),
        ivBits: 96,
        aad: Buffer.alloc(16),
        tagBits: 128,
      },
    ],
  ],
  [
    pkcs11js.CKM_AES_CCM,
    () => [
      {
        type: pkcs11js.CK_PARAMS_AES_CCM,
        dataLen: 32,
        nonce: randomBytes(12),
        aad: Buffer.alloc(16),
        macLen: 16,
      },
    ],
  ],
  // Modules read the parameters of these before they look at the key, without asking for them.
  ...[pkcs11js.CKM_RC2_ECB, pkcs11js.CKM_RC2_MAC].map((mechanism) => of(mechanism, ulong(128))),
  ...[pkcs11js.CKM_RC2_CBC, pkcs11js.CKM_RC2_CBC_PAD, pkcs11js.CKM_RC2_MAC_GENERAL].map(
    (mechanism) => of(mechanism, Buffer.concat([ulong(128), ulong(8)])),
  ),
  ...[pkcs11js.CKM_RC5_ECB, pkcs11js.CKM_RC5_MAC].map((mechanism) => of(mechanism, RC5)),
  ...[pkcs11js.CKM_RC5_CBC, pkcs11js.CKM_RC5_CBC_PAD, pkcs11js.CKM_RC5_MAC_GENERAL].map(
    (mechanism) => of(mechanism, Buffer.concat([RC5, ulong(8), ulong(0)])),
  ),
  [pkcs11js.CKM_DES_CBC, () => [randomBytes(8)]],
  [pkcs11js.CKM_DES_CBC_PAD, () => [randomBytes(8)]],
  [pkcs11js.CKM_DES3_CBC, () => [randomBytes(8)]],
  [pkcs11js.CKM_DES3_CBC_PAD, () => [randomBytes(8)]],
  [
    pkcs11js.CKM_AES_CBC_ENCRYPT_DATA,
    () => [{ type: pkcs11js.CK_PARAMS_AES_CBC, iv: Buffer.alloc(16), data: randomBytes(32) }],
  ],
  // The base key and nothing: a pointer cannot be handed in, but none is not needed either.
  [pkcs11js.CKM_CONCATENATE_BASE_AND_DATA, () => [Buffer.alloc(16)]],
  [pkcs11js.CKM_CONCATENATE_DATA_AND_BASE, () => [Buffer.alloc(16)]],
  [pkcs11js.CKM_XOR_BASE_AND_DATA, () => [Buffer.alloc(16)]],
  [pkcs11js.CKM_AES_ECB_ENCRYPT_DATA, () => [Buffer.alloc(16)]],
  // From the first bit on, and from the middle.
  [pkcs11js.CKM_EXTRACT_KEY_FROM_KEY, () => [ulong(0), ulong(128)]],
])

const PSS_HASHES = new Map([
  [pkcs11js.CKM_SHA1_RSA_PKCS_PSS, 'sha1'],
  [pkcs11js.CKM_SHA256_RSA_PKCS_PSS, 'sha256'],
  [pkcs11js.CKM_SHA384_RSA_PKCS_PSS, 'sha384'],
  [pkcs11js.CKM_SHA512_RSA_PKCS_PSS, 'sha512'],
] as const)

function of(mechanism: number, parameter: Parameter): [number, () => readonly Parameter[]] {
  return [mechanism, () => [parameter]]
}

/** A point of the attacker's on each curve. */
function POINTS(): readonly Buffer[] {
  return CURVES.map((curve) => createECDH(curve).generateKeys())
}
