/** A change of a key's metadata that must not overtake another. */

import type { Authorised } from '../../model/authorised.ts'
import { fail } from '../../model/failures.ts'
import type { Key } from '../../model/key.ts'
import type { KeyChange, Store } from '../../store/store.ts'

/**
 * Changes a key, if its state is still the one that the pipeline found fit.
 *
 * @throws KmsError ConflictException if another call has changed the state meanwhile.
 */
export async function changeKey(
  store: Store,
  key: Authorised<Key>,
  change: KeyChange,
): Promise<Key> {
  const changed = await store.keys.change(key.keyId, key.state, change)
  return changed ?? fail('ConflictException', `${key.arn} is being changed by another request.`)
}
