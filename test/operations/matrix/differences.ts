/** Asks all operations of a key in a state, and says which of them do not do as documented. */

import type { Service } from '../../../src/service.ts'
import { ATTEMPTS, rpcOf } from './attempts.ts'
import type { Kind } from './documents.ts'
import { type Asker, outcome } from './outcomes.ts'
import { outcomeOn, type State } from './states.ts'
import { bring, type Subject } from './subjects.ts'

/** What may bring a key to another state. */
const MOVING = /^(EnableKey|DisableKey|.*KeyDeletion|.*KeyMaterial)$/

/** The states of a key, in the order in which it comes to them; an imported one waits twice. */
export function statesOf({ origin }: Kind): readonly State[] {
  const states = ['Enabled', 'Disabled', 'PendingDeletion'] as const
  return origin === 'EXTERNAL' ? ['PendingImport', ...states, 'PendingImport'] : states
}

/** Lines of `state operation: what it did, what is documented`. */
export async function differencesOf(
  subject: Subject,
  state: State,
  asker: Asker,
): Promise<readonly string[]> {
  const differences: string[] = []
  await bring(subject, state)
  for (const [operation, ask] of ATTEMPTS) {
    const request = ask(subject)
    if (request === undefined) continue
    const expected = outcomeOn(operation, subject, state)
    const name = rpcOf(operation)
    if (!asker.has(name)) continue
    const found = await outcome(asker, name, request, (response) => {
      if (name !== 'GetParametersForImport') return
      subject.prepared(response as Service['GetParametersForImport']['response'])
    })
    if (found !== expected) differences.push(`${state} ${operation}: ${found}, ${expected}`)
    if (found === 'ok' && MOVING.test(operation)) await bring(subject, state)
  }
  return differences
}
