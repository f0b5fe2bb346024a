/** ListAliases. */

import { expect, test } from 'vitest'
import { call, expectFailure, MISSING, newKey, service, useService } from '../service.ts'

useService()

test('lists all aliases of the account by name, or those of one key', async () => {
  const [one, two] = [await newKey(), await newKey()]
  for (const name of ['c', 'a', 'b']) {
    const targetKeyId = name === 'b' ? two.keyId : one.keyId
    await call('CreateAlias', { aliasName: `alias/${name}`, targetKeyId })
  }
  const { account, region } = service().place
  const now = new Date(service().clock())
  const { aliases } = await call('ListAliases')
  // The last one is of the first start.
  const names = ['alias/a', 'alias/b', 'alias/c', 'alias/dev']
  expect(aliases.map(({ aliasName }) => aliasName)).toEqual(names)
  expect(aliases[1]).toEqual({
    aliasName: 'alias/b',
    aliasArn: `arn:aws:kms:${region}:${account}:alias/b`,
    targetKeyId: two.keyId,
    creationDate: now,
    lastUpdatedDate: now,
  })
  const ofOne = await call('ListAliases', { keyId: one.arn })
  expect(ofOne.aliases.map(({ aliasName }) => aliasName)).toEqual(['alias/a', 'alias/c'])
  const page = await call('ListAliases', { keyId: one.keyId, limit: 1 })
  expect(page.truncated).toBe(true)
  const { nextMarker: marker } = page
  const rest = await call('ListAliases', { keyId: one.keyId, limit: 1, marker })
  expect(rest.aliases.map(({ aliasName }) => aliasName)).toEqual(['alias/c'])
  expect(rest).toMatchObject({ truncated: false })
  // The marker belongs to the list of one key.
  await expectFailure('ListAliases', { marker }, 'InvalidMarkerException')
  await expectFailure('ListAliases', { keyId: two.keyId, marker }, 'InvalidMarkerException')
})

test('refuses a key that is not there, and aliases for a key id', async () => {
  await expectFailure('ListAliases', { keyId: MISSING }, 'NotFoundException')
  await expectFailure('ListAliases', { keyId: 'alias/a' }, 'NotFoundException', 'Invalid keyId')
  await expectFailure('ListAliases', { keyId: '' }, 'ValidationException')
})
