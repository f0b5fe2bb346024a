/** Wycheproof's vectors of RSAES-OAEP, through the API: each private key is imported, and decrypts. */

import { describe, expect, test } from 'vitest'
import type { OaepAlgorithm } from '../../src/model/key-specs.ts'
import { importInto, newExternalKey } from '../operations/import/material.ts'
import { call, useService } from '../operations/service.ts'
import { FILES } from './files.ts'
import { type Group, groupsOf, isFull, missing, report, Tally, type Vector } from './wycheproof.ts'

interface OaepVector extends Vector {
  readonly msg: string
  readonly ct: string
  readonly label: string
}

const ALGORITHMS: Readonly<Record<string, OaepAlgorithm>> = {
  'SHA-1': 'RSAES_OAEP_SHA_1',
  'SHA-256': 'RSAES_OAEP_SHA_256',
}
const SIZES = [2048, 3072, 4096] as const
/** How many groups of each file a usual run imports the key of, and how long that key is. */
const GROUPS = isFull ? Number.POSITIVE_INFINITY : 1
const BITS_MAX = isFull ? 4096 : 2048

describe.skipIf(missing !== undefined)('RSAES-OAEP of Wycheproof', () => {
  useService()

  test.for(FILES.oaep)('%s', { timeout: 600_000 }, async (file, { task }) => {
    const tally = new Tally(file, 'ImportKeyMaterial, Decrypt')
    let imports = 0
    for (const group of groupsOf<OaepVector>(file)) {
      const size = SIZES.find((bits) => bits === group.keySize)
      const algorithm = ALGORITHMS[String(group.sha)]
      if (size === undefined || algorithm === undefined) {
        const key = `of a key of ${group.keySize} bits: AWS has 2048, 3072 and 4096`
        const hash = `by ${group.sha}: AWS has SHA-1 and SHA-256`
        for (const vector of group.tests) tally.unfit(vector, size === undefined ? key : hash)
      } else if (imports === GROUPS || size > BITS_MAX) {
        for (const vector of group.tests) tally.notInSample(vector)
      } else {
        imports += 1
        await decryptAll(group, { size, algorithm, tally })
      }
    }
    report(task, file, [tally])
  })
})

async function decryptAll(
  group: Group<OaepVector>,
  given: {
    readonly size: (typeof SIZES)[number]
    readonly algorithm: OaepAlgorithm
    readonly tally: Tally
  },
): Promise<void> {
  const { size, algorithm: encryptionAlgorithm, tally } = given
  const keySpec = `RSA_${size}` as const
  const { keyId } = await newExternalKey({ keySpec, keyUsage: 'ENCRYPT_DECRYPT' })
  const material = Buffer.from(String(group.privateKeyPkcs8), 'hex')
  await importInto(keyId, material, {}, { wrappingAlgorithm: 'RSA_AES_KEY_WRAP_SHA_256' })
  for (const vector of group.tests) {
    const what = `vector ${vector.tcId}: ${vector.comment}`
    const ciphertextBlob = Buffer.from(vector.ct, 'hex')
    const request = { keyId, ciphertextBlob, encryptionAlgorithm }
    const answer = await call('Decrypt', request).catch((error: Error) => error)
    if (answer instanceof Error) {
      const isEmpty = ciphertextBlob.length === 0
      expect(answer, what).toMatchObject(
        isEmpty
          ? { name: 'ValidationException' }
          : { name: 'InvalidCiphertextException', message: 'The ciphertext is not valid.' },
      )
      tally.refused(vector, whyRefused(group, vector))
      continue
    }
    tally.accepted(vector)
    expect(answer.plaintext.toString('hex'), what).toBe(vector.msg)
  }
}

function whyRefused({ sha, mgfSha }: Group<OaepVector>, { label }: OaepVector) {
  if (mgfSha !== sha) return `masked by ${mgfSha}: AWS masks by the hash of the label`
  return label === '' ? undefined : 'with a label: AWS has none'
}
