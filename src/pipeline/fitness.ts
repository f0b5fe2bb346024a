/** Whether a key is fit for an operation: its kind, its state and its usage, in this order. */

import { fail } from '../model/failures.ts'
import type { Key, KeyState } from '../model/key.ts'
import type { KeyNeed, OperationName } from '../operations/operation.ts'

type Rule = Pick<KeyNeed<never>, 'checkKind' | 'states' | 'usage'>

/**
 * Refuses a key that is not fit. Of a key that can never do what is asked AWS says so whatever
 * state it is in, and looks at its usage last.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 *
 * @throws KmsError UnsupportedOperationException, DisabledException, KMSInvalidStateException or
 *   InvalidKeyUsageException.
 */
export function checkFitness(key: Key, need: Rule, operation: OperationName): void {
  need.checkKind?.(key)
  if (!need.states.includes(key.state)) refuseState(key, need.states)
  if (need.usage !== undefined && key.usage !== need.usage) {
    fail(
      'InvalidKeyUsageException',
      `${key.arn} key usage is ${key.usage} which is not valid for ${operation}.`,
    )
  }
}

const SPOKEN: Readonly<Record<KeyState, string>> = {
  Creating: 'is being created.',
  Enabled: 'is enabled.',
  Disabled: 'is disabled.',
  PendingDeletion: 'is pending deletion.',
  PendingImport: 'is pending import.',
  PendingReplicaDeletion: 'is pending replica deletion.',
  Unavailable: 'is unavailable.',
  Updating: 'is updating.',
}

function refuseState({ arn, state }: Key, states: readonly KeyState[]): never {
  if (states.length === 1 && states[0] === 'PendingDeletion') {
    fail('KMSInvalidStateException', `${arn} is not pending deletion.`)
  }
  const name = state === 'Disabled' ? 'DisabledException' : 'KMSInvalidStateException'
  fail(name, `${arn} ${SPOKEN[state]}`)
}
