/** A key as DescribeKey shows it. */

import { currentBackingKey, type Key } from '../../model/key.ts'
import { keySpecRow } from '../../model/key-specs.ts'
import type { Operations } from '../operation.ts'

type KeyMetadata = NonNullable<Operations['DescribeKey']['response']['keyMetadata']>

/** The key's metadata. https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html */
export function keyMetadata(key: Key): KeyMetadata {
  const { encryptionAlgorithms } = keySpecRow(key.spec)
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
    encryptionAlgorithms: [...encryptionAlgorithms],
    multiRegion: false,
    currentKeyMaterialId:
      key.spec === 'SYMMETRIC_DEFAULT' ? currentBackingKey(key).materialId : undefined,
  }
}
