/**
 * Wycheproof's vectors of signatures: of a public key alone, so that they go to the operation Verify
 * behind the rules of the contract, of the message and of its digest, and not over the network.
 */

import { createPublicKey, hash } from 'node:crypto'
import { describe, expect, type TestContext, test } from 'vitest'
import { CONTRACT } from '../../src/contract/contract.ts'
import { validated } from '../../src/contract/validate.ts'
import { HASH_BYTES, type Hash } from '../../src/model/asymmetric/schemes.ts'
import { verifiesSignature } from '../../src/model/asymmetric/verify.ts'
import { KmsError } from '../../src/model/failures.ts'
import { type KeySpec, keySpecRow, type SigningAlgorithm } from '../../src/model/key-specs.ts'
import { Verify } from '../../src/operations/signatures/verify.ts'
import { FILES } from './files.ts'
import { type Group, groupsOf, isFull, missing, report, Tally, type Vector } from './wycheproof.ts'

interface SignatureVector extends Vector {
  readonly msg: string
  readonly sig: string
}

type SignatureGroup = Group<SignatureVector>

const BEHIND_THE_CONTRACT = 'Verify, of message and digest'
const VERIFICATION_ALONE = 'the verification of Verify alone, of message and digest'
const MESSAGE_BYTES_MAX = 4096
const CURVE_SPECS: Readonly<Record<string, KeySpec>> = {
  secp256k1: 'ECC_SECG_P256K1',
  secp256r1: 'ECC_NIST_P256',
  secp384r1: 'ECC_NIST_P384',
  secp521r1: 'ECC_NIST_P521',
}
const HASHES: Readonly<Record<string, Hash>> = {
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
}
/** A digest on a curve takes milliseconds, where it is verified without a token. */
const DIGESTS_STEP = isFull ? 1 : 5

describe.skipIf(missing !== undefined)('signatures of Wycheproof', () => {
  test('ECDSA', { timeout: 600_000 }, async ({ task }) => {
    await runAll(task, 'ECDSA', FILES.ecdsa, async (group, tally, file) => {
      const spec = curveSpecOf(file)
      const algorithm = algorithmOf('ECDSA', group)
      const isOffered = keySpecRow(spec).signingAlgorithms.includes(algorithm)
      const verify = isOffered ? verified : verifiedAlone
      const given = { spki: spkiOf(group), spec, algorithm, verify }
      for (const vector of group.tests) await check(vector, given, tally)
    })
  })

  test('ECDSA by its two halves, which the API does not take', async ({ task }) => {
    await runAll(task, 'ECDSA, r ‖ s', FILES.ecdsaHalves, async (group, tally, file) => {
      const spec = curveSpecOf(file)
      const [algorithm = 'ECDSA_SHA_256'] = keySpecRow(spec).signingAlgorithms
      for (const vector of group.tests) {
        const asked = { ...askedOf(vector), algorithm, messageType: 'RAW' } as const
        const answer = await verified(keyOf(spkiOf(group), spec), asked)
        expect(answer, `vector ${vector.tcId} of ${file}`).not.toBe('valid')
        tally.unfit(vector, 'r ‖ s, where the API has DER; sent all the same, none was accepted')
      }
    })
  })

  test('RSASSA-PKCS1-v1_5', async ({ task }) => {
    await runAll(task, 'RSASSA-PKCS1-v1_5', FILES.pkcs1, async (group, tally) => {
      const algorithm = algorithmOf('RSASSA_PKCS1_V1_5', group)
      const given = { spki: spkiOf(group), spec: rsaSpecOf(group), algorithm, verify: verified }
      for (const vector of group.tests) await check(vector, given, tally)
    })
  })

  test('RSASSA-PSS', async ({ task }) => {
    await runAll(task, 'RSASSA-PSS', FILES.pss, async (group, tally) => {
      const why = otherPss(group)
      const spki = rsaSpkiOf(group)
      const spec = rsaSpecOf(group)
      if (why === undefined) {
        const algorithm = algorithmOf('RSASSA_PSS', group)
        const given = { spki, spec, algorithm, verify: verified }
        for (const vector of group.tests) await check(vector, given, tally)
        return
      }
      for (const vector of group.tests) {
        for (const algorithm of ['SHA_256', 'SHA_384', 'SHA_512'] as const) {
          const asked = { ...askedOf(vector), algorithm: `RSASSA_PSS_${algorithm}` } as const
          const answer = await verified(keyOf(spki, spec), { ...asked, messageType: 'RAW' })
          expect(answer, `vector ${vector.tcId}`).not.toBe('valid')
        }
        tally.refused(vector, why)
      }
    })
  })

  test('Ed25519', async ({ task }) => {
    await runAll(task, 'Ed25519', FILES.ed25519, async (group, tally) => {
      const given = {
        spki: spkiOf(group),
        spec: 'ECC_NIST_EDWARDS25519',
        algorithm: 'ED25519_SHA_512',
        verify: verified,
      } as const
      for (const vector of group.tests) await check(vector, given, tally)
    })
  })
})

