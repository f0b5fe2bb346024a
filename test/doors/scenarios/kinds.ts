/** Scenarios that go through both doors: keys of every kind, and material from outside. */

import { generateKeyPairSync } from 'node:crypto'
import type { PlainMessage } from '../../../src/contract/wire.ts'
import type { RpcName } from '../../../src/service.ts'
import { withMaterial } from './errors/requests.ts'
import { PLAN, type Saved, type Scenario, type Step } from './scenario.ts'

const KEY = '$key.keyMetadata.keyId'
const ANOTHER = Buffer.from('attack at noon')

const newKey = (request: Readonly<Record<string, unknown>> = {}): Step => ({
  call: 'CreateKey',
  save: 'key',
  request,
})
const onKey = (call: RpcName, request: Readonly<Record<string, unknown>> = {}): Step => ({
  call,
  request: { keyId: KEY, ...request },
})

const peer = (namedCurve: string): Buffer =>
  generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'der', type: 'spki' })

/** Signs and verifies, a message and a digest, rightly and wrongly. */
const signing = (keySpec: string, signingAlgorithm: string, digest?: Buffer): Scenario => ({
  name: `signing with ${keySpec} by ${signingAlgorithm}`,
  steps: [
    newKey({ keySpec, keyUsage: 'SIGN_VERIFY' }),
    onKey('GetPublicKey'),
    { ...onKey('Sign', { message: PLAN, signingAlgorithm }), save: 'signed' },
    onKey('Verify', { message: PLAN, signingAlgorithm, signature: '$signed.signature' }),
    {
      ...onKey('Verify', { message: ANOTHER, signingAlgorithm, signature: '$signed.signature' }),
      fails: 'KMSInvalidSignatureException',
    },
    ...(digest ? digestSteps(signingAlgorithm, digest) : []),
    {
      ...onKey('Sign', { message: PLAN, signingAlgorithm: 'SM2DSA' }),
      fails: 'InvalidKeyUsageException',
    },
    {
      ...onKey('Sign', { message: PLAN, signingAlgorithm, dryRun: true }),
      fails: 'DryRunOperationException',
    },
    onKey('DisableKey'),
    { ...onKey('Sign', { message: PLAN, signingAlgorithm }), fails: 'DisabledException' },
    { ...onKey('GetPublicKey'), fails: 'DisabledException' },
  ],
})

function digestSteps(signingAlgorithm: string, message: Buffer): readonly Step[] {
  const asked = { message, messageType: 'DIGEST', signingAlgorithm }
  return [
    { ...onKey('Sign', asked), save: 'ofDigest' },
    onKey('Verify', { ...asked, signature: '$ofDigest.signature' }),
    { ...onKey('Sign', { ...asked, message: PLAN }), fails: 'ValidationException' },
  ]
}

const pairs: readonly Scenario[] = [
  'GenerateDataKeyPair' as const,
  'GenerateDataKeyPairWithoutPlaintext' as const,
].map((call) => ({
  name: call,
  steps: [
    newKey(),
    { ...onKey(call, { keyPairSpec: 'ECC_NIST_P256' }), save: 'pair' },
    { call: 'Decrypt', request: { ciphertextBlob: '$pair.privateKeyCiphertextBlob' } },
    onKey(call, { keyPairSpec: 'ECC_NIST_P384', encryptionContext: new Map([['a', 'b']]) }),
    { ...onKey(call, { keyPairSpec: 'SM2' }), fails: 'UnsupportedOperationException' },
    { ...onKey(call), fails: 'ValidationException' },
    {
      ...onKey(call, { keyPairSpec: 'ECC_NIST_P256', dryRun: true }),
      fails: 'DryRunOperationException',
    },
  ],
}))

const imported = (saved: Saved) =>
  withMaterial(saved.get('asked') as PlainMessage, Buffer.alloc(32, 7)).encryptedKeyMaterial

const asking: Step = {
  ...onKey('GetParametersForImport', {
    wrappingAlgorithm: 'RSAES_OAEP_SHA_256',
    wrappingKeySpec: 'RSA_2048',
  }),
  save: 'asked',
}
const importing = (more: Readonly<Record<string, unknown>> = {}): Step =>
  onKey('ImportKeyMaterial', {
    importToken: '$asked.importToken',
    encryptedKeyMaterial: imported,
    expirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    ...more,
  })

