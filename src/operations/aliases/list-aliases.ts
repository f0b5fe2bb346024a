/** ListAliases. */

import type { Operations } from '../operation.ts'
import { account, anyState, maybeKey, operation } from '../operation.ts'
import { page } from '../page.ts'

type Request = Operations['ListAliases']['request']

/**
 * Lists aliases: all of the caller's account and Region, or those of one key. The permission is
 * the account's; a key that is named must exist.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html
 */
export const ListAliases = operation('ListAliases', {
  needs: {
    account: account(),
    key: maybeKey<Request>(
      ({ keyId }) => (keyId === undefined ? undefined : { text: keyId, aliases: false }),
      { states: anyState, grantable: false },
    ),
  },
  changes: false,

  async run({ request, account, key, store }) {
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
