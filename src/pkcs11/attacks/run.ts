/**
 * Attacks on the token by a process of its own: a module that does not survive them takes nothing
 * with it but that process.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { KeySpec } from '../../model/key-specs.ts'
import { processEnvironment, processFile } from '../hsm-process.ts'
import type { HsmSettings } from '../settings.ts'
import type { AttackReport } from './report.ts'

/** On which the process says what came of it. */
export const SAID_FD = 3

/** What to attack. */
export interface AttackTask {
  readonly settings: HsmSettings
  /** Of which specs keys are made; all of them unless given. */
  readonly specs?: readonly KeySpec[]
  /** Only to destroy what an interrupted run has left. */
  readonly onlyDestroys?: boolean
}

/** What the process says, one JSON value a line. */
export type Said =
  | { readonly kind: 'attacking'; readonly key: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'done'; readonly report: AttackReport }

/**
 * Makes a key of every kind that keyslot makes, attacks each with a logged-in session, and
 * destroys them, also when it is interrupted.
 *
 * @throws Error when the attacks could not be made, or the module has not survived them.
 */
export async function attackToken(task: AttackTask): Promise<AttackReport> {
  const { child, said } = start(task)
  let last = 'the start'
  let end: Said | undefined
  for await (const line of createInterface({ input: said })) {
    const value = JSON.parse(line) as Said
    if (value.kind === 'attacking') last = value.key
    else end = value
  }
  const [code, signal] =
    child.exitCode === null && child.signalCode === null
      ? await once(child, 'exit')
      : [child.exitCode, child.signalCode]
  if (end?.kind === 'done') return end.report
  if (end?.kind === 'failed') throw new Error(end.reason)
  if (task.onlyDestroys !== true) await attackToken({ ...task, onlyDestroys: true })
  throw new Error(
    `the module did not survive the attacks on ${last}: ${signal ?? `exit code ${code}`}`,
  )
}

function start({ settings, ...rest }: AttackTask): { child: ChildProcess; said: Readable } {
  const { pinFd } = settings
  const child = spawn(process.execPath, [processFile('../attacks/process')], {
    stdio: ['pipe', 'ignore', 'ignore', 'pipe', ...(pinFd === undefined ? [] : [pinFd])],
    env: processEnvironment(settings.moduleEnvironment),
  })
  const said = child.stdio[SAID_FD] as Readable
  // The descriptor has another number in the child.
  const task: AttackTask = {
    ...rest,
    settings: { ...settings, pinFd: pinFd === undefined ? undefined : SAID_FD + 1 },
  }
  child.stdin?.end(JSON.stringify(task))
  return { child, said }
}
