/** AWS's SDK for JavaScript, and the AWS Encryption SDK over it. */

import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  buildClient,
  CommitmentPolicy,
  getLocalCryptographicMaterialsCache,
  KmsKeyringNode,
  NodeCachingMaterialsManager,
} from '@aws-crypto/client-node'
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMS,
  type KMSClientConfig,
  type KMSServiceException,
  NotFoundException,
  paginateListKeys,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import { client, useClientStage } from './environment.ts'

useClientStage()

function connect(more: Partial<KMSClientConfig> = {}): KMS {
  const { endpoint, region, key } = client()
  return new KMS({ endpoint, region, credentials: key, ...more })
}

async function newKey(kms: KMS): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  return KeyMetadata?.Arn ?? ''
}

describe('@aws-sdk/client-kms', () => {
  test('encrypts, decrypts and describes', async () => {
    const kms = connect()
    const KeyId = await newKey(kms)
    const EncryptionContext = { purpose: 'plan', ['__proto__']: 'x', constructor: 'y' }
    const Plaintext = randomBytes(4096)
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId, Plaintext, EncryptionContext }),
    )
    const back = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
    expect(Buffer.from(back.Plaintext ?? []).equals(Plaintext)).toBe(true)
    expect(back).toMatchObject({ KeyId, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' })
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
    expect(KeyMetadata?.CreationDate).toBeInstanceOf(Date)
    expect(KeyMetadata).toMatchObject({ Arn: KeyId, Enabled: true, MultiRegion: false })
    const deleted = await kms.send(
      new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }),
    )
    expect(deleted.DeletionDate?.getTime()).toBeGreaterThan(Date.now() + 6 * 86_400_000)
  })

  test('pages through the keys', async () => {
    const kms = connect()
    const arns = [await newKey(kms), await newKey(kms)]
    const seen: (string | undefined)[] = []
    for await (const { Keys = [] } of paginateListKeys({ client: kms, pageSize: 1 }, {})) {
      expect(Keys.length).toBeLessThanOrEqual(1)
      seen.push(...Keys.map(({ KeyArn }) => KeyArn))
    }
    expect(seen).toEqual(expect.arrayContaining(arns))
    expect(new Set(seen).size).toBe(seen.length)
  })

  test('throws the exceptions of the model', async () => {
    const failure = await connect()
      .send(new DescribeKeyCommand({ KeyId: 'alias/none' }))
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(NotFoundException)
    expect((failure as KMSServiceException).$metadata).toMatchObject({
      httpStatusCode: 400,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      attempts: 1,
    })
    const stranger = connect({ credentials: { ...client().key, secretAccessKey: 'wrong' } })
    await expect(stranger.send(new DescribeKeyCommand({ KeyId: 'alias/a' }))).rejects.toMatchObject(
      {
        name: 'InvalidSignatureException',
      },
    )
  })

  test('corrects a clock that is an hour behind, by the date of our answer', async () => {
    const kms = connect({ systemClockOffset: -3_600_000 })
    const { Plaintext } = await kms.send(
      new GenerateDataKeyCommand({ KeyId: await newKey(kms), KeySpec: 'AES_256' }),
    )
    expect(Plaintext).toHaveLength(32)
  })
})

describe('the AWS Encryption SDK', () => {
  const { encrypt, encryptStream, decrypt, decryptStream } = buildClient(
    CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  )
  const clientProvider = () => connect()
  const context = { purpose: 'backup', tenant: '42' }

  test('encrypts 10 MB under two keys, and either decrypts', { timeout: 60_000 }, async () => {
    const kms = connect()
    const [one, two] = [await newKey(kms), await newKey(kms)]
    const plain = randomBytes(10 * 1024 * 1024)
    const both = new KmsKeyringNode({ clientProvider, generatorKeyId: one, keyIds: [two] })
    const sealed = await through(
      plain,
      encryptStream(both, { encryptionContext: context, frameLength: 65_536 }),
    )
    expect(sealed.length).toBeGreaterThan(plain.length)
    for (const keyId of [one, two]) {
      const own = new KmsKeyringNode({ clientProvider, keyIds: [keyId] })
      const opened = await through(sealed, decryptStream(own))
      expect(opened.equals(plain)).toBe(true)
    }
    const other = new KmsKeyringNode({ clientProvider, keyIds: [await newKey(kms)] })
    await expect(decrypt(other, sealed.subarray(0, 100_000))).rejects.toThrow()
  })

  test('asks once for many messages, with the caching materials manager', async () => {
    const keyId = await newKey(connect())
    const backingMaterials = new KmsKeyringNode({ clientProvider, generatorKeyId: keyId })
    const cached = new NodeCachingMaterialsManager({
      backingMaterials,
      cache: getLocalCryptographicMaterialsCache(100),
      maxAge: 60_000,
      maxMessagesEncrypted: 10,
    })
    const asked = () =>
      client()
        .service.auditRecords()
        .filter(({ resources }) => resources[0]?.ARN === keyId)
        .map(({ eventName }) => eventName)
    for (const message of ['one', 'two', 'three']) {
      const { result } = await encrypt(cached, message, {
        encryptionContext: context,
        plaintextLength: 10,
      })
      const { plaintext, messageHeader } = await decrypt(cached, result)
      expect(plaintext.toString()).toBe(message)
      expect(messageHeader.encryptionContext).toMatchObject(context)
    }
    expect(asked()).toEqual(['GenerateDataKey', 'Decrypt'])
  })
})

async function through(input: Buffer, transform: NodeJS.ReadWriteStream): Promise<Buffer> {
  const chunks: Buffer[] = []
  await pipeline(Readable.from(pieces(input)), transform, async (output) => {
    for await (const chunk of output) chunks.push(Buffer.from(chunk))
  })
  return Buffer.concat(chunks)
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}
