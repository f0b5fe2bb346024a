/** Arbitrary messages of the contract. */

import fc from 'fast-check'
import type { FieldContract, MessageContract } from '../../src/contract/contract.ts'
import type { PlainMessage } from '../../src/contract/wire.ts'

/** Arbitrary messages, of which any member may be absent, as empty lists and maps are. */
export function messages(contract: MessageContract): fc.Arbitrary<PlainMessage> {
  const members = contract.fields.map((field) => [field.name, values(field)] as const)
  return fc.record(Object.fromEntries(members), { requiredKeys: [] })
}

function values(field: FieldContract): fc.Arbitrary<unknown> {
  return field.repeated ? fc.array(items(field), { minLength: 1, maxLength: 3 }) : items(field)
}

function items({ holds }: FieldContract): fc.Arbitrary<unknown> {
  switch (holds.kind) {
    case 'string':
      return fc.string({ unit: 'grapheme' })
    case 'bytes':
      return fc.uint8Array().map((bytes) => Buffer.from(bytes))
    case 'bool':
      return fc.boolean()
    case 'int32':
      return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
    case 'timestamp':
      return fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') })
    case 'enum':
      return fc.constantFrom(...holds.enum.names)
    case 'map': {
      const entry = fc.tuple(fc.oneof(fc.string(), fc.constant('__proto__')), fc.string())
      return fc.array(entry, { minLength: 1, maxLength: 4 }).map((entries) => new Map(entries))
    }
    case 'message':
      return messages(holds.message)
  }
}
