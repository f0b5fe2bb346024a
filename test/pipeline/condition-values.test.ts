/** The values of condition keys that take a name, of few names and of many. */

import { expect, test } from 'vitest'
import { conditionValues } from '../../src/pipeline/evidence/conditions.ts'
import { ACCOUNT, REGION, rootOf } from '../operations/installation.ts'

/** A context that counts how often somebody goes through it. */
class Counted extends Map<string, string> {
  times = 0

  override [Symbol.iterator]() {
    this.times += 1
    return super[Symbol.iterator]()
  }
}

const valuesIn = (context: ReadonlyMap<string, string>) =>
  conditionValues({
    question: {
      caller: rootOf(),
      permission: 'kms:Encrypt',
      resource: { arn: '*', account: ACCOUNT },
      conditions: { 'kms:EncryptionContext': context },
      call: { secureTransport: true },
    },
    region: REGION,
    nowMs: 0,
  })

/** Pairs whose names no policy asks for. */
const others = (count: number) =>
  Array.from({ length: count }, (_, at): [string, string] => [`Other${at}`, 'x'])

test.each([[1], [5], [6], [7], [1000]])(
  'are found whatever their case, beside %i other pairs',
  (count) => {
    const one: [string, string][] = [['Team', 'blue']]
    const two: [string, string][] = [...one, ['TEAM', 'red']]
    const name = 'kms:encryptioncontext:team'
    expect(valuesIn(new Map([...others(count), ...one])).get(name)).toBe('blue')
    expect(valuesIn(new Map([...two, ...others(count)])).get(name)).toEqual(['blue', 'red'])
    expect(valuesIn(new Map(others(count))).get(name)).toBeUndefined()
    expect(valuesIn(new Map([...one, ...others(count)])).get(`${name}s`)).toBeUndefined()
  },
)

test('a context of many pairs is gone through once, whatever number of keys is asked for', () => {
  const context = new Counted(others(1500))
  const values = valuesIn(context)
  for (let at = 0; at < 1000; at++) {
    expect(values.get(`kms:encryptioncontext:other${at}`)).toBe('x')
    expect(values.get(`kms:encryptioncontext:none${at}`)).toBeUndefined()
  }
  expect(context.times).toBeLessThanOrEqual(1)
})
