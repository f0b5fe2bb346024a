/** ListAliases. */

import { type Place, parseKeyId } from '../../model/arn.ts'
import { fail } from '../../model/failures.ts'
import type { Key } from '../../model/key.ts'
import type { Store } from '../../store/store.ts'
import { account, operation } from '../operation.ts'
import { page } from '../page.ts'

/**
 * Lists aliases: all of the caller's account and Region, or those of one key. The permission is
 * the account's; a key that is named must exist.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html
 */
export const ListAliases = operation('ListAliases', {
  needs: { account: account() },
  changes: false,

  async run({ request, account, store }) {
    const key = await keyIn(store, account, request.keyId)
    const { items, ...rest } = await page({
      query: { operation: 'ListAliases', place: account, filter: key?.keyId },
      request,
      defaultLimit: 50,
      limitMax: 100,
      read: (wanted) =>
        store.aliases.list(
          { account: account.account, region: account.region, keyId: key?.keyId },
          wanted,
        ),
      keyOf: ({ name }) => name,
    })
    const aliases = items.map((item) => ({
      aliasName: item.name,
      aliasArn: item.arn,
      targetKeyId: item.targetKeyId,
      creationDate: new Date(item.createdMs),
      lastUpdatedDate: new Date(item.updatedMs),
    }))
    return { aliases, ...rest }
  },
})

/** The key of the account to whose aliases the list is narrowed; others are nobody's business. */
async function keyIn(store: Store, place: Place, keyId?: string): Promise<Key | undefined> {
  if (keyId === undefined) return undefined
  const named = parseKeyId(keyId, place)
  const key = await store.keys.find(named.keyId)
  const isHere = (at: Place | undefined) =>
    at?.account === place.account && at.region === place.region
  if (!isHere(key) || !isHere(named)) {
    fail('NotFoundException', `Key '${keyId}' does not exist`)
  }
  return key
}
