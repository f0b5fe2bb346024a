/**
 * A process that imports or removes material and kills itself at a chosen point of it, for the
 * tests. What it says, one JSON value a line, has been acknowledged by then.
 */

import { randomBytes } from 'node:crypto'
import type { Services } from '../../../src/lifecycle/change.ts'
import { removeMaterial } from '../../../src/lifecycle/import/remove.ts'
import { currentBackingKey } from '../../../src/model/key.ts'
import type { HsmSettings } from '../../../src/pkcs11/settings.ts'
import { encrypt, openPair } from '../pair.ts'
import { importInto, makeExternalKey } from './owner.ts'

/** What to do, and when to die. */
export interface ChildTask {
  readonly settings: HsmSettings
  readonly path: string
  readonly change: 'import' | 'reimport' | 'remove'
  /** `during` or `after` and the name of a call, such as `after importBackingKey`. */
  readonly point: string
  /** Whether the HSM process is killed as well. */
  readonly killHsm: boolean
}

const task: ChildTask = JSON.parse(process.argv[2] ?? '')
const pair = await openPair(task.settings, task.path)
const say = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`)
say({ hsmPid: pair.hsm.pid() })

const { services, store, hsm } = pair
const dying: Services = {
  ...services,
  store: { ...store, intents: mortal(store.intents), imports: mortal(store.imports) },
  objects: mortal(hsm.objects),
}
const key = await makeExternalKey(services)
const material = randomBytes(32)
say({ keyId: key.keyId, material: material.toString('hex') })

if (task.change === 'import') {
  const imported = await importInto(dying, key, material)
  say({ blob: await encrypt(pair, imported) })
} else {
  const imported = await importInto(services, key, material)
  say({ blob: await encrypt(pair, imported) })
  const isLast = task.change === 'remove'
  await removeMaterial(isLast ? dying : services, imported, currentBackingKey(imported))
  if (!isLast) await importInto(dying, key, material)
}
await die()

/** The same calls, one of which is deadly. */
function mortal<Calls extends object>(calls: Calls): Calls {
  const deadly = Object.entries(calls).map(([name, call]) => [
    name,
    async (...input: unknown[]) => {
      const answer = call(...input)
      if (task.point === `during ${name}`) setTimeout(die, 8)
      const value = await answer
      if (task.point === `after ${name}`) await die()
      return value
    },
  ])
  return Object.fromEntries(deadly)
}

async function die(): Promise<never> {
  if (task.killHsm) process.kill(pair.hsm.pid() ?? 0, 'SIGKILL')
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => {})
}
