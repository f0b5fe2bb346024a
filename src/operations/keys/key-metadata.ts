/** A key as DescribeKey shows it. */

import type { Key } from '../../model/key.ts'
import { type KeyKind, keySpecRow } from '../../model/key-specs.ts'
import type { Operations } from '../operation.ts'

type KeyMetadata = NonNullable<Operations['DescribeKey']['response']['keyMetadata']>

/** The key's metadata. https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html */
export function keyMetadata(key: Key): KeyMetadata {
  return {
    awsAccountId: key.account,
    keyId: key.keyId,
    arn: key.arn,
    creationDate: new Date(key.createdMs),
    enabled: key.state === 'Enabled',
    description: key.description,
    keyUsage: key.usage,
    keyState: key.state,
    deletionDate: key.deletionMs === undefined ? undefined : new Date(key.deletionMs),
    origin: key.origin,
    keyManager: key.manager,
    keySpec: key.spec,
    customerMasterKeySpec: key.spec,
    ...algorithmsOf(key),
    multiRegion: false,
    ...expiry(key),
    currentKeyMaterialId:
      key.spec === 'SYMMETRIC_DEFAULT' ? key.backingKeys.at(-1)?.materialId : undefined,
  }
}

/** Of imported material: the earliest end of any. Nothing is said of material that is awaited. */
function expiry({ backingKeys }: Key): Pick<KeyMetadata, 'expirationModel' | 'validTo'> {
  const present = backingKeys.flatMap(({ imported }) => (imported?.isPresent ? [imported] : []))
  if (present.length === 0) return {}
  const ends = present.flatMap(({ validToMs }) => validToMs ?? [])
  if (ends.length === 0) return { expirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
  return { expirationModel: 'KEY_MATERIAL_EXPIRES', validTo: new Date(Math.min(...ends)) }
}

/** The algorithms that a key is used with: those of its spec that belong to its usage. */
export function algorithmsOf({ spec, usage }: KeyKind) {
  const row = keySpecRow(spec)
  return {
    encryptionAlgorithms: usage === 'ENCRYPT_DECRYPT' ? [...row.encryptionAlgorithms] : [],
    signingAlgorithms: usage === 'SIGN_VERIFY' ? [...row.signingAlgorithms] : [],
    macAlgorithms: usage === 'GENERATE_VERIFY_MAC' ? [...row.macAlgorithms] : [],
    keyAgreementAlgorithms: usage === 'KEY_AGREEMENT' ? [...row.keyAgreementAlgorithms] : [],
  }
}
