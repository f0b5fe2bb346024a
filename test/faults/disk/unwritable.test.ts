/**
 * A disk that takes nothing any more, below the door process: what cannot be recorded is not done,
 * reading goes on where it can, and all is well as soon as the disk is.
 */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { whyNoFaultModule } from '../fault-module.ts'
import { type ServiceOnDisk, serviceOnDisk } from './service.ts'

const TEST_MS = 120_000
const UNRECORDED = {
  name: 'KMSInternalException',
  message: 'The audit record could not be written.',
}

const why = whyNoFaultModule()

let service: ServiceOnDisk
let keyId: string
let ciphertextBlob: Buffer
beforeAll(async () => {
  if (why !== undefined) return
  service = serviceOnDisk()
  await service.start()
  keyId = (await service.client.call('CreateKey', {})).keyMetadata?.keyId ?? ''
  const encrypted = await service.client.call('Encrypt', { keyId, plaintext: Buffer.from('kept') })
  ciphertextBlob = encrypted.ciphertextBlob
})
afterAll(() => service?.remove())

const decrypt = () => service.client.call('Decrypt', { ciphertextBlob })
const stateNow = async () =>
  (await service.client.call('DescribeKey', { keyId })).keyMetadata?.keyState

function auditLines(): readonly string[] {
  return readFileSync(join(service.home, 'audit/audit.jsonl'), 'utf8').trimEnd().split('\n')
}

describe.skipIf(why !== undefined)('a disk that takes nothing', { timeout: TEST_MS }, () => {
  test.each(['EIO', 'ENOSPC halfway'] as const)(
    'under the audit log: every call fails, with nothing done (%s)',
    async (fault) => {
      service.disks.door.arm(fault, { only: 'audit.jsonl' })
      await expect(decrypt()).rejects.toMatchObject(UNRECORDED)
      await expect(service.client.call('DisableKey', { keyId })).rejects.toMatchObject(UNRECORDED)
      await expect(service.client.call('CreateKey', {})).rejects.toMatchObject(UNRECORDED)
      service.disks.door.clear()
      expect(await stateNow()).toBe('Enabled')
      expect((await decrypt()).plaintext).toEqual(Buffer.from('kept'))
      // The half line that could not even be cut off has not spoiled those after it.
      for (const line of auditLines()) expect(() => JSON.parse(line), line).not.toThrow()
      expect(JSON.parse(auditLines().at(-1) ?? '')).toMatchObject({ eventName: 'Decrypt' })
    },
  )

  test('under the database: changes fail, keys are used', async () => {
    service.disks.door.arm('EIO', { only: 'keyslot.db' })
    const failure = { name: 'KMSInternalException' }
    await expect(service.client.call('DisableKey', { keyId })).rejects.toMatchObject(failure)
    await expect(service.client.call('CreateKey', {})).rejects.toMatchObject(failure)
    expect(await stateNow()).toBe('Enabled')
    expect((await decrypt()).plaintext).toEqual(Buffer.from('kept'))
    service.disks.door.clear()
    await service.untilItServes()
    await service.client.call('DisableKey', { keyId })
    expect(await stateNow()).toBe('Disabled')
    await service.client.call('EnableKey', { keyId })
  })

  test('beyond a length that files may have (RLIMIT_FSIZE)', async () => {
    const limit = (soft: string) =>
      execFileSync('prlimit', ['--pid', `${service.pid}`, `--fsize=${soft}:`])
    limit('4096')
    await expect(decrypt()).rejects.toMatchObject(UNRECORDED)
    await expect(service.client.call('CreateKey', {})).rejects.toMatchObject(UNRECORDED)
    limit('unlimited')
    await service.untilItServes()
    expect((await decrypt()).plaintext).toEqual(Buffer.from('kept'))
  })

  test('the next process finds all of it', async () => {
    await service.kill()
    await service.start()
    expect(await stateNow()).toBe('Enabled')
    expect((await decrypt()).plaintext).toEqual(Buffer.from('kept'))
  })
})
