/** The codec between protobuf and AWS's terms: nothing is lost, nothing ambiguous gets through. */

import fc from 'fast-check'
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { CONTRACT, type MessageContract } from '../../src/contract/contract.ts'
import { decodeMessage, encodeMessage } from '../../src/contract/wire.ts'
import { KmsError } from '../../src/model/failures.ts'

const { request } = CONTRACT.Encrypt

/** A value of every field, as the doors and the client hand them over. */
function arbitraryOf(contract: MessageContract, depth = 0): fc.Arbitrary<Record<string, unknown>> {
  const fields = contract.fields
    .filter(({ holds }) => holds.kind !== 'message' || depth < 4)
    .map(({ name, holds, repeated, optional }): [string, fc.Arbitrary<unknown>] => {
      const one = (): fc.Arbitrary<unknown> => {
        switch (holds.kind) {
          case 'string':
            return fc.string({ unit: 'grapheme' })
          case 'bytes':
            return fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes))
          case 'bool':
            return fc.boolean()
          case 'int32':
            return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
          case 'timestamp':
            return fc.date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true })
          case 'map':
            return fc
              .array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })))
              .map((pairs) => new Map(pairs))
          case 'enum':
            return fc.constantFrom(...holds.enum.names)
          case 'message':
            return arbitraryOf(holds.message, depth + 1)
        }
      }
      if (repeated) return [name, fc.array(one(), { maxLength: 3 })]
      const isAlways = ['string', 'bytes', 'bool', 'int32', 'map'].includes(holds.kind) && !optional
      return [name, isAlways ? one() : fc.option(one(), { nil: undefined })]
    })
  return fc.record(Object.fromEntries(fields))
}

function withoutAbsent(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAbsent)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Map || value instanceof Date || Buffer.isBuffer(value)) return value
  const present = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(present.map(([name, member]) => [name, withoutAbsent(member)]))
}

describe.each(Object.values(CONTRACT))('$name', (rpc) => {
  test.each([rpc.request, rpc.response])('$name comes back as it went', (contract) => {
    fc.assert(
      fc.property(arbitraryOf(contract), (plain) => {
        const back = decodeMessage(contract, encodeMessage(contract, plain))
        expect(back).toEqual(withoutAbsent(plain))
      }),
      { numRuns: 30 },
    )
  })
})

test('a key named __proto__ stays in the encryption context', () => {
  const encryptionContext = new Map([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ])
  const bytes = encodeMessage(request, { keyId: 'k', encryptionContext })
  expect(decodeMessage(request, bytes).encryptionContext).toEqual(encryptionContext)
})

/** An Encrypt request with these entries as its context, as another client could send it. */
function withEntries(...entries: [Uint8Array, Uint8Array][]): Uint8Array {
  const writer = protobuf.Writer.create()
  for (const [key, value] of entries) {
    writer.uint32(26).fork().uint32(10).bytes(key).uint32(18).bytes(value).ldelim()
  }
  return writer.finish()
}

const ascii = (text: string) => Buffer.from(text)

test('two equal keys in the encryption context are refused', () => {
  const bytes = withEntries([ascii('a'), ascii('1')], [ascii('a'), ascii('2')])
  expect(() => decodeMessage(request, bytes)).toThrow(/Duplicate key 'a'/)
})

test.each([
  ['an overlong form', [0xc0, 0xaf]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['a lone continuation', [0x80]],
])('malformed UTF-8 in the encryption context is refused: %s', (_, malformed) => {
  const inKey = withEntries([Buffer.from(malformed), ascii('1')])
  const inValue = withEntries([ascii('a'), Buffer.from(malformed)])
  for (const bytes of [inKey, inValue]) {
    expect(() => decodeMessage(request, bytes)).toThrow(/Malformed UTF-8/)
  }
})

test('an unknown number of an enum is kept for validation to name', () => {
  const bytes = protobuf.Writer.create().uint32(40).int32(99).finish()
  expect(decodeMessage(request, bytes).encryptionAlgorithm).toBe('99')
})

test('a pair of a map without its key or its value has it empty', () => {
  const { request } = CONTRACT.CreateGrant
  // constraints { encryption_context_subset { } encryption_context_equals { key: "a" } }
  const bytes = Buffer.from('2a070a0012030a0161', 'hex')
  expect(decodeMessage(request, bytes).constraints).toEqual({
    encryptionContextSubset: new Map([['', '']]),
    encryptionContextEquals: new Map([['a', '']]),
  })
})

test('bytes that are no message are refused, and nothing else happens', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const { request } of Object.values(CONTRACT)) {
        try {
          decodeMessage(request, bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(KmsError)
          expect(error).toMatchObject({ name: 'ValidationException' })
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('an enum value that there is not is refused when it is sent', () => {
  expect(() => encodeMessage(request, { encryptionAlgorithm: 'ROT13' })).toThrow(/ROT13/)
})
