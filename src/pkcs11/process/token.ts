/** Opens the token for this process: module, login, capabilities, canary, stock of objects. */

import type { CipherSuite } from '../../model/key.ts'
import type { KeyKind } from '../../model/key-specs.ts'
import { TokenImports } from '../import/token-imports.ts'
import type { Profile } from '../profiles/profile.ts'
import type { Capability, HsmReport, HsmSettings, Log, TokenIdentity } from '../settings.ts'
import {
  CAPABILITY_NAMES,
  lackOf,
  neededOf,
  proveCapabilities,
  provedKinds,
  suiteOf,
} from '../token/capabilities.ts'
import {
  type FoundToken,
  findToken,
  loadModule,
  logIn,
  RefusedError,
  readPin,
} from '../token/module.ts'
import { TokenSession } from '../token/session.ts'
import { HandleLogWriter, newHandleLog } from './handle-log.ts'
import { TokenObjects } from './objects.ts'
import type { WorkerStart } from './worker.ts'

const DERIVED_KEY_MESSAGES_MAX = 2 ** 20
const DERIVED_KEY_AGE_MAX_MS = 60_000
/** Sessions of the object thread: the login's, one at work, and one to look at its work. */
const OWN_SESSIONS = 3

/** The token as this process serves it. */
export interface ServedToken {
  readonly profile: Profile
  readonly identity: TokenIdentity
  readonly suite: CipherSuite
  readonly objects: TokenObjects
  readonly imports: TokenImports
  /** Worker threads that serve. */
  workers: number
  /** How many the token has sessions for. */
  readonly workersMax: number
  /** What a worker needs that opens this descriptor. */
  workerStart(fd: number): WorkerStart
  /** Why the token makes no keys of a kind; `undefined` when it does. */
  lacks(kind: KeyKind): string | undefined
  /** The report of the token, with the canary found and used just now. */
  check(): HsmReport
  /** Closes all sessions and the module. */
  close(): void
}

/**
 * Opens the token.
 *
 * @throws RefusedError when only the operator can mend it; Error when another start may.
 */
export async function openToken(settings: HsmSettings, log: Log): Promise<ServedToken> {
  for (const name of settings.withdraw ?? []) {
    if (!CAPABILITY_NAMES.includes(name)) {
      throw new RefusedError(`'${name}' cannot be withdrawn: it is none of ${CAPABILITY_NAMES}`)
    }
  }
  const module = loadModule(settings, (what) => log('warn', what))
  const token = findToken(module, settings.tokenLabel)
  const { profile, pkcs11 } = module
  const { identity, slot } = token
  log('info', 'the PKCS#11 module is loaded', identity)
  const pin = { file: settings.pinFile, fd: settings.pinFd }
  await logIn(module, token, () => readPin(pin))
  const openSession = () => TokenSession.open(pkcs11, slot.handle, profile)
  const capabilities = provedCapabilities(token, openSession, settings, log)
  const needed = neededOf(capabilities)
  const suite = suiteOf(needed) ?? cannotServe(needed)
  const handleLog = newHandleLog()
  const files = profile.tokenFiles?.(process.env)
  const { serialNumber } = identity
  const proved = provedKinds(capabilities)
  const objects = new TokenObjects(openSession, {
    profile,
    proved: (name) => proved.includes(name),
    serialNumber,
    derives: suite === 1,
    files,
    handleLog: new HandleLogWriter(handleLog),
    log,
  })
  objects.takeStock(settings.canaryId)
  // A key that was derived from before is not given up for what may pass.
  if (suite === 2 && objects.holds(1) && mayPass(needed)) cannotServe(needed)
  try {
    files?.keepCopy(serialNumber)
  } catch (cause) {
    // The token works, and an older copy may be there: a full disk must not end the service.
    log('warn', 'the copy of the token could not be renewed', { reason: String(cause) })
  }
  const served: ServedToken = {
    profile,
    identity,
    suite,
    objects,
    imports: new TokenImports(objects, {
      profile,
      proved: (name) => proved.includes(name),
      fips: settings.fips ?? false,
    }),
    workers: 0,
    workersMax: Math.max(1, (limit(token.token.maxSessionCount) ?? Infinity) - OWN_SESSIONS),
    workerStart: (fd) => ({
      fd,
      modulePath: settings.modulePath,
      profile: profile.name,
      slotId: slot.handle,
      handleLog,
      derives: suite === 1,
      proved,
      verifyEncryption: settings.verifyEncryption ?? true,
      verifyDecryption: settings.verifyDecryption ?? false,
      derivedKeyLimits: {
        messagesMax: settings.derivedKeyMessagesMax ?? DERIVED_KEY_MESSAGES_MAX,
        ageMaxMs: settings.derivedKeyAgeMaxMs ?? DERIVED_KEY_AGE_MAX_MS,
        keptMax: profile.derivedKeysMax,
      },
    }),
    lacks: (kind) => lackOf(capabilities, kind),
    check: () => report(token, served, capabilities),
    close: () => {
      slot.closeAll()
      module.graphene.finalize()
    },
  }
  return served
}

function provedCapabilities(
  { slot }: FoundToken,
  openSession: () => TokenSession,
  settings: HsmSettings,
  log: Log,
): readonly Capability[] {
  const session = openSession()
  try {
    const capabilities = proveCapabilities(slot, session, withdrawnBy(settings))
    for (const what of withdrawals(capabilities)) log('warn', `not used: ${what}`)
    return capabilities
  } finally {
    session.close()
  }
}

/** Validated modules pad by themselves, or not at all. */
function withdrawnBy({ withdraw = [], fips = false }: HsmSettings): readonly string[] {
  return fips ? [...withdraw, 'CKM_RSA_X_509'] : withdraw
}

/** @throws RefusedError when the token cannot do what is needed; Error when it may yet. */
function cannotServe(capabilities: readonly Capability[]): never {
  const reason = `the token cannot serve: ${withdrawals(capabilities).join('; ')}`
  throw mayPass(capabilities) ? new Error(reason) : new RefusedError(reason)
}

function mayPass(capabilities: readonly Capability[]): boolean {
  return capabilities.some((capability) => capability.mayPass)
}

function withdrawals(capabilities: readonly Capability[]): readonly string[] {
  return capabilities.flatMap(({ name, withdrawn }) =>
    withdrawn === undefined ? [] : [`${name}: ${withdrawn}`],
  )
}

function report(
  { token, identity }: FoundToken,
  { objects, workers }: ServedToken,
  capabilities: readonly Capability[],
): HsmReport {
  const hasCanary = objects.canaryId !== undefined
  if (hasCanary) objects.proveCanary()
  return {
    identity,
    limits: {
      sessionsMax: limit(token.maxSessionCount),
      readWriteSessionsMax: limit(token.maxRwSessionCount),
      publicMemoryBytesFree: limit(token.freePublicMemory),
      privateMemoryBytesFree: limit(token.freePrivateMemory),
    },
    capabilities,
    workers,
    backingKeys: objects.size,
    canary: hasCanary ? 'good' : undefined,
  }
}

/** 0 is "effectively infinite", all bits set "unavailable"; the binding answers it as BigInt. */
function limit(value: number | bigint): number | undefined {
  return typeof value === 'bigint' || value === 0 || value >= 0xffffffff ? undefined : value
}
