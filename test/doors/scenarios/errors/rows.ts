/** A row of the table of errors: an operation, an error that AWS models for it, what provokes it. */

import type { FailureName } from '../../../../src/model/failures.ts'
import type { Step } from '../scenario.ts'
import { type KmsName, NAMES, REQUESTS, type Request } from './requests.ts'

/** A row. */
export interface Row {
  readonly operation: KmsName
  readonly error: FailureName
  /** The last one is the operation's, and fails by the error. */
  readonly steps: readonly Step[]
}

/** A call of a row: a sound request, but for what is said here. */
export function asked(call: KmsName, request: Request = {}, save?: string): Step {
  return { call, request: { ...REQUESTS[call], ...request }, save }
}

/** A row of several calls, of which the last one fails. */
export function row(error: FailureName, ...steps: readonly Step[]): Row {
  const last = steps.at(-1)
  const operation = NAMES.find((name) => name === last?.call)
  if (!last || !operation) throw new Error(`a row of ${error} without a call of AWS KMS`)
  return { operation, error, steps: [...steps.slice(0, -1), { ...last, fails: error }] }
}

/** Rows of one error: a call each, by what is wrong with its request. */
export function rows(
  error: FailureName,
  requests: Partial<Readonly<Record<KmsName, Request>>>,
): readonly Row[] {
  return entries(requests).map(([name, request]) => row(error, asked(name, request)))
}

/** The same for several operations. */
export function each(names: readonly KmsName[], request: (name: KmsName) => Request) {
  return Object.fromEntries(names.map((name) => [name, request(name)]))
}

function entries(requests: Partial<Readonly<Record<KmsName, Request>>>) {
  return Object.entries(requests) as [KmsName, Request][]
}
