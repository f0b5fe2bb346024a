/**
 * A process that makes a change and kills itself at a chosen point of it, for the tests. What it
 * says of keys and ciphertexts, one JSON value a line, has been acknowledged by then.
 */

import type { Services } from '../../src/lifecycle/change.ts'
import { destroyKey } from '../../src/lifecycle/destroy.ts'
import { rotateKey } from '../../src/lifecycle/rotate.ts'
import type { HsmSettings } from '../../src/pkcs11/settings.ts'
import { killSelf, mortal } from './dying.ts'
import { encrypt, makeDueKey, makeKey, openPair } from './pair.ts'

/** What to do, and when to die. */
export interface ChildTask {
  readonly settings: HsmSettings
  readonly path: string
  readonly change: 'create' | 'rotate' | 'destroy'
  /** `during` or `after` and the name of a call, such as `after generateBackingKey`. */
  readonly point: string
  /** Whether the HSM process is killed as well. */
  readonly killHsm: boolean
}

const startMs = Date.now()
const task: ChildTask = JSON.parse(process.argv[2] ?? '')
const pair = await openPair(task.settings, task.path)
const say = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`)
say({ hsmPid: pair.hsm.pid() })

const { services, store, hsm } = pair
const death = { point: task.point, delayMs: 2, die }
const dying: Services = {
  ...services,
  store: { ...store, intents: mortal(store.intents, death) },
  objects: mortal(hsm.objects, death),
}

if (task.change === 'create') {
  const key = await makeKey(dying)
  say({ keyId: key.keyId, blob: await encrypt(pair, key) })
} else if (task.change === 'rotate') {
  const key = await makeKey(services)
  say({ keyId: key.keyId, blob: await encrypt(pair, key) })
  const rotated = await rotateKey(dying, key, 'ON_DEMAND')
  say({ keyId: rotated.keyId, blob: await encrypt(pair, rotated) })
} else {
  await destroyKey(dying, await makeDueKey(services))
}
await die()

async function die(): Promise<never> {
  const pending = await store.intents.pending()
  const begun = pending.find(({ createdMs }) => createdMs >= startMs)
  if (begun !== undefined) say({ changing: begun.keyId })
  return killSelf(task.killHsm ? (pair.hsm.pid() ?? 0) : undefined)
}
