/**
 * Wycheproof's vectors of ECDH, through the API: each private key is imported, and agrees with the
 * public keys of its vectors.
 */

import { createECDH, createPrivateKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { importInto, newExternalKey } from '../operations/import/material.ts'
import { call, useService } from '../operations/service.ts'
import { FILES } from './files.ts'
import { groupsOf, isFull, missing, report, Tally, type Vector } from './wycheproof.ts'

interface AgreementVector extends Vector {
  readonly public: string
  readonly private: string
  readonly shared: string
}

interface Curve {
  readonly keySpec: 'ECC_NIST_P256' | 'ECC_NIST_P384' | 'ECC_NIST_P521'
  /** Its name in node:crypto, and in JSON web keys. */
  readonly name: string
  readonly webName: string
  readonly bytes: number
  /** Its object identifier in DER. */
  readonly identifier: string
}

const CURVES: Readonly<Record<string, Curve>> = {
  secp256r1: {
    keySpec: 'ECC_NIST_P256',
    name: 'prime256v1',
    webName: 'P-256',
    bytes: 32,
    identifier: '06082a8648ce3d030107',
  },
  secp384r1: {
    keySpec: 'ECC_NIST_P384',
    name: 'secp384r1',
    webName: 'P-384',
    bytes: 48,
    identifier: '06052b81040022',
  },
  secp521r1: {
    keySpec: 'ECC_NIST_P521',
    name: 'secp521r1',
    webName: 'P-521',
    bytes: 66,
    identifier: '06052b81040023',
  },
}
const EC_PUBLIC_KEY = '06072a8648ce3d0201'
/** Of what a usual run agrees with, every so manieth, and all that is invalid. */
const STEP = isFull ? 1 : 12

describe.skipIf(missing !== undefined)('ECDH of Wycheproof', () => {
  useService()

  test.for(Object.entries(CURVES))('%s', { timeout: 600_000 }, async ([name, curve], { task }) => {
    const files = FILES.agreement.filter((file) => file.includes(name))
    const sent = files.flatMap((file) => {
      const isPoint = file.includes('ecpoint')
      const ownForm = isPoint ? 'ImportKeyMaterial, DeriveSharedSecret of a point put into DER' : ''
      const tally = new Tally(file, ownForm || 'ImportKeyMaterial, DeriveSharedSecret')
      const vectors = groupsOf<AgreementVector>(file).flatMap(({ tests }) => tests)
      return vectors.map((vector) => ({ vector, isPoint, tally }))
    })
    const byKey = Map.groupBy(sent, ({ vector }) => scalarOf(vector, curve))
    const chosen = isFull ? new Set(byKey.keys()) : sampleOf(byKey)
    for (const [scalar, tests] of byKey) {
      const keyId = chosen.has(scalar) ? await imported(scalar, curve) : undefined
      for (const [index, { vector, isPoint, tally }] of tests.entries()) {
        const isChosen = vector.result === 'invalid' || index % STEP === 0
        if (keyId === undefined || !isChosen) tally.notInSample(vector)
        else await agree(keyId, vector, { curve, isPoint, tally })
      }
    }
    const tallies = [...new Set(sent.map(({ tally }) => tally))]
    report(task, `ECDH on ${name}`, tallies)
    for (const tally of tallies) expect(tally.row().validAccepted).toBeGreaterThan(0)
  })
})

/** The private keys of a usual run: with the most vectors, and with the most invalid ones. */
function sampleOf(
  byKey: ReadonlyMap<string, readonly { readonly vector: Vector }[]>,
): ReadonlySet<string> {
  const most = (count: (result: string) => boolean) => {
    const of = (scalar: string) =>
      (byKey.get(scalar) ?? []).filter(({ vector }) => count(vector.result)).length
    return [...byKey.keys()].toSorted((one, other) => of(other) - of(one))[0] ?? ''
  }
  return new Set([most(() => true), most((result) => result === 'invalid')])
}

async function agree(
  keyId: string,
  vector: AgreementVector,
  { curve, isPoint, tally }: { readonly curve: Curve; isPoint: boolean; readonly tally: Tally },
): Promise<void> {
  const given = Buffer.from(vector.public, 'hex')
  const publicKey = isPoint ? spkiOf(given, curve) : given
  const request = { keyId, keyAgreementAlgorithm: 'ECDH', publicKey } as const
  const answer = await call('DeriveSharedSecret', request).catch(({ name }: Error) => name)
  if (typeof answer === 'string') {
    expect(answer, `vector ${vector.tcId}`).toBe('ValidationException')
    tally.refused(vector)
    return
  }
  tally.accepted(vector)
  const what = `vector ${vector.tcId}: ${vector.comment}`
  expect(answer.sharedSecret.toString('hex'), what).toBe(vector.shared)
}

/** The private number of a vector, as long as a coordinate. */
function scalarOf({ private: scalar }: AgreementVector, { bytes }: Curve): string {
  return scalar.slice(-2 * bytes).padStart(2 * bytes, '0')
}

async function imported(scalar: string, { keySpec, name, webName, bytes }: Curve): Promise<string> {
  const ecdh = createECDH(name)
  const value = Buffer.from(scalar, 'hex')
  ecdh.setPrivateKey(value)
  const point = ecdh.getPublicKey()
  const key = {
    kty: 'EC',
    crv: webName,
    d: value.toString('base64url'),
    x: point.subarray(1, 1 + bytes).toString('base64url'),
    y: point.subarray(1 + bytes).toString('base64url'),
  }
  const material = createPrivateKey({ key, format: 'jwk' }).export({ type: 'pkcs8', format: 'der' })
  const { keyId } = await newExternalKey({ keySpec, keyUsage: 'KEY_AGREEMENT' })
  await importInto(keyId, material, {}, { wrappingAlgorithm: 'RSA_AES_KEY_WRAP_SHA_256' })
  return keyId
}

/** SubjectPublicKeyInfo of whatever stands for a point (RFC 5480, section 2). */
function spkiOf(point: Buffer, { identifier }: Curve): Buffer {
  const algorithm = der(0x30, Buffer.from(EC_PUBLIC_KEY + identifier, 'hex'))
  return der(0x30, algorithm, der(0x03, Buffer.of(0), point))
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const length = body.length < 0x80 ? [body.length] : [0x81, body.length]
  return Buffer.concat([Buffer.of(tag, ...length), body])
}
