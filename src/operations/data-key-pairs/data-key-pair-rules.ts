/** What a request for a data key pair comes to. */

import type { EncryptionContext } from '../../model/encryption-context.ts'
import { fail } from '../../model/failures.ts'
import type { Key } from '../../model/key.ts'
import { type KeySpec, keySpecRow } from '../../model/key-specs.ts'
import { encryptionConditions, prepare } from '../crypto/algorithms.ts'
import type { Conditions } from '../operation.ts'

interface DataKeyPairRequest {
  readonly keyPairSpec?: KeySpec
  readonly encryptionContext: EncryptionContext
}

/** What policies may decide on. */
export function dataKeyPairConditions(request: DataKeyPairRequest): Conditions {
  const { keyPairSpec, encryptionContext } = request
  return {
    ...encryptionConditions({ encryptionAlgorithm: 'SYMMETRIC_DEFAULT', encryptionContext }),
    'kms:DataKeyPairSpec': keyPairSpec,
  }
}

/**
 * What the HSM is to be asked for.
 *
 * @throws KmsError InvalidKeyUsageException for a key that makes no data keys;
 *   UnsupportedOperationException for a spec of which keyslot makes no pairs.
 */
export function prepareDataKeyPair({ request, key }: { request: DataKeyPairRequest; key: Key }) {
  const { keyPairSpec: spec, encryptionContext } = request
  const { context } = prepare(key, { encryptionContext })
  if (spec === undefined) fail('ValidationException', 'KeyPairSpec must be given.')
  const { refused } = keySpecRow(spec)
  if (refused !== undefined) {
    fail('UnsupportedOperationException', `keyslot makes no pairs of ${spec}: ${refused}.`)
  }
  return { spec, context }
}
