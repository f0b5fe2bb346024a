/**
 * Ciphertexts whose padding is wrong in every way there is: all get one answer, and one line of the
 * audit log, so that nobody is told what is wrong (Manger, "A Chosen Ciphertext Attack on RSA OAEP",
 * CRYPTO 2001). `KEYSLOT_VECTORS=full` sends ten thousand of each algorithm.
 */

import { constants, createPublicKey, type KeyObject, publicEncrypt, randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { KeyslotError } from '../../../src/client/error.ts'
import { encoded, spoiltBlocks } from '../../vectors/oaep-blocks.ts'
import { isFull } from '../../vectors/wycheproof.ts'
import { call, newKey, service, useService } from '../service.ts'

useService()

const BLOCK_BYTES = 256
const TOTAL = isFull ? 10_000 : 200
const AT_ONCE = 8
const ALGORITHMS = [
  ['RSAES_OAEP_SHA_1', 'sha1'],
  ['RSAES_OAEP_SHA_256', 'sha256'],
] as const

let keyId: string
let key: KeyObject

beforeAll(async () => {
  ;({ keyId } = await newKey({ keySpec: 'RSA_2048', keyUsage: 'ENCRYPT_DECRYPT' }))
  const { publicKey } = await call('GetPublicKey', { keyId })
  key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
})

/** The ciphertext of a block as it stands. */
const encrypt = (block: Buffer) => publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, block)

describe.each(ALGORITHMS)('%s', (encryptionAlgorithm, hash) => {
  const decrypt = (ciphertextBlob: Buffer) =>
    call('Decrypt', { keyId, ciphertextBlob, encryptionAlgorithm })

  test('a block that is made here and has nothing wrong decrypts', async () => {
    for (const bytes of [1, 32, 100]) {
      const message = randomBytes(bytes)
      const { plaintext } = await decrypt(encrypt(encoded(hash, BLOCK_BYTES, { message })))
      expect(plaintext).toEqual(message)
    }
  })

  test(`${TOTAL} wrong ones get one answer and one audit record`, {
    timeout: 600_000,
  }, async () => {
    const wrong: Readonly<Record<string, () => Buffer>> = {
      ...Object.fromEntries(
        Object.entries(spoiltBlocks(hash, BLOCK_BYTES)).map(([what, make]) => [
          what,
          () => encrypt(make()),
        ]),
      ),
      'another length': () => {
        const bytes = 1 + (randomBytes(4).readUInt32BE() % 512)
        return randomBytes(bytes === BLOCK_BYTES ? BLOCK_BYTES + 1 : bytes)
      },
      'a number above the modulus': () => Buffer.alloc(BLOCK_BYTES, 0xff),
    }
    const makers = Object.values(wrong)
    const recorded = service().auditRecords().length
    const answers = new Set<string>()
    for (let sent = 0; sent < TOTAL; sent += AT_ONCE) {
      const now = Array.from({ length: AT_ONCE }, (_, at) => makers[(sent + at) % makers.length])
      const all = now.flatMap((make) => (make ? decrypt(make()).then(() => 'opened', told) : []))
      for (const answer of await Promise.all(all)) answers.add(answer)
    }
    expect([...answers]).toEqual([
      'InvalidCiphertextException: The ciphertext is not valid. (gRPC 3)',
    ])
    const records = service().auditRecords().slice(recorded)
    const shapes = new Set(records.map(shapeOf))
    console.log(`${encryptionAlgorithm}: ${records.length} wrong paddings, ${answers.size} answer`)
    expect(records.length).toBeGreaterThanOrEqual(TOTAL)
    expect([...shapes]).toHaveLength(1)
  })
})

/** All that a caller can see of a failure, but the id of the call. */
function told({ name, message, grpcStatus }: KeyslotError): string {
  return `${name}: ${message} (gRPC ${grpcStatus})`
}

/** A record without what differs between any two calls. */
function shapeOf(record: object): string {
  const own = new Set(['eventTime', 'requestID', 'eventID'])
  return JSON.stringify(Object.entries(record).filter(([name]) => !own.has(name)))
}
