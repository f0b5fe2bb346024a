/**
 * A sound request for each operation of AWS KMS, and the keys that they speak of: each row of the
 * table of errors is one of them with something wrong.
 */

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { PlainMessage } from '../../../../src/contract/wire.ts'
import type { RpcName } from '../../../../src/service.ts'
import { wrap } from '../../../operations/import/material.ts'
import type { Door } from '../doors.ts'
import { PLAN, type Saved } from '../scenario.ts'

/** A request by the names of its members. */
export type Request = Readonly<Record<string, unknown>>

/** The kinds of keys: each is there enabled, disabled and about to be deleted. */
const KINDS = {
  symmetric: {},
  signing: { keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' },
  mac: { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' },
  agreeing: { keySpec: 'ECC_NIST_P256', keyUsage: 'KEY_AGREEMENT' },
  external: { origin: 'EXTERNAL' },
} as const

/** A kind of key. */
export type Kind = keyof typeof KINDS

/** The id of a key of this kind. */
export const enabledKey = (kind: Kind): string => `$${kind}.keyId`
/** The id of a disabled key of this kind. */
export const disabledKey = (kind: Kind): string => `$${kind}-disabled.keyId`
/** The id of a key of this kind that waits for its deletion. */
export const deletedKey = (kind: Kind): string => `$${kind}-deleted.keyId`

const ON_KEY = { keyId: enabledKey('symmetric') }
const ECDSA = { message: PLAN, signingAlgorithm: 'ECDSA_SHA_256' }
const MAC = { message: PLAN, macAlgorithm: 'HMAC_SHA_256' }
const ROOT = 'arn:aws:iam::111122223333:root'
/** A policy by which the account may do all that it could before. */
export const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: {
    Effect: 'Allow',
    Principal: { AWS: ROOT },
    Action: 'kms:*',
    Resource: '*',
  },
})

/** The operations of AWS KMS that keyslot has, with a sound request. */
export const REQUESTS = {
  CreateKey: {},
  DescribeKey: ON_KEY,
  ListKeys: {},
  UpdateKeyDescription: { ...ON_KEY, description: 'other' },
  EnableKey: ON_KEY,
  DisableKey: ON_KEY,
  ScheduleKeyDeletion: ON_KEY,
  CancelKeyDeletion: { keyId: deletedKey('symmetric') },
  CreateAlias: { aliasName: 'alias/new', targetKeyId: ON_KEY.keyId },
  UpdateAlias: { aliasName: 'alias/known', targetKeyId: ON_KEY.keyId },
  DeleteAlias: { aliasName: 'alias/known' },
  ListAliases: {},
  TagResource: { ...ON_KEY, tags: [{ tagKey: 'a', tagValue: 'b' }] },
  UntagResource: { ...ON_KEY, tagKeys: ['a'] },
  ListResourceTags: ON_KEY,
  GetKeyPolicy: ON_KEY,
  PutKeyPolicy: { ...ON_KEY, policy: POLICY },
  ListKeyPolicies: ON_KEY,
  CreateGrant: { ...ON_KEY, granteePrincipal: ROOT, operations: ['Encrypt'] },
  ListGrants: ON_KEY,
  ListRetirableGrants: { retiringPrincipal: ROOT },
  RetireGrant: { ...ON_KEY, grantId: '$grant.grantId' },
  RevokeGrant: { ...ON_KEY, grantId: '$grant.grantId' },
  Encrypt: { ...ON_KEY, plaintext: PLAN },
  Decrypt: { ciphertextBlob: '$sealed.ciphertextBlob' },
  ReEncrypt: { ciphertextBlob: '$sealed.ciphertextBlob', destinationKeyId: ON_KEY.keyId },
  GenerateDataKey: { ...ON_KEY, keySpec: 'AES_256' },
  GenerateDataKeyWithoutPlaintext: { ...ON_KEY, keySpec: 'AES_256' },
  GenerateDataKeyPair: { ...ON_KEY, keyPairSpec: 'ECC_NIST_P256' },
  GenerateDataKeyPairWithoutPlaintext: { ...ON_KEY, keyPairSpec: 'ECC_NIST_P256' },
  Sign: { keyId: enabledKey('signing'), ...ECDSA },
  Verify: { keyId: enabledKey('signing'), ...ECDSA, signature: '$signed.signature' },
  GetPublicKey: { keyId: enabledKey('signing') },
  GenerateMac: { keyId: enabledKey('mac'), ...MAC },
  VerifyMac: { keyId: enabledKey('mac'), ...MAC, mac: '$mac-made.mac' },
  DeriveSharedSecret: {
    keyId: enabledKey('agreeing'),
    keyAgreementAlgorithm: 'ECDH',
    publicKey: '$peer.publicKey',
  },
  GenerateRandom: { numberOfBytes: 8 },
  EnableKeyRotation: ON_KEY,
  DisableKeyRotation: ON_KEY,
  GetKeyLastUsage: ON_KEY,
  GetKeyRotationStatus: ON_KEY,
  RotateKeyOnDemand: ON_KEY,
  ListKeyRotations: ON_KEY,
  GetParametersForImport: {
    keyId: enabledKey('external'),
    wrappingAlgorithm: 'RSAES_OAEP_SHA_256',
    wrappingKeySpec: 'RSA_2048',
  },
  ImportKeyMaterial: {
    keyId: enabledKey('external'),
    importToken: '$wrapping.importToken',
    encryptedKeyMaterial: '$wrapping.encryptedKeyMaterial',
    expirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
  },
  DeleteImportedKeyMaterial: { keyId: '$imported.keyId' },
} as const satisfies Partial<Record<RpcName, Request>>

