/** Comparisons of numbers. */

import { anyOf, type Operator } from './operator.ts'

const NUMBER = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/

/** An operator that compares the request's number with the policy's. */
export function compareNumber(
  holds: (value: number, operand: number) => boolean,
): Operator['compile'] {
  return (texts, { refuse }) =>
    anyOf(
      texts.map((text) => {
        const operand = parseNumber(text) ?? refuse(`"${text}" is not a number`)
        return (value) => {
          const number = parseNumber(value)
          return number !== undefined && holds(number, operand)
        }
      }),
    )
}

function parseNumber(text: string): number | undefined {
  return NUMBER.test(text) ? Number(text) : undefined
}
