/** Dates as policies and requests write them. */

import { describe, expect, test } from 'vitest'
import { allow, allows } from './ask.ts'

/** Whether two texts are the same point in time; `undefined` if the first one is no date. */
function isSame(operand: string, value: string): boolean | undefined {
  const Condition = { DateEquals: { 'kms:Any': operand } }
  const conditions = new Map([['kms:any', value]])
  try {
    return allows({ key: [allow({ Principal: '*', Condition })] }, { conditions })
  } catch {
    return undefined
  }
}

describe('C2: a date', () => {
  test.each([
    ['2026', '1767225600'],
    ['2026-11', '1793491200'],
    ['2026-11-22', '1795305600'],
    ['2026-11-22T05:00Z', '1795323600'],
    ['2026-11-22T05:00:07Z', '1795323607'],
    ['2026-11-22T05:00:07.5Z', '1795323607.5'],
    ['2026-11-22T05:00:07.9999Z', '1795323607.999'],
    ['2026-11-22T23:59:59Z', '1795391999'],
    ['2026-11-22T05:00+00:00', '1795323600'],
    ['2026-11-22T06:30+01:30', '1795323600'],
    ['2026-11-21T06:00-23:00', '1795323600'],
    ['2026-11-22T05:59+00:59', '1795323600'],
    ['2024-02-29', '1709164800'],
    ['0999999999', '999999999'],
    ['12345', '12345.0'],
    ['1234567890123', '1234567890123'],
  ])('%s is the same as %s', (text, seconds) => {
    expect([isSame(text, seconds), isSame(seconds, text)]).toEqual([true, true])
    expect(isSame(text, '1795323608')).toBe(false)
  })
  test.each([
    ...['', '1', '226', '2026-', '2026-1', '2026-111', '2026-11-2', '2026-11-222'],
    ...['x2026', ' 2026', '2026 ', '2026-11-22T', '2026-11-22T05:00', '2026-11-22T5:00Z'],
    ...['2026-11-22T05Z', '2026-11-22T05:0Z', '2026-11-22T05:000Z', '2026-11-22T05:00:0Z'],
    ...['2026-11-22T05:00:00.Z', '2026-11-22T05:00:00:00Z', '2026-11-22T24:00Z'],
    ...['2026-11-22T05:60Z', '2026-11-22T05:00:60Z', '2026-11-22T05:00+24:00'],
    ...['2026-11-22T05:00+00:60', '2026-11-22T05:00+1:00', '2026-11-22T05:00z', '2026-13'],
    ...['2026-00', '2026-11-00', '2026-11-31', '2026-02-29', '12345678901234', '1234.5', '12345.'],
    ...['12345.5x', 'x12345', '-12345', '2026-11-22 05:00Z', '2026-11-22T05:00ZZ'],
  ])('%j is none', (text) => {
    expect(isSame(text, '2026')).toBeUndefined()
    for (const other of ['2026', '2026-12-01', '2026-03-01', '1795323600', '12345']) {
      expect(isSame(other, text)).toBe(false)
    }
  })
})
