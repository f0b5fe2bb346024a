/** Objects of the token that nothing explains: left alone, told of, and released by an operator. */

import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { call, days, newKey, service, useService } from '../operations/service.ts'

useService()

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts')

/** `keyslot hsm …`, beside the running service. */
async function hsm(...words: string[]): Promise<string> {
  const { home } = service().config
  const env = { PATH: process.env.PATH, HOME: home, KEYSLOT_HOME: home }
  const run = promisify(execFile)
  return (await run(process.execPath, [MAIN, 'hsm', ...words], { env })).stdout
}

test('an unexplained object holds up every destruction until it is released', async () => {
  const id = randomBytes(16).toString('hex')
  const { objects } = service().service.hsm
  await objects.generateBackingKey({ id, label: 'keyslot of another store 1', suite: 1 })
  const { keyId } = await newKey()
  await call('ScheduleKeyDeletion', { keyId, pendingWindowInDays: 7 })
  await service().runJobs()
  expect(await hsm('quarantine')).toContain(id)

  service().moveClock(days(8))
  await service().runJobs()
  expect((await call('DescribeKey', { keyId })).keyMetadata?.keyState).toBe('PendingDeletion')
  const destructions = () =>
    service()
      .auditRecords()
      .filter(({ eventName }) => eventName === 'DestroyDueKey')
      .map(({ outcome }) => outcome)
  expect(destructions()).toEqual([])

  await expect(hsm('release', randomBytes(16).toString('hex'))).rejects.toMatchObject({ code: 252 })
  await hsm('release', id)
  await service().runJobs()
  await expect(call('DescribeKey', { keyId })).rejects.toMatchObject({ name: 'NotFoundException' })
  expect(destructions()).toEqual(['attempted', 'succeeded'])
  expect(await hsm('quarantine')).not.toContain(id)
  // The object itself is where it was.
  const found = await objects.listBackingKeys()
  expect(found.map((each) => each.id)).toContain(id)
})