async function runAll(
  task: TestContext['task'],
  title: string,
  files: readonly string[],
  run: (group: SignatureGroup, tally: Tally, file: string) => Promise<void>,
): Promise<void> {
  const tallies: Tally[] = []
  for (const file of files) {
    const groups = groupsOf<SignatureVector>(file)
    const tally = new Tally(
      file,
      isOffered(file, groups) ? BEHIND_THE_CONTRACT : VERIFICATION_ALONE,
    )
    for (const group of groups) await run(group, tally, file)
    tallies.push(tally)
  }
  report(task, title, tallies)
}

/** Whether AWS pairs the curve of a file with its hash. */
function isOffered(file: string, [group]: readonly SignatureGroup[]): boolean {
  if (!FILES.ecdsa.some((each) => each === file) || group === undefined) return true
  return keySpecRow(curveSpecOf(file)).signingAlgorithms.includes(algorithmOf('ECDSA', group))
}

interface Asked {
  readonly message: Buffer
  readonly messageType: 'RAW' | 'DIGEST'
  readonly algorithm: SigningAlgorithm
  readonly signature: Buffer
}

type VerifyOne = (key: ReturnType<typeof keyOf>, asked: Asked) => Promise<string>

interface Given {
  readonly spki: Buffer
  readonly spec: KeySpec
  readonly algorithm: SigningAlgorithm
  readonly verify: VerifyOne
}

/** Holds what is said of a message and of its digest against each other, and against the vector. */
async function check(vector: SignatureVector, given: Given, tally: Tally): Promise<void> {
  const { spki, spec, algorithm, verify } = given
  const key = keyOf(spki, spec)
  const { message, signature } = askedOf(vector)
  const what = `vector ${vector.tcId} (${vector.comment}), of its digest`
  const answer = await verify(key, { message, messageType: 'RAW', algorithm, signature })
  const bits = /SHA_(256|384|512)$/.exec(algorithm)?.[1]
  const isEcdsa = algorithm.startsWith('ECDSA')
  let ofDigest: string | undefined
  if (algorithm !== 'ED25519_SHA_512' && (!isEcdsa || vector.tcId % DIGESTS_STEP === 0)) {
    const digest = hash(`sha${bits}`, message, 'buffer')
    const asked = { message: digest, messageType: 'DIGEST', algorithm, signature } as const
    ofDigest = await verify(key, asked)
  }
  if (answer === 'valid') {
    if (ofDigest !== undefined) expect(ofDigest, what).toBe('valid')
    tally.accepted(vector)
    return
  }
  const isOutOfBounds = message.length === 0 || message.length > MESSAGE_BYTES_MAX
  if (isOutOfBounds && vector.result === 'valid') {
    expect(answer).toBe('ValidationException')
    if (ofDigest !== undefined) expect(ofDigest, what).toBe('valid')
    const bounds = `the API takes 1 to ${MESSAGE_BYTES_MAX}`
    const instead = algorithm === 'ED25519_SHA_512' ? '' : ', and accepts them by their digest'
    tally.refused(vector, `of a message of ${message.length} bytes: ${bounds}${instead}`)
    return
  }
  if (ofDigest !== undefined) expect(ofDigest, what).not.toBe('valid')
  expect(['KMSInvalidSignatureException', 'ValidationException']).toContain(answer)
  tally.refused(vector)
}

