/** What each part of a seed is applied with. */

import type { OperationName, Operations } from '../operations/operation.ts'

/** What applies the seed of an account. */
export interface AccountSeed {
  /** Calls as the account's root. */
  call<N extends OperationName>(
    name: N,
    request: Operations[N]['request'],
  ): Promise<Operations[N]['response']>
  /** The same; `undefined` for a failure of this name. */
  find<N extends OperationName>(
    name: N,
    request: Operations[N]['request'],
  ): Promise<Operations[N]['response'] | undefined>
  /** The path of a file that the seed names. */
  readonly resolvePath: (path: string) => string
}
