/** What is checked of every row that is read: a wrong one is told by its name and column. */

/** @throws Error naming the column, unless it holds a whole number from 0. */
export function whole(value: unknown, column: string): number {
  check(Number.isSafeInteger(value) && Number(value) >= 0, column)
  return Number(value)
}

/** @throws Error naming the column, unless it holds one of the values. */
export function oneOf<Value>(values: readonly Value[], value: unknown, column: string): Value {
  const found = values.find((known) => known === value)
  if (found === undefined) throw new Error(`${column} is ${JSON.stringify(value)}`)
  return found
}

/** @throws Error naming the column, unless it is sound. */
export function check(sound: boolean, column: string): void {
  if (!sound) throw new Error(`${column} cannot be right`)
}

/** Reads a row; an error names it. */
export function inRow<Value>(row: string, read: () => Value): Value {
  try {
    return read()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`the store holds a wrong row, ${row}: ${reason}`, { cause })
  }
}
