/** The attacks on a token that is open in this process: all of them, on one key after the other. */

import { spawnSync } from 'node:child_process'
import { setImmediate as nextTurn } from 'node:timers/promises'
import pkcs11js, { type PKCS11 } from 'pkcs11js'
import type { KeySpec } from '../../model/key-specs.ts'
import { processFile } from '../hsm-process.ts'
import { makeDataKeyPair } from '../kinds/data-key-pairs.ts'
import type { ServedToken } from '../process/token.ts'
import type { HsmSettings } from '../settings.ts'
import { generationOf } from '../token/mechanisms.ts'
import { TokenError } from '../token/return-values.ts'
import { TokenSession } from '../token/session.ts'
import { dataKeyPairTemplate, publicKeyTemplate } from '../token/templates.ts'
import { attackKey } from './attack.ts'
import { Attacker } from './attacker.ts'
import { type AttackReport, type Outcome, Tally } from './report.ts'
import { SAID_FD } from './run.ts'
import {
  ATTACKED_SPECS,
  type AttackedToken,
  destroyTargets,
  type MadeTarget,
  sessionKeys,
  type TargetPlan,
  targetPlans,
} from './targets.ts'

/** A token under attack. */
export interface Battle {
  readonly token: AttackedToken
  readonly attacker: Attacker
  /** Holds the keys that are session objects. */
  readonly session: TokenSession
  close(): void
}

/** Takes the position of the attacker in a token that is open and logged in. */
export function openBattle(served: ServedToken): Battle {
  const { modulePath, slotId, proved, derives } = served.workerStart(0)
  const pkcs11: PKCS11 = new pkcs11js.PKCS11()
  // The library is in the process already, and initialised.
  pkcs11.load(modulePath)
  const slot = Buffer.from(slotId)
  const attacker = new Attacker(pkcs11, slot)
  const session = TokenSession.open(pkcs11, slot, served.profile)
  return {
    token: {
      profile: served.profile,
      proved: (name) => proved.includes(name),
      derives,
      lacks: served.lacks,
    },
    attacker,
    session,
    close() {
      session.close()
      attacker.close()
    },
  }
}

/** How a battle is fought. */
export interface BattleOrder {
  readonly settings: HsmSettings
  /** Of which specs keys are made; all of them unless given. */
  readonly specs?: readonly KeySpec[]
  /** Ends it after the key at hand. */
  readonly signal: AbortSignal
  readonly onKey: (key: string) => void
}

/**
 * Makes all attacks on a key of every kind, and destroys the keys.
 *
 * @throws Error when it was interrupted; the keys are destroyed then too.
 */
export async function attackAll(battle: Battle, order: BattleOrder): Promise<AttackReport> {
  const { session, token } = battle
  const tally = new Tally()
  const keys: string[] = []
  const notMade: { key: string; why: string }[] = []
  // What an interrupted run has left.
  destroyTargets(session)
  try {
    for (const plan of targetPlans(token, order.specs ?? ATTACKED_SPECS)) {
      await nextTurn()
      order.signal.throwIfAborted()
      order.onKey(plan.name)
      const why = plan.lack ?? attackPlan(battle, plan, tally)
      if (why === undefined) keys.push(plan.name)
      else notMade.push({ key: plan.name, why })
    }
    order.onKey(PASSING)
    tally.add('find a session object afterwards', PASSING, leftovers(battle))
    tally.add('find it from another process', PASSING, sights(battle, order.settings))
    keys.push(PASSING)
  } finally {
    destroyTargets(session)
  }
  return { keys, notMade, ...tally.sums }
}

/** Data key pairs and derived keys: session objects. */
const PASSING = 'data key pair'
const DATA_KEY_PAIR = { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' } as const

/** @returns why the token did not make the key. */
function attackPlan(battle: Battle, plan: TargetPlan, tally: Tally): string | undefined {
  const { session, attacker } = battle
  let made: MadeTarget
  try {
    made = plan.make(session)
  } catch (cause) {
    if (cause instanceof TokenError) return cause.message
    throw cause
  }
  attackKey(attacker, made.target, tally)
  tally.add('the key afterwards', plan.name, [afterwards(session, made)])
  session.destroyObject(made.target.handle)
  return undefined
}

/** Whatever has become of the key, a refusal alone would not show it. */
function afterwards(session: TokenSession, { check }: MadeTarget): Outcome {
  const fresh = session.another()
  try {
    check(fresh)
    return { refused: 'as it was made' }
  } catch (cause) {
    const how = cause instanceof Error ? cause.message : String(cause)
    return { gain: 'attribute loosened', how }
  } finally {
    fresh.close()
  }
}

/** Looks for what the making of a data key pair, which is read out, leaves in the token. */
function leftovers({ session, token }: Battle): readonly Outcome[] {
  if (token.lacks(DATA_KEY_PAIR) !== undefined) return []
  const before = sessionKeys(session).length
  const { privateKey } = makeDataKeyPair(session, DATA_KEY_PAIR.spec, token.proved)
  privateKey.fill(0)
  const left = sessionKeys(session).length - before
  if (left === 0) return [{ refused: 'not found' }]
  return [{ gain: 'key out', how: `${left} objects are left of a data key pair` }]
}

/** Looks for the session objects of this process with a session of another one. */
function sights({ session, token }: Battle, settings: HsmSettings): readonly Outcome[] {
  if (token.lacks(DATA_KEY_PAIR) !== undefined) return []
  const generation = generationOf(DATA_KEY_PAIR, token.proved)
  const pair = session.generateKeyPair(
    generation.mechanism,
    publicKeyTemplate(generation),
    dataKeyPairTemplate(generation),
  )
  try {
    const seen = seenByAnother(settings)
    if (seen === 0) return [{ refused: 'not found' }]
    return [{ gain: 'key out', how: `another process finds ${seen} session objects` }]
  } finally {
    session.destroyObject(pair.privateKey)
    session.destroyObject(pair.publicKey)
  }
}

/** How many session keys of others a process finds that has just logged in. */
function seenByAnother(settings: HsmSettings): number {
  const { pinFd } = settings
  const { output, status, stderr } = spawnSync(
    process.execPath,
    [processFile('../attacks/onlooker')],
    {
      input: JSON.stringify({ ...settings, pinFd: pinFd === undefined ? undefined : SAID_FD + 1 }),
      stdio: ['pipe', 'ignore', 'pipe', 'pipe', ...(pinFd === undefined ? [] : [pinFd])],
    },
  )
  if (status !== 0) throw new Error(`another process cannot look on: ${stderr}`)
  return Number(output[SAID_FD])
}
