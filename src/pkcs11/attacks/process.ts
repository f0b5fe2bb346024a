/**
 * The process that attacks: it opens the token as the service does, makes keys, attacks them one
 * after the other, and destroys them. Its task comes on standard input. When whoever started it
 * has gone, or by a signal, it finishes with the key at hand, destroys what it has made, and ends.
 */

import { writeSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { openToken } from '../process/token.ts'
import { attackAll, openBattle } from './battle.ts'
import { type ProcessTask, SAID_FD, type Said } from './run.ts'
import { destroyTargets } from './targets.ts'

const task = JSON.parse(await text(process.stdin)) as ProcessTask
const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interruption.abort(new Error(`interrupted by ${signal}`)))
}

try {
  await attack()
  say({ kind: 'done' })
} catch (cause) {
  say({ kind: 'failed', reason: cause instanceof Error ? cause.message : String(cause) })
}

async function attack(): Promise<void> {
  const served = await openToken(task.settings, () => undefined)
  const battle = openBattle(served)
  try {
    if (task.onlyDestroys === true) {
      destroyTargets(battle.session)
      return
    }
    await attackAll(battle, {
      settings: task.settings,
      specs: task.specs,
      done: task.done,
      signal: interruption.signal,
      onAttack: (attacked) => say({ kind: 'attacking', ...attacked }),
      onOutcomes: (attacked, outcomes) => say({ kind: 'attacked', ...attacked, outcomes }),
      onNotMade: (key, why) => say({ kind: 'not made', key, why }),
    })
  } finally {
    battle.close()
    served.close()
  }
}

/** At once: the next call into the module may be the last. */
function say(value: Said): void {
  const line = Buffer.from(`${JSON.stringify(value)}\n`)
  try {
    for (let at = 0; at < line.length; ) at += writeSync(SAID_FD, line, at)
  } catch (cause) {
    interruption.abort(cause)
  }
}
