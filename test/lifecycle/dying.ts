/** Processes that kill themselves in the middle of a change, and those that wait for their end. */

import { setTimeout as wait } from 'node:timers/promises'

/** When to die. */
export interface Death {
  /** `during` or `after` and the name of a call, such as `after generateBackingKey`. */
  readonly point: string
  /** How long after the call has begun, if it is to be during it. */
  readonly delayMs: number
  readonly die: () => Promise<never>
}

/** The same calls, one of which is deadly. */
export function mortal<Calls extends object>(calls: Calls, { point, delayMs, die }: Death): Calls {
  const deadly = Object.entries(calls).map(([name, call]) => [
    name,
    async (...input: unknown[]) => {
      const answer = call(...input)
      if (point === `during ${name}`) setTimeout(die, delayMs)
      const value = await answer
      if (point === `after ${name}`) await die()
      return value
    },
  ])
  return Object.fromEntries(deadly)
}

/** Kills this process, and the HSM process before it if there is one to take along. */
export function killSelf(hsmPid?: number): Promise<never> {
  if (hsmPid !== undefined) process.kill(hsmPid, 'SIGKILL')
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => {})
}

/** Resolves when there is no such process: an HSM process ends by itself when its door is gone. */
export async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await wait(20)
  }
}
