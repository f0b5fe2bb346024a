/** How calls end, as the matrix compares them. */

import type { RpcName } from '../../../src/service.ts'
import { call } from '../service.ts'

/** Whether the slow cells are tried too. */
export const isInFull = process.env.KEYSLOT_VECTORS === 'full'

/** Whoever calls: a client of the gRPC door, or of the AWS door. */
export interface Asker {
  /** Whether it knows the operation. */
  has(name: RpcName): boolean
  call(name: RpcName, request: object): Promise<unknown>
}

/** The client of the gRPC door, as the account's root. */
export function grpcClient(): Asker {
  return {
    has: () => true,
    call: (name, request) => call(name, request as never),
  }
}

/** `ok`, or AWS's name of the error. */
export async function outcome(
  asker: Asker,
  name: RpcName,
  request: object,
  answered: (response: unknown) => void = () => {},
): Promise<string> {
  try {
    answered(await asker.call(name, request))
    return 'ok'
  } catch (error) {
    return (error as Error).name
  }
}
