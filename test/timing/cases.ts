/** What is measured: pairs of calls of which nobody may tell by the clock which one it was. */

import { createHmac, randomBytes, randomInt } from 'node:crypto'
import { readHeaders, type SignedRequest } from '../../src/doors/aws/signature/request.ts'
import { createVerifier } from '../../src/doors/aws/signature/verify.ts'
import { prepareImport, wrappingKeyOf } from '../../src/lifecycle/import/wrapping-keys.ts'
import { isGrantToken, newGrantToken } from '../../src/model/grant-token.ts'
import { VerifyMac } from '../../src/operations/macs/verify-mac.ts'
import { EXPECTED } from '../doors/aws/expected.ts'
import { type AccessKey, sign } from '../doors/aws/sign.ts'
import { insertKey, newKey, temporaryStore } from '../store/fixture.ts'
import { paddingCases } from './padding.ts'
import type { TimingCase } from './timing-case.ts'

/** The cases, and how to tidy up after them. */
export interface TimingCases {
  readonly cases: readonly TimingCase[]
  end(): Promise<void>
}

const NOW_MS = Date.parse('2026-11-22T12:00:00Z')
const KNOWN: AccessKey = {
  accessKeyId: 'AKIDEXAMPLE000000001',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}
const MESSAGE = Buffer.from('attack at dawn')

/** Makes the cases. */
export async function timingCases(): Promise<TimingCases> {
  const imports = await importToken()
  const alone = [signature(), accessKey(), mac(), imports.timingCase, grantToken()]
  const cases = [...alone, ...paddingCases()]
  return { cases, end: imports.end }
}

/** The bytes with one of them changed at random: the first of a part, or its last. */
function wrongAt(bytes: Buffer, at: number): Buffer {
  const wrong = Buffer.from(bytes)
  wrong.writeUInt8(wrong.readUInt8(at) ^ randomInt(1, 256), at)
  return wrong
}

function ends(bytes: Buffer, from: number, second: boolean): Buffer {
  return wrongAt(bytes, second ? bytes.length - 1 : from)
}

/** Found already: the lookup is the store's, and no part of what is measured. */
const found = { known: Promise.resolve(KNOWN), unknown: Promise.resolve(undefined) }
const verifier = createVerifier({
  clock: () => NOW_MS,
  find: (id) => (id === KNOWN.accessKeyId ? found.known : found.unknown),
})

function signedBy(accessKeyId: string): Readonly<Record<string, string>> {
  const key = { ...KNOWN, accessKeyId }
  const body = '{"KeyId":"alias/a","Plaintext":"YWI="}'
  return sign(key, { operation: 'Encrypt', body, host: '127.0.0.1:4771', timeMs: NOW_MS }).headers
}

const BODY = Buffer.from('{"KeyId":"alias/a","Plaintext":"YWI="}')

function requestOf(headers: Readonly<Record<string, string>>): SignedRequest {
  return {
    method: 'POST',
    target: '/',
    headers: readHeaders(Object.entries(headers).flat()),
    body: BODY,
  }
}

function signature(): TimingCase {
  const headers = signedBy(KNOWN.accessKeyId)
  const { authorization = '' } = headers
  const at = authorization.indexOf('Signature=') + 'Signature='.length
  const right = Buffer.from(authorization.slice(at), 'hex')
  return {
    name: 'signature: wrong at its first byte, or at its last',
    prepare(second) {
      const wrong = ends(right, 0, second).toString('hex')
      const request = requestOf({ ...headers, authorization: authorization.slice(0, at) + wrong })
      return () => verifier.verify(request, EXPECTED)
    },
  }
}

function accessKey(): TimingCase {
  const known = signedBy(KNOWN.accessKeyId)
  const unknown = signedBy(KNOWN.accessKeyId.replace(/.$/, '9'))
  return {
    name: 'access key: known, or not; a wrong signature',
    prepare(second) {
      const headers = second ? unknown : known
      const authorization =
        (headers.authorization ?? '').slice(0, -64) + randomBytes(32).toString('hex')
      const request = requestOf({ ...headers, authorization })
      return () => verifier.verify(request, EXPECTED)
    },
  }
}

function mac(): TimingCase {
  const right = createHmac('sha256', randomBytes(32)).update(MESSAGE).digest()
  const key = newKey({ spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC' })
  // The token's part is the same for both.
  const hsm = { mac: async () => right }
  return {
    name: 'MAC: wrong at its first byte, or at its last',
    prepare(second) {
      const request = {
        message: MESSAGE,
        mac: ends(right, 0, second),
        macAlgorithm: 'HMAC_SHA_256',
      }
      const given = { request, key, hsm, limits: {} } as never
      return () => VerifyMac.run(given)
    },
  }
}

/** Of a real store, in which the wrapping key is. */
async function importToken(): Promise<{ timingCase: TimingCase; end(): Promise<void> }> {
  const { store, end } = await temporaryStore()
  const clock = () => NOW_MS
  const key = (await insertKey(store)) as never
  const objects = { makeWrappingKey: async () => Buffer.alloc(0) }
  const services = { store, clock, objects } as never
  const how = { algorithm: 'RSAES_OAEP_SHA_256', spec: 'RSA_2048' } as const
  const { importToken: right } = await prepareImport(services, key, how)
  // A version and the id of the wrapping key stand before the secret.
  const secretAt = 17
  return {
    end,
    timingCase: {
      name: 'import token: wrong at the first byte of its secret, or at its last',
      prepare(second) {
        const token = ends(right, secretAt, second)
        return () => wrappingKeyOf(services, key, token)
      },
    },
  }
}

function grantToken(): TimingCase {
  const binding = {
    grantId: randomBytes(32).toString('hex'),
    keyId: '1234abcd-12ab-34cd-56ef-1234567890ab',
    account: '111122223333',
    tokenKey: randomBytes(32).toString('hex'),
  }
  const right = Buffer.from(newGrantToken(binding), 'base64url')
  // A version, the id of the grant and a nonce stand before the MAC.
  const macAt = 1 + 32 + 16
  return {
    name: 'grant token: wrong at the first byte of its MAC, or at its last',
    prepare(second) {
      const token = ends(right, macAt, second).toString('base64url')
      return () => {
        if (isGrantToken(token, binding)) throw new Error('a wrong token was taken')
      }
    },
  }
}
