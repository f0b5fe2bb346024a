/**
 * The token alone: the same cryptography by pkcs11js in the same Node, with a key that is a token
 * object, as a first program would have it, and with a session object.
 * `node raw-token.ts <home> <ms>` with SOFTHSM2_CONF set; answers microseconds of CPU as JSON.
 */

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import pkcs11js, { type Handle } from 'pkcs11js'
import { loadConfig } from '../../src/config.ts'
import { CURVE_PARAMETERS } from '../../src/pkcs11/token/mechanisms.ts'
import { findToken, loadModule, logIn, readPin } from '../../src/pkcs11/token/module.ts'
import { CALLS, type MeasuredCall, type SigningSpec } from './calls.ts'

/** CPU microseconds an operation, by the title of the call. */
export type RawCosts = Readonly<Record<'token object' | 'session object', Record<string, number>>>

type Keys = Readonly<Record<'AES' | SigningSpec, Handle>>

const AT_ONCE = 50
const IV = Buffer.alloc(12, 1)
const AAD = Buffer.alloc(32, 2)
const ROOM = Buffer.alloc(8192)
const PAIRS = {
  RSA_2048: {
    mechanism: pkcs11js.CKM_RSA_PKCS_KEY_PAIR_GEN,
    material: [
      { type: pkcs11js.CKA_MODULUS_BITS, value: 2048 },
      { type: pkcs11js.CKA_PUBLIC_EXPONENT, value: Buffer.of(1, 0, 1) },
    ],
    signs: { mechanism: pkcs11js.CKM_SHA256_RSA_PKCS },
  },
  ECC_NIST_P256: {
    mechanism: pkcs11js.CKM_EC_KEY_PAIR_GEN,
    material: [{ type: pkcs11js.CKA_EC_PARAMS, value: CURVE_PARAMETERS['P-256'] }],
    signs: { mechanism: pkcs11js.CKM_ECDSA },
  },
} as const

const [home = '', ms = '200'] = process.argv.slice(2)
const config = loadConfig({ flags: { dev: true, home }, environment: {}, cwd: home })
const module = loadModule(config.hsm, () => {})
const { pkcs11 } = module
const token = findToken(module, config.hsm.tokenLabel)
await logIn(module, token, () => readPin({ file: join(home, 'hsm/pin') }))
const flags = pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION
const session = pkcs11.C_OpenSession(token.slot.handle, flags)

/** A key of this kind, or the private half of a pair. */
function generateKey(key: 'AES' | SigningSpec, isTokenObject: boolean): Handle {
  const kept = [
    { type: pkcs11js.CKA_TOKEN, value: isTokenObject },
    { type: pkcs11js.CKA_PRIVATE, value: true },
    { type: pkcs11js.CKA_SENSITIVE, value: true },
    { type: pkcs11js.CKA_EXTRACTABLE, value: false },
  ]
  if (key === 'AES') {
    return pkcs11.C_GenerateKey(session, { mechanism: pkcs11js.CKM_AES_KEY_GEN }, [
      ...kept,
      { type: pkcs11js.CKA_VALUE_LEN, value: 32 },
      { type: pkcs11js.CKA_ENCRYPT, value: true },
      { type: pkcs11js.CKA_DECRYPT, value: true },
    ])
  }
  const { mechanism, material } = PAIRS[key]
  const { privateKey } = pkcs11.C_GenerateKeyPair(
    session,
    { mechanism },
    [{ type: pkcs11js.CKA_TOKEN, value: false }, ...material],
    [...kept, { type: pkcs11js.CKA_SIGN, value: true }],
  )
  return privateKey
}

const gcm = {
  mechanism: pkcs11js.CKM_AES_GCM,
  parameter: {
    type: pkcs11js.CK_PARAMS_AES_GCM_v240,
    iv: IV,
    ivBits: 8 * IV.length,
    aad: AAD,
    tagBits: 128,
  },
}

function encrypt(key: Handle, plaintext: Buffer): Buffer {
  pkcs11.C_EncryptInit(session, gcm, key)
  return pkcs11.C_Encrypt(session, plaintext, ROOM)
}

function operationOf(call: MeasuredCall, keys: Keys): () => unknown {
  const plaintext = randomBytes(call.bytes)
  const { AES: key } = keys
  switch (call.rpc) {
    case 'Encrypt':
      return () => encrypt(key, plaintext)
    case 'Decrypt': {
      const opened = Buffer.alloc(8192)
      const sealed = Buffer.from(encrypt(key, plaintext))
      return () => {
        pkcs11.C_DecryptInit(session, gcm, key)
        return pkcs11.C_Decrypt(session, sealed, opened)
      }
    }
    case 'GenerateDataKey':
      return () => {
        pkcs11.C_GenerateRandom(session, plaintext)
        return encrypt(key, plaintext)
      }
    case 'Sign':
      return () => {
        pkcs11.C_SignInit(session, PAIRS[call.spec].signs, keys[call.spec])
        return pkcs11.C_Sign(session, plaintext, ROOM)
      }
  }
}

function cost(operation: () => unknown): number {
  for (let at = 0; at < AT_ONCE; at++) operation()
  const endMs = performance.now() + Number(ms)
  const before = process.cpuUsage()
  let count = 0
  while (performance.now() < endMs) {
    for (let at = 0; at < AT_ONCE; at++) operation()
    count += AT_ONCE
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

/** Keys of all kinds, as token objects or as session objects. */
function generateKeys(areTokenObjects: boolean): Keys {
  return {
    AES: generateKey('AES', areTokenObjects),
    RSA_2048: generateKey('RSA_2048', areTokenObjects),
    ECC_NIST_P256: generateKey('ECC_NIST_P256', areTokenObjects),
  }
}

function costs(keys: Keys): Record<string, number> {
  return Object.fromEntries(CALLS.map((call) => [call.title, cost(operationOf(call, keys))]))
}

const tokenKeys = generateKeys(true)
const answer: RawCosts = {
  'token object': costs(tokenKeys),
  'session object': costs(generateKeys(false)),
}
for (const key of Object.values(tokenKeys)) pkcs11.C_DestroyObject(session, key)
process.stdout.write(JSON.stringify(answer), () => process.exit(0))