/** The scenarios. */
export const KIND_SCENARIOS: readonly Scenario[] = [
  signing('ECC_NIST_P256', 'ECDSA_SHA_256', Buffer.alloc(32, 1)),
  signing('ECC_SECG_P256K1', 'ECDSA_SHA_256', Buffer.alloc(32, 1)),
  signing('RSA_2048', 'RSASSA_PSS_SHA_256', Buffer.alloc(32, 1)),
  signing('ECC_NIST_EDWARDS25519', 'ED25519_SHA_512'),
  {
    name: 'encryption with an RSA pair',
    steps: [
      newKey({ keySpec: 'RSA_2048', keyUsage: 'ENCRYPT_DECRYPT' }),
      {
        ...onKey('Encrypt', { plaintext: PLAN, encryptionAlgorithm: 'RSAES_OAEP_SHA_1' }),
        save: 'sealed',
      },
      onKey('Decrypt', {
        ciphertextBlob: '$sealed.ciphertextBlob',
        encryptionAlgorithm: 'RSAES_OAEP_SHA_1',
      }),
      {
        ...onKey('Encrypt', { plaintext: PLAN }),
        fails: 'InvalidKeyUsageException',
      },
      {
        ...onKey('Decrypt', {
          ciphertextBlob: Buffer.alloc(255),
          encryptionAlgorithm: 'RSAES_OAEP_SHA_1',
        }),
        fails: 'InvalidCiphertextException',
      },
    ],
  },
  {
    name: 'MACs',
    steps: [
      newKey({ keySpec: 'HMAC_384', keyUsage: 'GENERATE_VERIFY_MAC' }),
      { ...onKey('GenerateMac', { message: PLAN, macAlgorithm: 'HMAC_SHA_384' }), save: 'made' },
      onKey('VerifyMac', { message: PLAN, macAlgorithm: 'HMAC_SHA_384', mac: '$made.mac' }),
      ...[ANOTHER, PLAN].map(
        (message, at): Step => ({
          ...onKey('VerifyMac', {
            message,
            macAlgorithm: 'HMAC_SHA_384',
            mac: at === 0 ? '$made.mac' : Buffer.alloc(1),
          }),
          fails: 'KMSInvalidMacException',
        }),
      ),
      {
        ...onKey('GenerateMac', { message: PLAN, macAlgorithm: 'HMAC_SHA_256' }),
        fails: 'InvalidKeyUsageException',
      },
      { ...onKey('GetPublicKey'), fails: 'UnsupportedOperationException' },
    ],
  },
  {
    name: 'agreement',
    steps: [
      newKey({ keySpec: 'ECC_NIST_P384', keyUsage: 'KEY_AGREEMENT' }),
      onKey('GetPublicKey'),
      onKey('DeriveSharedSecret', { keyAgreementAlgorithm: 'ECDH', publicKey: peer('P-384') }),
      {
        ...onKey('DeriveSharedSecret', { keyAgreementAlgorithm: 'ECDH', publicKey: peer('P-256') }),
        fails: 'ValidationException',
      },
      {
        ...onKey('DeriveSharedSecret', { keyAgreementAlgorithm: 'ECDH', publicKey: PLAN }),
        fails: 'ValidationException',
      },
    ],
  },
  ...pairs,
  {
    name: 'material from outside',
    steps: [
      newKey({ origin: 'EXTERNAL' }),
      { ...onKey('Encrypt', { plaintext: PLAN }), fails: 'KMSInvalidStateException' },
      asking,
      importing(),
      onKey('DescribeKey'),
      { ...onKey('Encrypt', { plaintext: PLAN }), save: 'sealed' },
      { ...importing(), fails: 'InvalidImportTokenException' },
      { ...onKey('EnableKeyRotation'), fails: 'UnsupportedOperationException' },
      onKey('DeleteImportedKeyMaterial'),
      {
        call: 'Decrypt',
        request: { ciphertextBlob: '$sealed.ciphertextBlob' },
        fails: 'KMSInvalidStateException',
      },
      asking,
      { ...importing({ expirationModel: 'KEY_MATERIAL_EXPIRES' }), fails: 'ValidationException' },
      importing(),
      { call: 'Decrypt', request: { ciphertextBlob: '$sealed.ciphertextBlob' } },
      onKey('ListKeyRotations', { includeKeyMaterial: 'ALL_KEY_MATERIAL' }),
    ],
  },
]
