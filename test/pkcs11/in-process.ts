/** The token opened in the test's own process, with faults injected around the module. */

import { randomBytes } from 'node:crypto'
import pkcs11js, { type PKCS11 } from 'pkcs11js'
import { packHead } from '../../src/model/ciphertext.ts'
import type { CipherSuite } from '../../src/model/key.ts'
import { type CalledKey, DataVerbs } from '../../src/pkcs11/process/data-verbs.ts'
import { GuardedSession, type WorkerToken } from '../../src/pkcs11/process/guarded-session.ts'
import { openToken, type ServedToken } from '../../src/pkcs11/process/token.ts'
import { PROFILES } from '../../src/pkcs11/profiles/choose.ts'
import type { HsmSettings, Log } from '../../src/pkcs11/settings.ts'
import { makeToken } from './token.ts'

/** A call into the module that may be made to fail. */
export type Fault = (call: string, result: () => unknown) => unknown

/** A token in this process. */
export interface InProcessToken {
  readonly settings: HsmSettings
  readonly directory: string
  readonly served: ServedToken
  /** Makes a backing key; its CKA_ID, as 32 hex digits, is beside it. */
  makeKey(suite?: CipherSuite): CalledKey & { readonly backingKeyId: string }
  /** Data verbs as a worker has them; what differs from the worker's settings in `change`. */
  verbs(change?: Partial<WorkerToken>): DataVerbs
  close(): void
}

/** Makes a token with a canary and opens it here. One for each test file: modules are global. */
export async function openHere(
  change: Partial<HsmSettings> = {},
  log: Log = () => undefined,
): Promise<InProcessToken> {
  const token = await makeToken()
  const settings = { ...token.settings, ...change }
  Object.assign(process.env, settings.moduleEnvironment)
  const served = await openToken(settings, log)
  served.objects.createCanary()
  const opened: GuardedSession[] = []
  return {
    settings,
    directory: token.directory,
    served,
    makeKey(suite = served.suite) {
      const id = randomBytes(16)
      const backingKeyId = id.toString('hex')
      served.objects.generate({ id: backingKeyId, label: 'keyslot test 1', suite })
      return {
        suite,
        head: packHead({ suite, keyId: randomBytes(16).toString('hex'), backingKeyId }),
        backingKeyId,
        entry: id.toString('latin1'),
        account: '111122223333',
      }
    },
    verbs(changes = {}) {
      const { slotId, profile, ...start } = served.workerStart(0)
      const guard = new GuardedSession({
        ...start,
        pkcs11: bindings(settings),
        slotId: Buffer.from(slotId),
        profile: PROFILES[profile],
        ...changes,
      })
      opened.push(guard)
      return new DataVerbs(guard)
    },
    close() {
      for (const guard of opened) guard.close()
      served.close()
      token.remove()
    },
  }
}

/** The module's binding, every call of which goes through `fault`. */
export function bindings(
  { modulePath }: HsmSettings,
  fault: Fault = (_, result) => result(),
): PKCS11 {
  const pkcs11 = new pkcs11js.PKCS11()
  pkcs11.load(modulePath)
  return new Proxy(pkcs11, {
    get(target, name) {
      const member = Reflect.get(target, name)
      if (typeof member !== 'function' || typeof name !== 'string') return member
      return (...input: unknown[]) => fault(name, () => member.apply(target, input))
    },
  })
}

/** The binding's error for a return value. */
export function failure(name: string, code: number): Error {
  return new Error(`${name}:${code}`)
}
