/** The operations on access keys, as the account's root. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { call, expectFailure, service, useService } from '../service.ts'

useService()

test('an access key of a user is made, listed, switched and deleted', async () => {
  const userName = 'keyed'
  await call('CreateUser', { userName })
  const { accessKey } = await call('CreateAccessKey', { userName })
  const { accessKeyId = '', secretAccessKey = '' } = accessKey ?? {}
  expect(accessKey).toEqual({
    userName,
    accessKeyId: expect.stringMatching(/^AKIA[A-Z2-7]{16}$/),
    status: 'Active',
    secretAccessKey: expect.stringMatching(/^[A-Za-z0-9/+]{40}$/),
    createDate: new Date(service().clock()),
  })
  const { accessKeyMetadata } = await call('ListAccessKeys', { userName })
  const { secretAccessKey: _, ...described } = accessKey ?? {}
  expect(accessKeyMetadata).toEqual([described])
  await call('UpdateAccessKey', { userName, accessKeyId, status: 'Inactive' })
  const [switched] = (await call('ListAccessKeys', { userName })).accessKeyMetadata
  expect(switched?.status).toBe('Inactive')
  await expectFailure('DeleteUser', { userName }, 'DeleteConflictException', 'access keys')
  await call('DeleteAccessKey', { userName, accessKeyId })
  await expectFailure('DeleteAccessKey', { userName, accessKeyId }, 'NoSuchEntityException')
  await call('DeleteUser', { userName })
  const { audit, database } = service().config
  for (const file of [audit, database, `${database}-wal`]) {
    expect(readFileSync(file).includes(secretAccessKey)).toBe(false)
  }
})

test('an owner has two, and only its own', async () => {
  await call('CreateUser', { userName: 'two' })
  await call('CreateUser', { userName: 'other' })
  await call('CreateAccessKey', { userName: 'two' })
  const { accessKey } = await call('CreateAccessKey', { userName: 'two' })
  await expectFailure('CreateAccessKey', { userName: 'two' }, 'LimitExceededException')
  const { accessKeyId = '' } = accessKey ?? {}
  const stolen = { userName: 'other', accessKeyId }
  await expectFailure('DeleteAccessKey', stolen, 'NoSuchEntityException')
  await expectFailure('DeleteAccessKey', { accessKeyId }, 'NoSuchEntityException')
  const off = { ...stolen, status: 'Inactive' as const }
  await expectFailure('UpdateAccessKey', off, 'NoSuchEntityException')
})

test('without a name it is the caller: the root', async () => {
  const { accessKey } = await call('CreateAccessKey', {})
  expect(accessKey?.userName).toBe(service().place.account)
  const { accessKeyMetadata } = await call('ListAccessKeys', {})
  expect(accessKeyMetadata.map(({ accessKeyId }) => accessKeyId)).toContain(accessKey?.accessKeyId)
})

test('known credentials are taken, whole and once', async () => {
  await call('CreateUser', { userName: 'known' })
  const accessKeyId = 'AKIAIOSFODNN7EXAMPLE'
  const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
  const request = { userName: 'known', accessKeyId, secretAccessKey }
  const { accessKey } = await call('CreateAccessKey', request)
  expect(accessKey).toMatchObject({ accessKeyId, secretAccessKey })
  await expectFailure('CreateAccessKey', request, 'EntityAlreadyExistsException')
  const half = { userName: 'known', accessKeyId }
  await expectFailure('CreateAccessKey', half, 'ValidationException', 'together')
  const weak = { ...request, secretAccessKey: 'weak' }
  await expectFailure('CreateAccessKey', weak, 'ValidationException', 'secretAccessKey')
  await expectFailure('CreateAccessKey', weak, 'ValidationException', /^(?!.*weak)/)
})