/** What the operation answers behind the rules of the contract: `valid`, or the failure's name. */
async function verified(key: ReturnType<typeof keyOf>, asked: Asked): Promise<string> {
  const { algorithm: signingAlgorithm, ...rest } = asked
  try {
    const request = validated(CONTRACT.Verify.request, {
      keyId: key.keyId,
      signingAlgorithm,
      ...rest,
    })
    const { signatureValid } = await Verify.run({ request, key } as never)
    expect(signatureValid).toBe(true)
    return 'valid'
  } catch (cause) {
    if (cause instanceof KmsError) return cause.name
    throw cause
  }
}

/** For a curve that AWS has with another hash only: what Verify asks, without its rules. */
async function verifiedAlone(key: ReturnType<typeof keyOf>, asked: Asked): Promise<string> {
  const [backingKey] = key.backingKeys
  const publicKey = createPublicKey({ key: backingKey.publicKey, format: 'der', type: 'spki' })
  const { algorithm, message, messageType, signature } = asked
  const input = { message, isDigest: messageType === 'DIGEST' }
  const isValid = verifiesSignature(publicKey, algorithm, input, signature)
  return isValid ? 'valid' : 'KMSInvalidSignatureException'
}

/** A key, as far as Verify looks at it. */
function keyOf(publicKey: Buffer, spec: KeySpec) {
  const keyId = '00000000-0000-4000-8000-000000000000'
  const arn = `arn:aws:kms:eu-central-1:111122223333:key/${keyId}`
  return { keyId, arn, spec, usage: 'SIGN_VERIFY', backingKeys: [{ publicKey }] } as const
}

function askedOf({ msg, sig }: SignatureVector) {
  return { message: Buffer.from(msg, 'hex'), signature: Buffer.from(sig, 'hex') }
}

function spkiOf(group: SignatureGroup): Buffer {
  return Buffer.from(String(group.publicKeyDer), 'hex')
}

/** By its numbers: the keys of one file say in their form that they are for PSS, ours never do. */
function rsaSpkiOf(group: SignatureGroup): Buffer {
  const { modulus, publicExponent } = group.publicKey as Record<string, string>
  const number = (hex = '') =>
    Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url')
  const key = { kty: 'RSA', n: number(modulus), e: number(publicExponent) }
  return createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'der' })
}

function curveSpecOf(file: string): KeySpec {
  const spec = CURVE_SPECS[file.split('_')[1] ?? '']
  if (spec === undefined) throw new Error(`no curve in the name of ${file}`)
  return spec
}

function rsaSpecOf({ keySize }: SignatureGroup): KeySpec {
  return `RSA_${keySize as 2048 | 3072 | 4096}`
}

function algorithmOf(
  scheme: 'ECDSA' | 'RSASSA_PSS' | 'RSASSA_PKCS1_V1_5',
  { sha }: SignatureGroup,
): SigningAlgorithm {
  const name = String(sha).replace('-', '_') as 'SHA_256' | 'SHA_384' | 'SHA_512'
  return `${scheme}_${name}`
}

/** Why a signature is none of KMS's, whose salt is as long as the hash, and whose mask is by it. */
function otherPss({ sha, mgfSha, sLen }: SignatureGroup): string | undefined {
  const name = HASHES[String(sha)]
  if (name === undefined) return `of ${sha}: AWS signs by SHA-256, SHA-384 and SHA-512`
  if (mgfSha !== sha) return 'masked by another hash than that of the message'
  if (sLen === HASH_BYTES[name]) return undefined
  return 'with a salt that is not as long as the hash, as it is with AWS'
}
