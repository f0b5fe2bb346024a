/** A change of a key's metadata that must not overtake another. */

import type { Authorised } from '../../model/authorised.ts'
import { fail } from '../../model/failures.ts'
import type { Key, KeyState } from '../../model/key.ts'
import type { KeyChange, Store } from '../../store/store.ts'

/**
 * Changes a key, as long as its state is one in which the operation works: another call may have
 * changed it since the pipeline looked.
 *
 * @param states the states of the operation's need.
 * @throws KmsError ConflictException if another call has changed the state to one in which the
 *   operation does not work, or the key is being destroyed.
 */
export async function changeKey(
  store: Store,
  key: Authorised<Key>,
  states: readonly KeyState[],
  change: KeyChange,
): Promise<Key> {
  let from: KeyState = key.state
  for (;;) {
    const changed = await store.keys.change(key.keyId, from, change)
    if (changed !== undefined) return changed
    const state = (await store.keys.find(key.keyId))?.state
    if (state === undefined || state === from || !states.includes(state)) {
      fail('ConflictException', `${key.arn} is being changed by another request.`)
    }
    from = state
  }
}
