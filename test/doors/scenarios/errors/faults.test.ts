/**
 * Faults of the service, as both doors tell of them: a record that cannot be written, for every
 * operation of AWS KMS, and a token that hangs, for every one that it has a part in.
 */

import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { PlainMessage } from '../../../../src/contract/wire.ts'
import type { FailureName } from '../../../../src/model/failures.ts'
import {
  behindFaults,
  type Faults,
  openFaults,
  whyNoFaultModule,
} from '../../../faults/fault-module.ts'
import { type RunningService, startTestService } from '../../../harness.ts'
import { accessKeyOf } from '../../aws/clients/environment.ts'
import { eventually } from '../../door.ts'
import { awsDoor, type Door, type Ending, grpcDoor } from '../doors.ts'
import { filled } from '../play.ts'
import type { Saved } from '../scenario.ts'
import { type KmsName, NAMES, prepareKeys, REQUESTS, USING_TOKEN } from './requests.ts'

const DOORS = ['grpc', 'aws'] as const
const HANG_MS = 3_000
const WORKERS = 2

let home: string
let saved: Saved
beforeAll(async () => {
  const service = await startTestService()
  home = service.config.home
  saved = await prepareKeys(doorsOf(service).grpc)
  // Its state stays.
  await service.service.stop()
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

function doorsOf(service: RunningService): Readonly<Record<(typeof DOORS)[number], Door>> {
  const root = accessKeyOf(service.config.home)
  return { grpc: grpcDoor(() => service.client), aws: awsDoor(service, { root, nobody: root }) }
}

const request = (name: KmsName) => filled(REQUESTS[name], saved) as PlainMessage

/** Without development nothing is called, and so recorded, before the doors are open. */
const AGAIN = { dev: 'no' }

function expectFault({ failure, http }: Ending, name: FailureName, says: string): void {
  expect(failure).toEqual({ name, message: says })
  if (!http) return
  expect(http.status).toBe(500)
  expect(http.headers['content-type']).toBe('application/x-amz-json-1.1')
  expect(http.body).toEqual({ __type: name, message: says })
}

/** Takes nothing: Linux has it. */
const FULL_DISK = '/dev/full'

describe.skipIf(!existsSync(FULL_DISK))('what cannot be recorded', () => {
  let service: RunningService
  beforeAll(async () => {
    service = await startTestService({ ...AGAIN, home, audit: FULL_DISK })
  })
  afterAll(() => service.service.stop())

  test.each(NAMES)('%s: KMSInternalException', async (name) => {
    for (const door of DOORS) {
      const ending = await doorsOf(service)[door](name, request(name))
      expectFault(ending, 'KMSInternalException', 'The audit record could not be written.')
    }
  })
})

const why = whyNoFaultModule()

describe.skipIf(why !== undefined)('a token that hangs', () => {
  let service: RunningService
  let faults: Faults & { close(): void }
  beforeAll(async () => {
    const control = join(home, 'faults')
    faults = openFaults(control)
    service = await startTestService({ ...AGAIN, home }, (settings) => ({
      ...behindFaults(settings, control),
      workers: WORKERS,
      callTimeoutMs: HANG_MS,
    }))
  })
  afterAll(async () => {
    faults.clear()
    await service.service.stop()
    faults.close()
  })

  afterEach(() => faults.clear())

  test.each(DOORS)('DependencyTimeoutException: %s', async (door) => {
    const call = doorsOf(service)[door]
    await eventually(() => service.service.hsm.state().state).toBe('ready')
    faults.arm('C_Encrypt', { does: 'hang' })
    faults.arm('C_GenerateKey', { does: 'hang' })
    const hanging = Array.from({ length: WORKERS }, () => call('Encrypt', request('Encrypt')))
    await eventually(() => faults.hits('C_Encrypt')).toBeGreaterThanOrEqual(WORKERS)
    // Whatever is asked now waits behind those.
    const waiting = USING_TOKEN.map((name) => call(name, request(name)))
    const endings = await Promise.all([...hanging, ...waiting])
    const names = endings.map(({ failure }) => failure?.name)
    expect(names).toEqual(names.map(() => 'DependencyTimeoutException'))
    for (const ending of endings) {
      expectFault(ending, 'DependencyTimeoutException', 'The HSM did not answer in time.')
    }
  })
})
