/**
 * The process that attacks: it opens the token as the service does, makes keys, attacks them one
 * after the other, and destroys them. Its task comes on standard input. When whoever started it
 * has gone, or by a signal, it finishes with the key at hand, destroys what it has made, and ends.
 */

import { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { openToken } from '../process/token.ts'
import { attackAll, openBattle } from './battle.ts'
import { type AttackTask, SAID_FD, type Said } from './run.ts'
import { destroyTargets } from './targets.ts'

const task = JSON.parse(await text(process.stdin)) as AttackTask
const door = new Socket({ fd: SAID_FD, readable: true, writable: true })
const interruption = new AbortController()
const interrupt = () => interruption.abort(new Error('interrupted'))
door.on('error', interrupt).on('close', interrupt).resume()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt)

try {
  const report = await attack()
  say({ kind: 'done', report })
} catch (cause) {
  say({ kind: 'failed', reason: cause instanceof Error ? cause.message : String(cause) })
}
door.end()

async function attack() {
  const served = await openToken(task.settings, () => undefined)
  const battle = openBattle(served)
  try {
    if (task.onlyDestroys === true) {
      destroyTargets(battle.session)
      return { keys: [], notMade: [], rows: [], successes: [] }
    }
    return await attackAll(battle, {
      specs: task.specs,
      settings: task.settings,
      signal: interruption.signal,
      onKey: (key) => say({ kind: 'attacking', key }),
    })
  } finally {
    battle.close()
    served.close()
  }
}

function say(value: Said): void {
  if (!door.destroyed) door.write(`${JSON.stringify(value)}\n`)
}