/** An operation of the table. */
export type KmsName = keyof typeof REQUESTS

/** The operations of the table. */
export const NAMES = Object.keys(REQUESTS) as readonly KmsName[]

/** The operations that the token has a part in. */
export const USING_TOKEN: readonly KmsName[] = [
  'CreateKey',
  'Encrypt',
  'Decrypt',
  'ReEncrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'Sign',
  'GenerateMac',
  'VerifyMac',
  'DeriveSharedSecret',
  'GenerateRandom',
  'RotateKeyOnDemand',
  'GetParametersForImport',
  'ImportKeyMaterial',
  'DeleteImportedKeyMaterial',
]

/** The kind of key that an operation is about. */
export function kindOf(name: KmsName): Kind {
  const { keyId }: Request = REQUESTS[name]
  const kinds = Object.keys(KINDS) as Kind[]
  return kinds.find((kind) => keyId === enabledKey(kind)) ?? 'symmetric'
}

/** Makes the keys, and what else the requests speak of. */
export async function prepareKeys(door: Door): Promise<Saved> {
  const saved = new Map<string, PlainMessage>()
  const call = async (name: RpcName, request: Request) => {
    const { response, failure } = await door(name, request as PlainMessage)
    if (!response) throw new Error(`${name}: ${failure?.message}`)
    return response
  }
  for (const [kind, request] of Object.entries(KINDS)) {
    for (const state of ['', '-disabled', '-deleted']) {
      const { keyMetadata } = await call('CreateKey', request)
      saved.set(`${kind}${state}`, keyMetadata as PlainMessage)
    }
    const idOf = (state: string) => saved.get(`${kind}${state}`)?.keyId
    if (kind !== 'external') await call('DisableKey', { keyId: idOf('-disabled') })
    await call('ScheduleKeyDeletion', { keyId: idOf('-deleted') })
  }
  const idOf = (kind: Kind) => saved.get(kind)?.keyId
  const keyId = idOf('symmetric')
  await call('CreateAlias', {
    ...REQUESTS.CreateAlias,
    aliasName: 'alias/known',
    targetKeyId: keyId,
  })
  saved.set('grant', await call('CreateGrant', { ...REQUESTS.CreateGrant, keyId }))
  saved.set('sealed', await call('Encrypt', { ...REQUESTS.Encrypt, keyId }))
  saved.set('signed', await call('Sign', { ...REQUESTS.Sign, keyId: idOf('signing') }))
  saved.set('mac-made', await call('GenerateMac', { ...REQUESTS.GenerateMac, keyId: idOf('mac') }))
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  saved.set('peer', { publicKey: publicKey.export({ format: 'der', type: 'spki' }) })
  const { keyMetadata } = await call('CreateKey', KINDS.external)
  const imported = keyMetadata as PlainMessage
  saved.set('imported', imported)
  const parametersFor = async (keyId: unknown) => {
    const asked = { ...REQUESTS.GetParametersForImport, keyId }
    return withMaterial(await call('GetParametersForImport', asked))
  }
  const { importToken, encryptedKeyMaterial } = await parametersFor(imported.keyId)
  const material = { keyId: imported.keyId, importToken, encryptedKeyMaterial }
  await call('ImportKeyMaterial', { ...REQUESTS.ImportKeyMaterial, ...material })
  saved.set('wrapping', await parametersFor(idOf('external')))
  return saved
}

/** The answer of GetParametersForImport, with material wrapped as it says. */
export function withMaterial(answer: PlainMessage, material = randomBytes(32)): PlainMessage {
  const { wrappingAlgorithm } = REQUESTS.GetParametersForImport
  const encryptedKeyMaterial = wrap(material, answer.publicKey as Buffer, wrappingAlgorithm)
  return { ...answer, encryptedKeyMaterial }
}
