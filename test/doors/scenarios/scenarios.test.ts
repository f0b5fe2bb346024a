/** Both doors decide alike: the same answers, the same failures, the same audit records. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PlainMessage } from '../../../src/contract/wire.ts'
import { FAILURES } from '../../../src/model/failures.ts'
import { type RunningService, startTestService } from '../../harness.ts'
import { accessKeyOf } from '../aws/clients/environment.ts'
import { awsDoor, type Door, type Ending, grpcDoor } from './doors.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'

let service: RunningService
let doors: { readonly grpc: Door; readonly aws: Door }

beforeAll(async () => {
  service = await startTestService()
  doors = { grpc: grpcDoor(service), aws: awsDoor(service, accessKeyOf(service.config.home)) }
})

afterAll(() => service.stop())

test.each(SCENARIOS)('P6: $name', async (scenario) => {
  const grpc = await play(scenario, doors.grpc)
  const aws = await play(scenario, doors.aws)
  expect(aws.endings.map(withoutStatus).map(general)).toEqual(grpc.endings.map(general))
  expect(aws.audit).toEqual(grpc.audit)
  expect(aws.audit.length).toBeGreaterThanOrEqual(scenario.steps.length)
})

/** Goes through a scenario, holds each ending against what it should be, and tidies up after it. */
async function play({ steps }: Scenario, door: Door) {
  const before = service.auditRecords().length
  const saved = new Map<string, PlainMessage>()
  const endings: Ending[] = []
  for (const { call, request = {}, save, fails, says = /^/ } of steps) {
    const ending = await door(call, filled(request, saved) as PlainMessage)
    endings.push(ending)
    const at = `${call}, step ${endings.length}`
    expect(ending.failure?.name, `${at}: ${ending.failure?.message}`).toBe(fails)
    expect(ending.failure?.message ?? '', at).toMatch(fails ? says : /^$/)
    if (fails && ending.status) expect(ending.status, at).toBe(FAILURES[fails].http)
    if (save && ending.response) saved.set(save, ending.response)
  }
  const audit = service
    .auditRecords()
    .slice(before)
    .map(({ door: _door, requestID: _id, ...record }) => record)
    .map((record) => ({ ...record, sourceIPAddress: undefined, userAgent: undefined }))
  return { endings, audit: general(audit) as readonly unknown[] }
}

/** A request with what was saved in the place of its names. */
function filled(value: unknown, saved: ReadonlyMap<string, PlainMessage>): unknown {
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

function withoutStatus({ status: _status, ...ending }: Ending): Ending {
  return ending
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
    if (item?.type === 'Buffer') return { bytes: item.data.length }
    return item
  })
  return JSON.parse(
    text
      .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, id)
      .replaceAll(/\b[0-9a-f]{64}\b/g, id),
  )
}
