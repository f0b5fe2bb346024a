/** The HSM process as the verbs reach it, whichever is running. */

import { KmsError } from '../../model/failures.ts'
import type { BackingKey } from '../../model/key.ts'
import type { CallLimits } from '../hsm.ts'
import type { ManagementVerb, ManagementVerbs } from '../management.ts'
import type { CallKind, Calls, WriteCall } from './calls.ts'

/** The running HSM process, or why there is none. */
export interface Connection {
  /** @throws KmsError KMSInternalException (UNAVAILABLE) while no process is ready. */
  calls(): Calls
  manage<V extends ManagementVerb>(
    verb: V,
    input: ManagementVerbs[V]['takes'],
  ): Promise<ManagementVerbs[V]['answers']>
}

/** Makes a call that uses these backing keys; a second time if one had to be looked for. */
export type MakeCall = (
  keys: readonly BackingKey[],
  write: WriteCall,
  limits: CallLimits,
  kind?: CallKind,
) => Promise<Buffer>

/** The failure of a call while there is no HSM process to make it. */
export function unavailable(reason: string): KmsError {
  return new KmsError('KMSInternalException', 'The HSM is not available; try again.', {
    grpc: 'UNAVAILABLE',
    cause: new Error(reason),
  })
}
