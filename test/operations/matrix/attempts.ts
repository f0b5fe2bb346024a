/** How each operation is asked of a key, whatever its kind. */

import type { RpcName } from '../../../src/service.ts'
import { algorithmsOf, allAlgorithms, NOT_OFFERED } from './documents.ts'
import { freshName, type Subject } from './subjects.ts'

/** How an operation is asked; `undefined` where the state leaves nothing to ask with. */
type Ask = (subject: Subject) => object | undefined

const keyId = ({ keyId }: Subject) => ({ keyId })
const message = Buffer.from('of the matrix')

/** An algorithm of the key in this usage, or one of another key. */
function algorithm({ spec }: Subject, usage: string): string | undefined {
  const own = algorithmsOf(spec, usage).find((name) => !NOT_OFFERED.includes(name))
  return own ?? allAlgorithms(usage)[0]
}

const encryptionAlgorithm = (subject: Subject) => algorithm(subject, 'ENCRYPT_DECRYPT')
const signingAlgorithm = (subject: Subject) => algorithm(subject, 'SIGN_VERIFY')
const macAlgorithm = (subject: Subject) => algorithm(subject, 'GENERATE_VERIFY_MAC')

/** What does not change the key, but for `RotateKeyOnDemand`, which only adds to it. */
const LOOKING: Readonly<Record<string, Ask>> = {
  DescribeKey: keyId,
  GetKeyLastUsage: keyId,
  GetKeyPolicy: keyId,
  ListAliases: keyId,
  ListGrants: keyId,
  ListKeyPolicies: keyId,
  ListResourceTags: keyId,
  GetKeyRotationStatus: keyId,
  ListKeyRotations: keyId,
  GetPublicKey: keyId,
  SimulatePolicy: ({ keyId, refs }) => ({
    keyId,
    principalArn: refs.rootArn,
    action: 'kms:DescribeKey',
  }),
}

const CRYPTOGRAPHIC: Readonly<Record<string, Ask>> = {
  Encrypt: (subject) => ({
    ...keyId(subject),
    plaintext: message,
    encryptionAlgorithm: encryptionAlgorithm(subject),
  }),
  Decrypt: (subject) => ({
    ...keyId(subject),
    ciphertextBlob: subject.ciphertextBlob,
    encryptionAlgorithm: encryptionAlgorithm(subject),
  }),
  'ReEncrypt from': (subject) => ({
    sourceKeyId: subject.keyId,
    ciphertextBlob: subject.ciphertextBlob,
    sourceEncryptionAlgorithm: encryptionAlgorithm(subject),
    destinationKeyId: subject.refs.symmetric.keyId,
  }),
  'ReEncrypt to': (subject) => ({
    ciphertextBlob: subject.refs.ciphertextBlob,
    destinationKeyId: subject.keyId,
    destinationEncryptionAlgorithm: encryptionAlgorithm(subject),
  }),
  GenerateDataKey: ({ keyId }) => ({ keyId, keySpec: 'AES_256' }),
  GenerateDataKeyWithoutPlaintext: ({ keyId }) => ({ keyId, numberOfBytes: 16 }),
  GenerateDataKeyPair: ({ keyId }) => ({ keyId, keyPairSpec: 'ECC_NIST_P256' }),
  GenerateDataKeyPairWithoutPlaintext: ({ keyId }) => ({ keyId, keyPairSpec: 'ECC_NIST_P256' }),
  Sign: (subject) => ({
    ...keyId(subject),
    message,
    signingAlgorithm: signingAlgorithm(subject),
  }),
  Verify: (subject) => ({
    ...keyId(subject),
    message: subject.message,
    signature: subject.signature,
    signingAlgorithm: signingAlgorithm(subject),
  }),
  GenerateMac: (subject) => ({ ...keyId(subject), message, macAlgorithm: macAlgorithm(subject) }),
  VerifyMac: (subject) => ({
    ...keyId(subject),
    message: subject.message,
    mac: subject.mac,
    macAlgorithm: macAlgorithm(subject),
  }),
  DeriveSharedSecret: ({ keyId, peer }) => ({
    keyId,
    keyAgreementAlgorithm: 'ECDH',
    publicKey: peer,
  }),
}

const CHANGING: Readonly<Record<string, Ask>> = {
  UpdateKeyDescription: ({ keyId }) => ({ keyId, description: freshName() }),
  PutKeyPolicy: ({ keyId, refs: { policy } }) => ({ keyId, policy }),
  TagResource: ({ keyId }) => ({ keyId, tags: [{ tagKey: 'of', tagValue: freshName() }] }),
  UntagResource: ({ keyId }) => ({ keyId, tagKeys: ['of'] }),
  CreateAlias: ({ keyId }) => ({ targetKeyId: keyId, aliasName: freshName() }),
  // Away, and back.
  'UpdateAlias from': ({ aliases, siblingId }) => ({
    aliasName: aliases[0],
    targetKeyId: siblingId,
  }),
  'UpdateAlias to': ({ aliases, keyId }) => ({ aliasName: aliases.shift(), targetKeyId: keyId }),
  DeleteAlias: ({ aliases }) => ({ aliasName: aliases.pop() }),
  CreateGrant: ({ keyId, refs }) => ({
    keyId,
    granteePrincipal: refs.rootArn,
    operations: ['DescribeKey'],
    name: freshName(),
  }),
  RevokeGrant: ({ keyId, grantIds }) => withGrant(keyId, grantIds.pop()),
  RetireGrant: ({ arn, grantIds }) => withGrant(arn, grantIds.pop()),
  EnableKeyRotation: keyId,
  DisableKeyRotation: keyId,
  RotateKeyOnDemand: keyId,
  GetParametersForImport: ({ keyId, wrapping }) => ({ keyId, ...wrapping }),
  ImportKeyMaterial: (subject) => subject.importRequest(),
  DeleteImportedKeyMaterial: keyId,
  EnableKey: keyId,
  DisableKey: keyId,
  CancelKeyDeletion: keyId,
  ScheduleKeyDeletion: keyId,
}

/** No grant can be made of a key that has no material yet. */
function withGrant(keyId: string, grantId: string | undefined): object | undefined {
  return grantId === undefined ? undefined : { keyId, grantId }
}

/** In an order in which those that undo a state come last. */
export const ATTEMPTS: ReadonlyMap<string, Ask> = new Map(
  [LOOKING, CRYPTOGRAPHIC, CHANGING].flatMap((asks) => Object.entries(asks)),
)

/** The rpc of an entry: `ReEncrypt to` is `ReEncrypt`. */
export function rpcOf(operation: string): RpcName {
  return operation.split(' ')[0] as RpcName
}
