/** What AWS KMS does and keyslot does not: refused with the reason, not as if there were no such. */

const CUSTOM_KEY_STORES = 'it has no custom key stores: its keys are in an HSM of yours already'
const MULTI_REGION = 'it has no multi-Region keys'
const ML_KEM = 'it speaks PKCS#11 up to version 3.1, and ML-KEM came with 3.2'

/** The operations of AWS's model that are in no contract of keyslot's, and why. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['ConnectCustomKeyStore', CUSTOM_KEY_STORES],
  ['CreateCustomKeyStore', CUSTOM_KEY_STORES],
  ['DeleteCustomKeyStore', CUSTOM_KEY_STORES],
  ['DescribeCustomKeyStores', CUSTOM_KEY_STORES],
  ['DisconnectCustomKeyStore', CUSTOM_KEY_STORES],
  ['UpdateCustomKeyStore', CUSTOM_KEY_STORES],
  ['ReplicateKey', MULTI_REGION],
  ['UpdatePrimaryRegion', MULTI_REGION],
  ['Encapsulate', ML_KEM],
  ['Decapsulate', ML_KEM],
])

/** Why keyslot does not offer an operation of AWS KMS; absent for any other name. */
export function whyNotOffered(name: string): string | undefined {
  return REASONS.get(name)
}
