/** Pages that are joined. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CliError } from '../../src/cli/exit.ts'
import { itemsField, joinPages, type PageOptions } from '../../src/cli/rpc/pages.ts'
import { CONTRACT } from '../../src/contract/contract.ts'
import type { PlainMessage } from '../../src/contract/wire.ts'

const KEYS = Array.from({ length: 25 }, (_, index) => ({ keyId: `key-${index}` }))

/** A list in pages, as the service gives it. */
function listKeys(calls: PlainMessage[] = []) {
  return async (request: PlainMessage): Promise<PlainMessage> => {
    calls.push(request)
    const { limit = 10, marker = '0' } = request
    const from = Number(marker)
    const to = from + Number(limit)
    const truncated = to < KEYS.length
    return { keys: KEYS.slice(from, to), truncated, ...(truncated && { nextMarker: `${to}` }) }
  }
}

function join(options: PageOptions, calls?: PlainMessage[]) {
  const items = itemsField(CONTRACT.ListKeys)
  if (!items) throw new Error('ListKeys has no items')
  return joinPages(listKeys(calls), {}, items, options)
}

test('the lists of the contract come in pages', () => {
  const paged = Object.values(CONTRACT).filter((rpc) => itemsField(rpc))
  expect(paged.map((rpc) => [rpc.name, itemsField(rpc)?.awsName])).toEqual([
    ['ListKeys', 'Keys'],
    ['ListAliases', 'Aliases'],
    ['ListResourceTags', 'Tags'],
    ['ListKeyPolicies', 'PolicyNames'],
    ['ListGrants', 'Grants'],
    ['ListRetirableGrants', 'Grants'],
    ['ListKeyRotations', 'Rotations'],
    ['ListAccounts', 'Accounts'],
    ['ListUsers', 'Users'],
    ['ListUserPolicies', 'PolicyNames'],
    ['ListRoles', 'Roles'],
    ['ListRolePolicies', 'PolicyNames'],
    ['ListAccessKeys', 'AccessKeyMetadata'],
    ['ListOpenIDConnectProviders', 'OpenIDConnectProviderList'],
  ])
})

describe('pages', () => {
  test('are read to the end', async () => {
    const calls: PlainMessage[] = []
    expect(await join({}, calls)).toEqual({ response: { keys: KEYS } })
    expect(calls.map(({ marker }) => marker)).toEqual([undefined, '10', '20'])
  })

  test('have the size that is asked for', async () => {
    const calls: PlainMessage[] = []
    await join({ pageSize: 20 }, calls)
    expect(calls.map(({ limit }) => limit)).toEqual([20, 20])
  })

  test('are not read further than needed', async () => {
    const calls: PlainMessage[] = []
    const { response, nextToken } = await join({ maxItems: 10 }, calls)
    expect(response.keys).toHaveLength(10)
    expect(calls).toHaveLength(1)
    // What botocore writes: the marker of the next page.
    expect(JSON.parse(Buffer.from(nextToken ?? '', 'base64').toString())).toEqual({ Marker: '10' })
  })

  test('can be left in the middle', async () => {
    const { nextToken } = await join({ maxItems: 13 })
    expect(JSON.parse(Buffer.from(nextToken ?? '', 'base64').toString())).toEqual({
      Marker: '10',
      boto_truncate_amount: 3,
    })
  })

  test('are the whole list, wherever one stops and goes on', async () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }))
    const property = fc.asyncProperty(sizes, async ([maxItems, pageSize]) => {
      const read: unknown[] = []
      let startingToken: string | undefined
      do {
        const { response, nextToken } = await join({ maxItems, pageSize, startingToken })
        const keys = response.keys as unknown[]
        expect(keys.length).toBeLessThanOrEqual(maxItems)
        read.push(...keys)
        startingToken = nextToken
      } while (startingToken !== undefined)
      expect(read).toEqual(KEYS)
    })
    await fc.assert(property)
  })

  test.each(['', 'x', 'e30', Buffer.from('{"Marker":1}').toString('base64')])(
    'do not begin at %j',
    async (startingToken) => {
      await expect(join({ startingToken })).rejects.toThrow(CliError)
    },
  )
})
