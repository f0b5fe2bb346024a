/** Errors of what keys are used for: encryption, data keys, signatures, MACs, agreement. */

import type { Step } from '../scenario.ts'
import { enabledKey, type KmsName, kindOf } from './requests.ts'
import { asked, each, type Row, row, rows } from './rows.ts'

const ENCRYPTING: readonly KmsName[] = [
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
]
const PAIRS: readonly KmsName[] = ['GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext']
/** What is done with the material of the key that `keyId` names. */
const NEEDING_TOKEN: readonly KmsName[] = [
  ...ENCRYPTING,
  'Sign',
  'GenerateMac',
  'VerifyMac',
  'DeriveSharedSecret',
]
/** What takes tokens of grants, and dry runs. */
const WITH_TOKENS: readonly KmsName[] = [
  ...ENCRYPTING,
  'Decrypt',
  'ReEncrypt',
  'Sign',
  'Verify',
  'GetPublicKey',
  'GenerateMac',
  'VerifyMac',
  'DeriveSharedSecret',
  'CreateGrant',
]
const REHEARSED: readonly KmsName[] = [
  ...WITH_TOKENS.filter((name) => name !== 'GetPublicKey'),
  'RetireGrant',
  'RevokeGrant',
]
const NO_CIPHERTEXT = { ciphertextBlob: Buffer.from('no ciphertext') }
const ANOTHER = Buffer.from('attack at noon')
const NEW_KEYS = {
  symmetric: {},
  signing: { keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' },
  mac: { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' },
  agreeing: { keySpec: 'ECC_NIST_P256', keyUsage: 'KEY_AGREEMENT' },
  external: {},
} as const
const own = (name: KmsName): Step => ({
  call: 'CreateKey',
  request: NEW_KEYS[kindOf(name)],
  save: 'own',
})
const OWN = { keyId: '$own.keyMetadata.keyId' }

/** The rows. */
export const CRYPTOGRAPHY_ROWS: readonly Row[] = [
  ...rows('InvalidKeyUsageException', {
    ...each([...ENCRYPTING, 'Decrypt'], () => ({ keyId: enabledKey('signing') })),
    ReEncrypt: { destinationKeyId: enabledKey('signing') },
    ...each(['Sign', 'Verify', 'GenerateMac', 'VerifyMac', 'DeriveSharedSecret'], () => ({
      keyId: enabledKey('symmetric'),
    })),
  }),
  ...rows(
    'InvalidGrantTokenException',
    each(WITH_TOKENS, () => ({ grantTokens: ['none'] })),
  ),
  ...rows(
    'DryRunOperationException',
    each(REHEARSED, () => ({ dryRun: true })),
  ),
  ...rows('UnsupportedOperationException', {
    ...each(PAIRS, () => ({ keyPairSpec: 'SM2' })),
    GetPublicKey: { keyId: enabledKey('symmetric') },
  }),
  ...rows('InvalidCiphertextException', { Decrypt: NO_CIPHERTEXT, ReEncrypt: NO_CIPHERTEXT }),
  ...rows('KMSInvalidSignatureException', { Verify: { message: ANOTHER } }),
  ...rows('KMSInvalidMacException', { VerifyMac: { message: ANOTHER } }),
  row('IncorrectKeyException', own('Decrypt'), asked('Decrypt', OWN)),
  row('IncorrectKeyException', own('ReEncrypt'), asked('ReEncrypt', { sourceKeyId: OWN.keyId })),
  ...NEEDING_TOKEN.map((name) => {
    return row('KeyUnavailableException', own(name), { ...asked(name, OWN), lost: true })
  }),
  row('KeyUnavailableException', own('Decrypt'), asked('Encrypt', OWN, 'its'), {
    ...asked('Decrypt', { ciphertextBlob: '$its.ciphertextBlob' }),
    lost: true,
  }),
  row('KeyUnavailableException', own('ReEncrypt'), {
    ...asked('ReEncrypt', { destinationKeyId: OWN.keyId }),
    lost: true,
  }),
]
