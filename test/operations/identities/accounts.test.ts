/** The operations on accounts, as keyslot's operator and as others. */

import { expect, test } from 'vitest'
import { call, expectFailure, service, useService } from '../service.ts'

useService()

test('the operator makes accounts and lists them', async () => {
  const { account } = await call('CreateAccount', { accountName: 'second' })
  expect(account).toMatchObject({
    id: expect.stringMatching(/^[0-9]{12}$/),
    arn: `arn:aws:iam::${account?.id}:root`,
    name: 'second',
  })
  const given = { account: '444455556666', accountName: 'third' }
  expect((await call('CreateAccount', given)).account?.id).toBe('444455556666')
  await expectFailure('CreateAccount', given, 'EntityAlreadyExistsException')
  const { accounts } = await call('ListAccounts')
  const ids = ['111122223333', '444455556666', account?.id ?? '']
  expect(accounts.map(({ id }) => id)).toEqual(ids.toSorted())
})

test('the root of another account does not', async () => {
  const { account } = await call('CreateAccount', { accountName: 'tenant' })
  const tenant = service().clientOf(account?.id ?? '')
  const denied = { name: 'AccessDeniedException' }
  const made = tenant.call('CreateAccount', { accountName: 'mine' })
  await expect(made).rejects.toMatchObject(denied)
  await expect(tenant.call('ListAccounts', {})).rejects.toMatchObject(denied)
})

test("nobody's account stays so", async () => {
  const request = { account: '000000000000', accountName: 'hidden' }
  await expectFailure('CreateAccount', request, 'ValidationException', 'nobody')
})

test('accounts do not see into each other', async () => {
  const { account } = await call('CreateAccount', { accountName: 'neighbour' })
  const neighbour = service().clientOf(account?.id ?? '')
  await call('CreateUser', { userName: 'mine' })
  const gone = { name: 'NoSuchEntityException' }
  await expect(neighbour.call('GetUser', { userName: 'mine' })).rejects.toMatchObject(gone)
  await expect(neighbour.call('DeleteUser', { userName: 'mine' })).rejects.toMatchObject(gone)
  expect((await neighbour.call('ListUsers', {})).users).toEqual([])
  const { accessKey } = await call('CreateAccessKey', { userName: 'mine' })
  const { accessKeyId } = accessKey ?? {}
  await neighbour.call('CreateUser', { userName: 'mine' })
  const stolen = neighbour.call('DeleteAccessKey', { userName: 'mine', accessKeyId })
  await expect(stolen).rejects.toMatchObject(gone)
  const url = 'https://issuer.example'
  const provider = await call('CreateOpenIDConnectProvider', {
    url,
    clientIdList: ['keyslot'],
    jwks: '{"keys":[]}',
  })
  const denied = { name: 'AccessDeniedException' }
  const seen = neighbour.call('GetOpenIDConnectProvider', provider)
  await expect(seen).rejects.toMatchObject(denied)
  const deleted = neighbour.call('DeleteOpenIDConnectProvider', provider)
  await expect(deleted).rejects.toMatchObject(denied)
})
