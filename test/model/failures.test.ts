/** The table of failures, and what of an unknown error reaches the caller. */

import { describe, expect, test } from 'vitest'
import {
  FAILURES,
  type FailureName,
  fail,
  GRPC_STATUS,
  KmsError,
} from '../../src/model/failures.ts'

const names = Object.keys(FAILURES) as FailureName[]

describe('the table', () => {
  test.each(names)('%s tells AWS clients whether to retry', (name) => {
    const { http, fault, grpc } = FAILURES[name]
    // AWS's SDKs retry on 500 and above, and on nothing else but throttling.
    expect(http >= 500).toBe(fault === 'service')
    expect(Object.keys(GRPC_STATUS)).toContain(grpc)
  })

  test('gives each gRPC status its number in google.rpc.Code', () => {
    const numbers = Object.values(GRPC_STATUS)
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(GRPC_STATUS).toMatchObject({ NOT_FOUND: 5, UNAVAILABLE: 14, UNAUTHENTICATED: 16 })
  })
})

describe('a failure', () => {
  test('carries name, message and the gRPC status of its row', () => {
    expect(() => fail('NotFoundException', 'no such key')).toThrow(
      expect.objectContaining({
        name: 'NotFoundException',
        message: 'no such key',
        grpc: 'NOT_FOUND',
      }),
    )
  })

  test('may carry another gRPC status', () => {
    const error = new KmsError('KMSInternalException', 'down', { grpc: 'UNAVAILABLE' })
    expect(error.grpc).toBe('UNAVAILABLE')
  })

  test('stays itself', () => {
    const error = new KmsError('DisabledException', 'disabled')
    expect(KmsError.from(error)).toBe(error)
  })

  test.each([new Error('PIN 1234 at /secret'), 'PIN 1234', { toString: () => '1234' }, undefined])(
    'hides what an unknown error says (%#)',
    (cause) => {
      const error = KmsError.from(cause)
      expect(error.name).toBe('KMSInternalException')
      expect(error.cause).toBe(cause)
      expect(error.message).not.toContain('1234')
    },
  )
})
