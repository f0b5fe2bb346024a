/**
 * Which calls a worker takes. A call that takes milliseconds or seconds, as those with RSA do, would
 * keep thousands waiting behind it that take microseconds: some workers never take one. Where the only
 * worker has both, cheap ones go first, and slow ones have their turn.
 */

import type { Profile } from './profiles/profile.ts'

/** The calls that a worker takes; `both`: one slow call at a time, and no others beside it. */
export type Lane = 'cheap' | 'slow' | 'both'

/** How many workers there should be, each a thread with a session of its own. */
export function workersWanted(profile: Profile, setting: number | undefined): number {
  const workers = setting ?? profile.workers
  return profile.slowCalls === 'apart' ? workers + 1 : workers
}

/** The lanes of as many workers as there are. */
export function lanesOf({ slowCalls }: Profile, workers: number): readonly Lane[] {
  const lanes = (cheap: number, others: Lane): Lane[] =>
    Array.from({ length: workers }, (_, at) => (at < cheap ? 'cheap' : others))
  if (workers === 1) return lanes(0, 'both')
  return slowCalls === 'apart' ? lanes(workers - 1, 'slow') : lanes(Math.ceil(workers / 4), 'both')
}
