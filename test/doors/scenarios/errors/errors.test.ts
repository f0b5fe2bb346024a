/**
 * The table of errors: for every operation of AWS KMS that keyslot has, each error that AWS models
 * for it is provoked through both doors, or there is a reason why it cannot be.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CONTRACT } from '../../../../src/contract/contract.ts'
import { FAILURES } from '../../../../src/model/failures.ts'
import type { RpcName } from '../../../../src/service.ts'
import { accessKeyOf } from '../../aws/clients/environment.ts'
import { send, sign } from '../../aws/sign.ts'
import { playAlike, type Stage, startStage } from '../play.ts'
import type { Saved } from '../scenario.ts'
import { CRYPTOGRAPHY_ROWS } from './cryptography.ts'
import { GRANT_ROWS } from './grants.ts'
import { IMPORT_ROWS } from './imports.ts'
import { COMMON_ROWS, KEY_ROWS } from './keys.ts'
import { faultOf, modelledErrors } from './model.ts'
import { REASONS } from './reasons.ts'
import { type KmsName, NAMES, prepareKeys } from './requests.ts'
import type { Row } from './rows.ts'

const MODELLED_ROWS = [...KEY_ROWS, ...CRYPTOGRAPHY_ROWS, ...GRANT_ROWS, ...IMPORT_ROWS]
const ROWS: readonly Row[] = [...COMMON_ROWS, ...MODELLED_ROWS]
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

let stage: Stage
let saved: Saved
beforeAll(async () => {
  stage = await startStage()
  saved = await prepareKeys(stage.doors.grpc)
})
afterAll(() => stage.service.stop())

const model = modelledErrors()
const hasRow = (name: KmsName, error: string) =>
  ROWS.some((row) => row.operation === name && row.error === error)
const reasonsFor = (name: KmsName, error: string) =>
  REASONS.filter(
    ({ errors, operations }) => errors.test(error) && (operations?.includes(name) ?? true),
  )

describe('the table', () => {
  test('is about every operation that AWS and keyslot have', () => {
    const ours = Object.values(CONTRACT).filter(({ service }) =>
      service.endsWith('.KeyManagementService'),
    )
    const names = ours.map(({ name }) => name).filter((name) => model.has(name))
    expect([...NAMES].toSorted()).toEqual(names.toSorted())
  })

  test.each(NAMES)('has every error of %s, or a reason', (name) => {
    const errors = model.get(name) ?? []
    expect(errors).toContain('KMSInternalException')
    const neither = errors.filter((e) => !hasRow(name, e) && reasonsFor(name, e).length === 0)
    expect(neither).toEqual([])
    const both = errors.filter((e) => hasRow(name, e) && reasonsFor(name, e).length > 0)
    expect(both).toEqual([])
  })

  test('has no reason that nothing needs', () => {
    for (const { errors, operations = NAMES, why } of REASONS) {
      const needed = operations.flatMap((name) => model.get(name) ?? [])
      expect(
        needed.filter((error) => errors.test(error)),
        why,
      ).not.toEqual([])
    }
  })

  test('has no error but AWS’s, whose fault is the same', () => {
    for (const { operation, error } of MODELLED_ROWS) {
      expect(model.get(operation), `${operation} ${error}`).toContain(error)
    }
    for (const [name, { fault, http }] of Object.entries(FAILURES)) {
      const theirs = faultOf(name)
      if (theirs) expect(fault, name).toBe(theirs === 'client' ? 'caller' : 'service')
      // AWS's clients try again after 500, and KMS answers nothing else for a fault of its own.
      if (theirs) expect(http, name).toBe(theirs === 'client' ? 400 : 500)
    }
  })
})

test.each(ROWS)('$operation: $error', async ({ operation, error, steps }) => {
  const { endings } = await playAlike(stage, { name: `${operation}: ${error}`, steps }, saved)
  const { http, requestId } = endings.at(-1) ?? {}
  expect(requestId).toMatch(UUID)
  expect(http?.status).toBe(FAILURES[error].http)
  expect(http?.headers['content-type']).toBe('application/x-amz-json-1.1')
  expect(http?.body).toEqual({ __type: error, message: expect.stringMatching(/\S/) })
})

// Over gRPC bytes that are no request are a ValidationException; see fuzz.test.ts.
test.each(NAMES)('%s: SerializationException', async (operation: RpcName) => {
  const { service, clock, place, config } = stage.service
  const { host } = new URL(service.awsEndpoint)
  const unsigned = { operation, host, timeMs: clock(), region: place.region }
  for (const body of ['[]', '{"KeyId":', '{"KeyId":"a","KeyId":"b"}']) {
    const signed = sign(accessKeyOf(config.home), { ...unsigned, body })
    const { status, json } = await send(service.awsEndpoint, signed)
    expect(status).toBe(400)
    expect(json).toEqual({ __type: 'SerializationException', message: expect.any(String) })
  }
})
