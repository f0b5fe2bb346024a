/**
 * How many messages a backing key of suite 2 may still encrypt.
 *
 * Such a key encrypts with random 96-bit IVs itself, and NIST SP 800-38D, section 8.3, allows one
 * key 2^32 of them; keyslot stops at half of that. The count is kept durable by reserving blocks
 * of messages ahead: what a crash leaves unspent of a block is lost, never spent twice. Keys of
 * suite 1 need no count: each of their derived keys serves few messages.
 */

import type { Authorised } from '../model/authorised.ts'
import { KmsError } from '../model/failures.ts'
import { currentBackingKey, type Key } from '../model/key.ts'
import type { Services } from './change.ts'
import { rotateKey } from './rotate.ts'

/** The most messages that a backing key of suite 2 encrypts. */
export const MESSAGES_MAX = 2 ** 31
/** How many messages are reserved at a time. */
export const MESSAGES_PER_BLOCK = 2 ** 16

/** How many backing keys' blocks are held: what is let go of costs another reservation. */
const BLOCKS_HELD = 100_000

/** The budget of all keys, as far as this process spends it. */
export interface MessageBudget {
  /**
   * Spends one message of a key's current backing key; to be asked before every encryption.
   *
   * @returns the key to encrypt under: the same one, or, if its backing key is spent, the same as
   *   it is after a rotation. At once and as it is for keys of suite 1.
   * @throws KmsError KeyUnavailableException if the backing key is spent and the rotation failed.
   */
  spend(key: Authorised<Key>): Authorised<Key> | Promise<Authorised<Key>>
}

/** What is left of the block of a backing key. */
interface Block {
  left: number
  /** Whether the backing key has encrypted all it may. */
  spent: boolean
  /** The reservation of the next block, while it is under way. */
  refill?: Promise<void>
}

/** The budget of the keys of a store. */
export function messageBudget(services: Services): MessageBudget {
  const blocks = new Map<string, Block>()
  const rotations = new Map<string, Promise<Authorised<Key>>>()

  const blockOf = (backingKeyId: string): Block => {
    const known = blocks.get(backingKeyId)
    // The one that has not been used for longest goes first: what it had left is lost.
    blocks.delete(backingKeyId)
    const [oldest] = blocks.keys()
    if (oldest !== undefined && blocks.size >= BLOCKS_HELD) blocks.delete(oldest)
    const block = known ?? { left: 0, spent: false }
    blocks.set(backingKeyId, block)
    return block
  }

  const spendReserved = async (key: Authorised<Key>): Promise<Authorised<Key>> => {
    const backingKeyId = currentBackingKey(key).id
    const block = blockOf(backingKeyId)
    // Again after each refill, since many callers may have waited for the same one.
    while (block.left === 0) {
      if (block.spent) return spendAfterRotation(key)
      block.refill ??= refill(services, backingKeyId, block).finally(() => {
        block.refill = undefined
      })
      await block.refill
    }
    block.left--
    return key
  }

  const spendAfterRotation = async (key: Authorised<Key>): Promise<Authorised<Key>> => {
    const rotation = rotations.get(key.keyId) ?? rotateSpent(services, key)
    rotations.set(key.keyId, rotation)
    const rotated = await rotation.finally(() => rotations.delete(key.keyId))
    return spend(rotated)
  }

  const spend = (key: Authorised<Key>) => {
    const { id, suite } = currentBackingKey(key)
    if (suite !== 2) return key
    const block = blocks.get(id)
    if (block === undefined || block.left === 0) return spendReserved(key)
    block.left--
    return key
  }

  return { spend }
}

async function refill({ store }: Services, backingKeyId: string, block: Block): Promise<void> {
  const reserved = await store.reserveMessages(backingKeyId, MESSAGES_PER_BLOCK)
  if (reserved > MESSAGES_MAX) block.spent = true
  else block.left += MESSAGES_PER_BLOCK
}

/** The key with a backing key that is not spent: another one has rotated it, or this rotates it. */
async function rotateSpent(services: Services, key: Authorised<Key>): Promise<Authorised<Key>> {
  const { store, log } = services
  const spent = currentBackingKey(key)
  const now = await store.keys.find(key.keyId)
  if (now !== undefined && currentBackingKey(now).id !== spent.id) {
    return Object.freeze({ ...key, ...now })
  }
  log?.('warn', 'a backing key has encrypted all it may: rotating', { keyId: key.keyId })
  try {
    return await rotateKey(services, key, 'AUTOMATIC')
  } catch (cause) {
    log?.('error', 'cannot rotate a key that must not encrypt any more', {
      keyId: key.keyId,
      cause,
    })
    const message = `${key.arn} has to be rotated before it can encrypt again; try again later.`
    throw new KmsError('KeyUnavailableException', message, { cause })
  }
}
