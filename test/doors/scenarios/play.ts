/** Plays scenarios through the doors of one service. */

import { expect } from 'vitest'
import type { PlainMessage } from '../../../src/contract/wire.ts'
import { FAILURES } from '../../../src/model/failures.ts'
import { type RunningService, startTestService } from '../../harness.ts'
import { accessKeyOf } from '../aws/clients/environment.ts'
import { awsDoor, type Door, type Ending, grpcDoor } from './doors.ts'
import type { Saved, Scenario, Step } from './scenario.ts'

/** A service with its doors, and a user of its account who may do nothing. */
export interface Stage {
  readonly service: RunningService
  readonly doors: { readonly grpc: Door; readonly aws: Door }
}

/** How a scenario went. */
export interface Played {
  readonly endings: readonly Ending[]
  /** Without what differs from door to door and from run to run. */
  readonly audit: readonly unknown[]
}

/** Starts a service; whoever calls stops it. */
export async function startStage(): Promise<Stage> {
  const service = await startTestService()
  const { client, place, config } = service
  await client.call('CreateUser', { userName: 'nobody' })
  const { accessKey } = await client.call('CreateAccessKey', { userName: 'nobody' })
  const nobody = `spiffe://${config.trustDomain}/account/${place.account}/user/nobody`
  const { accessKeyId = '', secretAccessKey = '' } = accessKey ?? {}
  return {
    service,
    doors: {
      grpc: grpcDoor((caller) => (caller === 'root' ? service.client : service.clientOf(nobody))),
      aws: awsDoor(service, {
        root: accessKeyOf(config.home),
        nobody: { accessKeyId, secretAccessKey },
      }),
    },
  }
}

/** Plays a scenario through both doors, which must decide, answer and record alike. */
export async function playAlike(stage: Stage, scenario: Scenario, given?: Saved): Promise<Played> {
  const grpc = await play(stage, scenario, stage.doors.grpc, given)
  const aws = await play(stage, scenario, stage.doors.aws, given)
  expect(aws.endings.map(said)).toEqual(grpc.endings.map(said))
  expect(aws.audit).toEqual(grpc.audit)
  expect(aws.audit.length).toBeGreaterThanOrEqual(scenario.steps.length)
  return aws
}

/** Goes through a scenario and holds each ending against what it should be. */
async function play(
  { service }: Stage,
  { steps }: Scenario,
  door: Door,
  given: Saved = new Map(),
): Promise<Played> {
  const before = service.auditRecords().length
  const saved = new Map(given)
  const { objects } = service.service.hsm
  const isLossy = steps.some(({ lost }) => lost)
  const atFirst = isLossy ? await objects.listBackingKeys() : []
  const endings: Ending[] = []
  const startMs = service.clock()
  for (const step of steps) {
    const { call, request = {}, as, save, laterMs = 0, lost } = step
    service.moveClock(laterMs)
    if (lost) {
      for (const { id } of await objects.listBackingKeys()) {
        if (!atFirst.some((each) => each.id === id)) await objects.destroyBackingKey(id)
      }
    }
    const ending = await door(call, filled(request, saved) as PlainMessage, as)
    endings.push(ending)
    expectEnding(ending, step, `${call}, step ${endings.length}`)
    if (save && ending.response) saved.set(save, ending.response)
  }
  // The next door begins at the same time.
  service.moveClock(startMs - service.clock())
  const records = service.auditRecords().slice(before)
  for (const { requestId } of endings) {
    if (requestId) expect(records.map(({ requestID }) => requestID)).toContain(requestId)
  }
  const audit = records
    .map(({ door: _door, requestID: _id, ...record }) => record)
    .map((record) => ({ ...record, sourceIPAddress: undefined, userAgent: undefined }))
  return { endings, audit: general(audit) as readonly unknown[] }
}

function expectEnding({ failure, http }: Ending, { fails, says = /^/ }: Step, at: string): void {
  expect(failure?.name, `${at}: ${failure?.message}`).toBe(fails)
  expect(failure?.message ?? '', at).toMatch(fails ? says : /^$/)
  if (fails && http) expect(http.status, at).toBe(FAILURES[fails].http)
}

/** A request with what was saved in the place of its names. */
export function filled(value: unknown, saved: Saved): unknown {
  if (typeof value === 'function') return value(saved)
  if (typeof value === 'string' && value.startsWith('$')) {
    const [name = '', ...path] = value.slice(1).split('.')
    return path.reduce<unknown>((from, part) => Reflect.get(from as object, part), saved.get(name))
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, saved))
  if (value === null || typeof value !== 'object') return value
  if (Buffer.isBuffer(value) || value instanceof Map || value instanceof Date) return value
  const members = Object.entries(value).map(([name, item]) => [name, filled(item, saved)])
  return Object.fromEntries(members)
}

function said({ response, failure }: Ending): unknown {
  return general({ response, failure })
}

/** Without what differs from run to run: ids get the number of their first appearance. */
function general(value: unknown): unknown {
  const ids = new Map<string, string>()
  const id = (found: string) => {
    const known = ids.get(found) ?? `#${ids.size}`
    ids.set(found, known)
    return known
  }
  const text = JSON.stringify(value, (_, item) => {
    if (item instanceof Map) return [...item].toSorted()
    if (item?.type === 'Buffer') return { bytes: isDer(item.data) ? 'DER' : item.data.length }
    return item
  })
  return JSON.parse(
    text
      .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, id)
      .replaceAll(/\b[0-9a-f]{64}\b/g, id)
      // Markers and grant tokens.
      .replaceAll(/[\w-]{64,}/g, id),
  )
}

/** Whether it is a SEQUENCE in DER, such as a signature by ECDSA: its length differs by chance. */
function isDer([tag, length, ...rest]: readonly number[]): boolean {
  return tag === 0x30 && length === rest.length
}
