/** Services, as a client certificate names them, and the keys that they manage. */

import { expect, test } from 'vitest'
import { call, service, useService } from '../operations/service.ts'

useService()

const plaintext = Buffer.from('x')
const clientOf = (path: string) => {
  const { trustDomain, place } = service().config
  return service().clientOf(`spiffe://${trustDomain}/account/${place.account}/${path}`)
}

test('a service makes the key that it manages by using it, over TLS', async () => {
  const keyId = 'alias/aws/backup'
  const backup = clientOf('service/backup.amazonaws.com')
  const { ciphertextBlob } = await backup.call('Encrypt', { keyId, plaintext })
  expect((await backup.call('Decrypt', { ciphertextBlob })).plaintext).toEqual(plaintext)
  const { keyMetadata } = await call('DescribeKey', { keyId })
  expect(keyMetadata).toMatchObject({ keyManager: 'AWS', keyState: 'Enabled' })
  await expect(call('Decrypt', { ciphertextBlob })).rejects.toMatchObject({
    name: 'AccessDeniedException',
  })
  await service().restart()
  const again = clientOf('service/backup.amazonaws.com')
  expect((await again.call('Decrypt', { ciphertextBlob })).plaintext).toEqual(plaintext)
})

test.each([
  'service/backup',
  'service/Backup.amazonaws.com',
  'service/backup.amazonaws.com/x',
  'service/',
])('%s is the name of none', async (path) => {
  await expect(clientOf(path).call('ListKeys', {})).rejects.toMatchObject({
    name: 'UnrecognizedClientException',
  })
})
