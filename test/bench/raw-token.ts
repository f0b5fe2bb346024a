/**
 * The token alone: the same cryptography by pkcs11js in the same Node, with a key that is a token
 * object, as a first program would have it, and with a session object.
 * `node raw-token.ts <home> <ms>` with SOFTHSM2_CONF set; answers microseconds of CPU as JSON.
 */

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import pkcs11js, { type Handle } from 'pkcs11js'
import { loadConfig } from '../../src/config.ts'
import { findToken, loadModule, logIn, readPin } from '../../src/pkcs11/token/module.ts'
import { CALLS, type MeasuredCall } from './calls.ts'

/** CPU microseconds an operation, by the title of the call. */
export type RawCosts = Readonly<Record<'token object' | 'session object', Record<string, number>>>

const AT_ONCE = 200
const IV = Buffer.alloc(12, 1)
const AAD = Buffer.alloc(32, 2)
const ROOM = Buffer.alloc(8192)

const [home = '', ms = '200'] = process.argv.slice(2)
const config = loadConfig({ flags: { dev: true, home }, environment: {}, cwd: home })
const module = loadModule(config.hsm, () => {})
const { pkcs11 } = module
const token = findToken(module, config.hsm.tokenLabel)
await logIn(module, token, () => readPin({ file: join(home, 'hsm/pin') }))
const flags = pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION
const session = pkcs11.C_OpenSession(token.slot.handle, flags)

function generateKey(isTokenObject: boolean): Handle {
  return pkcs11.C_GenerateKey(session, { mechanism: pkcs11js.CKM_AES_KEY_GEN }, [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
    { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_AES },
    { type: pkcs11js.CKA_VALUE_LEN, value: 32 },
    { type: pkcs11js.CKA_TOKEN, value: isTokenObject },
    { type: pkcs11js.CKA_PRIVATE, value: true },
    { type: pkcs11js.CKA_SENSITIVE, value: true },
    { type: pkcs11js.CKA_EXTRACTABLE, value: false },
    { type: pkcs11js.CKA_ENCRYPT, value: true },
    { type: pkcs11js.CKA_DECRYPT, value: true },
  ])
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

function operationOf({ rpc, bytes }: MeasuredCall, key: Handle): () => unknown {
  const plaintext = randomBytes(bytes)
  const opened = Buffer.alloc(8192)
  const sealed = Buffer.from(encrypt(key, plaintext))
  switch (rpc) {
    case 'Encrypt':
      return () => encrypt(key, plaintext)
    case 'Decrypt':
      return () => {
        pkcs11.C_DecryptInit(session, gcm, key)
        return pkcs11.C_Decrypt(session, sealed, opened)
      }
    case 'GenerateDataKey':
      return () => {
        pkcs11.C_GenerateRandom(session, plaintext)
        return encrypt(key, plaintext)
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

function costs(key: Handle): Record<string, number> {
  return Object.fromEntries(CALLS.map((call) => [call.title, cost(operationOf(call, key))]))
}

const tokenKey = generateKey(true)
const answer: RawCosts = {
  'token object': costs(tokenKey),
  'session object': costs(generateKey(false)),
}
pkcs11.C_DestroyObject(session, tokenKey)
process.stdout.write(JSON.stringify(answer), () => process.exit(0))
