/**
 * Attacks on the token by a process of its own: a module that does not survive them takes nothing
 * with it but that process.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { KeySpec } from '../../model/key-specs.ts'
import { passedPin, processEnvironment, processFile } from '../child-process.ts'
import type { HsmSettings } from '../settings.ts'
import { type Attacked, type AttackReport, CRASH, type Outcome, Tally } from './report.ts'

/** On which the process says what came of it. */
export const SAID_FD = 3

/** What to attack. */
export interface AttackTask {
  readonly settings: HsmSettings
  /** Of which specs keys are made; all of them unless given. */
  readonly specs?: readonly KeySpec[]
}

/** The task of one process. */
export interface ProcessTask extends AttackTask {
  /** Attacks that an earlier process has made. */
  readonly done: readonly Attacked[]
  /** Only to destroy what an interrupted run has left. */
  readonly onlyDestroys?: boolean
}

/** What the process says, one JSON value a line. */
export type Said =
  | ({ readonly kind: 'attacking' } & Attacked)
  | ({ readonly kind: 'attacked'; readonly outcomes: readonly Outcome[] } & Attacked)
  | { readonly kind: 'not made'; readonly key: string; readonly why: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'done' }

/**
 * Makes a key of every kind that keyslot makes, attacks each with a logged-in session, and
 * destroys them, also when it is interrupted. When an attack ends the process, another one goes on
 * behind it.
 *
 * @throws Error when the attacks could not be made.
 */
export async function attackToken(task: AttackTask): Promise<AttackReport> {
  const tally = new Tally()
  const done: Attacked[] = []
  const notMade = new Map<string, string>()
  for (;;) {
    let underWay: Attacked | undefined
    const end = await runProcess({ ...task, done }, (said) => {
      if (said.kind === 'attacking') underWay = { key: said.key, attack: said.attack }
      if (said.kind === 'not made') notMade.set(said.key, said.why)
      if (said.kind !== 'attacked') return
      tally.add(said.attack, said.key, said.outcomes)
      done.push({ key: said.key, attack: said.attack })
      underWay = undefined
    })
    if (end === undefined) break
    if (!end.isCrash || underWay === undefined) {
      await destroyAttacked(task.settings)
      throw new Error(end.reason)
    }
    tally.add(underWay.attack, underWay.key, [{ refused: CRASH }])
    done.push(underWay)
  }
  const keys = [...new Set(done.map(({ key }) => key))]
  return { keys, notMade: [...notMade].map(([key, why]) => ({ key, why })), ...tally.sums }
}

/** Destroys the keys that an interrupted run has left in the token. */
export async function destroyAttacked(settings: HsmSettings): Promise<void> {
  const failure = await runProcess({ settings, done: [], onlyDestroys: true }, () => undefined)
  if (failure !== undefined) throw new Error(failure.reason)
}

/** @returns why it ended before it was done. */
async function runProcess(
  task: ProcessTask,
  onSaid: (said: Said) => void,
): Promise<{ readonly reason: string; readonly isCrash: boolean } | undefined> {
  const { child, said } = start(task)
  const exited = once(child, 'exit')
  let end: Said | undefined
  for await (const line of createInterface({ input: said })) {
    const value = JSON.parse(line) as Said
    if (value.kind === 'done' || value.kind === 'failed') end = value
    else onSaid(value)
  }
  const [code, signal] = await exited
  if (end?.kind === 'done') return undefined
  if (end?.kind === 'failed') return { reason: end.reason, isCrash: false }
  const how = signal ?? `exit code ${code}`
  return { reason: `the process that attacks ended by ${how}`, isCrash: true }
}

function start({ settings, ...rest }: ProcessTask): { child: ChildProcess; said: Readable } {
  const passed = passedPin(settings, SAID_FD + 1)
  const child = spawn(process.execPath, [processFile('../attacks/process')], {
    stdio: ['pipe', 'ignore', 'ignore', 'pipe', ...passed.descriptors],
    env: processEnvironment(settings.moduleEnvironment),
  })
  const said = child.stdio[SAID_FD] as Readable
  const task: ProcessTask = { ...rest, settings: passed.settings }
  child.stdin?.end(JSON.stringify(task))
  return { child, said }
}
