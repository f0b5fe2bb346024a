/** Changes of a service, each with the law that holds after it, whether it was acknowledged or not. */

import { expect } from 'vitest'
import type { ServiceOnDisk } from './service.ts'

const DAY_MS = 86_400_000
const WINDOW_DAYS = 7
/** After which a change is taken for interrupted. */
const PATIENCE_MS = 120_000
const PLAINTEXT = Buffer.from('kept')

/** A change that is about to be made. */
export interface PreparedChange {
  readonly change: () => Promise<void>
  /** Holds the service to what it has acknowledged. */
  readonly holds: (acknowledged: boolean) => Promise<void>
}

/** Makes what a change needs. */
export type Change = (service: ServiceOnDisk) => Promise<PreparedChange>

async function newKey({ client }: ServiceOnDisk): Promise<string> {
  return (await client.call('CreateKey', {})).keyMetadata?.keyId ?? ''
}

async function encrypted({ client }: ServiceOnDisk, keyId: string): Promise<Buffer> {
  return (await client.call('Encrypt', { keyId, plaintext: PLAINTEXT })).ciphertextBlob
}

async function expectDecrypts({ client }: ServiceOnDisk, ciphertextBlob: Buffer): Promise<void> {
  expect((await client.call('Decrypt', { ciphertextBlob })).plaintext).toEqual(PLAINTEXT)
}

async function stateOf({ client }: ServiceOnDisk, keyId: string): Promise<string | undefined> {
  return (await client.call('DescribeKey', { keyId })).keyMetadata?.keyState
}

/** A change of a key's state. */
function stateChange(name: 'DisableKey' | 'ScheduleKeyDeletion', state: string): Change {
  return async (service) => {
    const keyId = await newKey(service)
    const more = name === 'DisableKey' ? {} : { pendingWindowInDays: WINDOW_DAYS }
    return {
      async change() {
        await service.client.call(name, { keyId, ...more })
      },
      async holds(acknowledged) {
        const possible = acknowledged ? [state] : [state, 'Enabled']
        expect(possible).toContain(await stateOf(service, keyId))
      },
    }
  }
}

/** The changes that are tried. */
export const CHANGES: Readonly<Record<string, Change>> = {
  async create(service) {
    let keyId: string | undefined
    return {
      async change() {
        keyId = await newKey(service)
      },
      async holds(acknowledged) {
        if (!acknowledged || keyId === undefined) return
        expect(await stateOf(service, keyId)).toBe('Enabled')
        await expectDecrypts(service, await encrypted(service, keyId))
      },
    }
  },

  async rotate(service) {
    const keyId = await newKey(service)
    const before = await encrypted(service, keyId)
    return {
      async change() {
        await service.client.call('RotateKeyOnDemand', { keyId })
      },
      async holds(acknowledged) {
        const { rotations } = await service.client.call('ListKeyRotations', { keyId })
        expect(acknowledged ? [1] : [0, 1]).toContain(rotations.length)
        await expectDecrypts(service, before)
        await expectDecrypts(service, await encrypted(service, keyId))
      },
    }
  },

  disable: stateChange('DisableKey', 'Disabled'),

  async destroy(service) {
    // Whatever else is due does not belong to this change.
    await service.moveClock((WINDOW_DAYS + 1) * DAY_MS)
    await service.runJobs()
    const keyId = await newKey(service)
    await service.client.call('ScheduleKeyDeletion', { keyId, pendingWindowInDays: WINDOW_DAYS })
    await service.moveClock((WINDOW_DAYS + 1) * DAY_MS)
    return {
      change: () => service.runJobs(),
      async holds() {
        const found = await stateOf(service, keyId).catch(({ name }) => name)
        if (found === 'NotFoundException') return
        // What was interrupted is carried on.
        expect(found).toBe('PendingDeletion')
        await service.moveClock(PATIENCE_MS)
        await service.runJobs()
        await expect(stateOf(service, keyId)).rejects.toMatchObject({ name: 'NotFoundException' })
      },
    }
  },

  'schedule deletion': stateChange('ScheduleKeyDeletion', 'PendingDeletion'),

  async encrypt(service) {
    const keyId = await newKey(service)
    let blob: Buffer | undefined
    return {
      async change() {
        blob = await encrypted(service, keyId)
      },
      async holds(acknowledged) {
        if (acknowledged && blob !== undefined) await expectDecrypts(service, blob)
        await expectDecrypts(service, await encrypted(service, keyId))
      },
    }
  },
}
