/**
 * A process that imports or removes material and kills itself at a chosen point of it, for the
 * tests. What it says, one JSON value a line, has been acknowledged by then.
 */

import { randomBytes } from 'node:crypto'
import type { Services } from '../../../src/lifecycle/change.ts'
import { removeMaterial } from '../../../src/lifecycle/import/remove.ts'
import { currentBackingKey } from '../../../src/model/key.ts'
import type { HsmSettings } from '../../../src/pkcs11/settings.ts'
import { killSelf, mortal } from '../dying.ts'
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
const death = { point: task.point, delayMs: 8, die }
const dying: Services = {
  ...services,
  store: { ...store, intents: mortal(store.intents, death), imports: mortal(store.imports, death) },
  objects: mortal(hsm.objects, death),
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

async function die(): Promise<never> {
  return killSelf(task.killHsm ? (pair.hsm.pid() ?? 0) : undefined)
}
