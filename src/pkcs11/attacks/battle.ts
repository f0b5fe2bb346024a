/** The attacks on a token that is open in this process: all of them, on one key after the other. */

import { spawnSync } from 'node:child_process'
import { setImmediate as nextTurn } from 'node:timers/promises'
import pkcs11js, { type PKCS11 } from 'pkcs11js'
import type { KeySpec } from '../../model/key-specs.ts'
import { passedPin, processFile } from '../child-process.ts'
import { makeDataKeyPair } from '../kinds/data-key-pairs.ts'
import type { ServedToken } from '../process/token.ts'
import type { HsmSettings } from '../settings.ts'
import { generationOf } from '../token/mechanisms.ts'
import { TokenError } from '../token/return-values.ts'
import { TokenSession } from '../token/session.ts'
import { dataKeyPairTemplate, publicKeyTemplate } from '../token/templates.ts'
import { ATTACKS } from './attack.ts'
import { Attacker } from './attacker.ts'
import type { Attacked, Outcome } from './report.ts'
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

/** How a battle is fought, and who is told of it. */
export interface BattleOrder {
  readonly settings: HsmSettings
  /** Of which specs keys are made; all of them unless given. */
  readonly specs?: readonly KeySpec[]
  /** Attacks that are left out. */
  readonly done: readonly Attacked[]
  /** Ends it after the attack at hand. */
  readonly signal: AbortSignal
  readonly onAttack: (attacked: Attacked) => void
  readonly onOutcomes: (attacked: Attacked, outcomes: readonly Outcome[]) => void
  readonly onNotMade: (key: string, why: string) => void
}

/**
 * Makes all attacks on a key of every kind, and destroys the keys.
 *
 * @throws Error when it was interrupted; the keys are destroyed then too.
 */
export async function attackAll(battle: Battle, order: BattleOrder): Promise<void> {
  const { session, token } = battle
  // What an interrupted run has left.
  destroyTargets(session)
  try {
    for (const plan of targetPlans(token, order.specs ?? ATTACKED_SPECS)) {
      const left = KEY_ATTACKS.filter((attack) => !isDone(order, plan.name, attack))
      if (plan.lack !== undefined) order.onNotMade(plan.name, plan.lack)
      else if (left.length > 0) await attackPlan(battle, plan, order)
    }
    await makeAttack(order, PASSING, 'find a session object afterwards', () => leftovers(battle))
    await makeAttack(order, PASSING, 'find it from another process', () =>
      sights(battle, order.settings),
    )
  } finally {
    destroyTargets(session)
  }
}

/** Data key pairs are session objects. */
const PASSING = 'data key pair'
const DATA_KEY_PAIR = { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' } as const
const AFTERWARDS = 'the key afterwards'
const KEY_ATTACKS: readonly string[] = [...ATTACKS.map(({ name }) => name), AFTERWARDS]

async function attackPlan(battle: Battle, plan: TargetPlan, order: BattleOrder): Promise<void> {
  const { session, attacker } = battle
  let made: MadeTarget
  try {
    made = plan.make(session)
  } catch (cause) {
    if (!(cause instanceof TokenError)) throw cause
    order.onNotMade(plan.name, cause.message)
    return
  }
  const { target } = made
  for (const { name, run } of ATTACKS) {
    await makeAttack(order, plan.name, name, () => run(attacker, target))
  }
  await makeAttack(order, plan.name, AFTERWARDS, () => [afterwards(session, made)])
  session.destroyObject(target.handle)
}

async function makeAttack(
  order: BattleOrder,
  key: string,
  attack: string,
  make: () => Iterable<Outcome>,
): Promise<void> {
  if (isDone(order, key, attack)) return
  await nextTurn()
  order.signal.throwIfAborted()
  order.onAttack({ key, attack })
  order.onOutcomes({ key, attack }, [...make()])
}

function isDone({ done }: BattleOrder, key: string, attack: string): boolean {
  return done.some((one) => one.key === key && one.attack === attack)
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
  const passed = passedPin(settings, SAID_FD + 1)
  const { output, status, stderr } = spawnSync(
    process.execPath,
    [processFile('../attacks/onlooker')],
    {
      input: JSON.stringify(passed.settings),
      stdio: ['pipe', 'ignore', 'pipe', 'pipe', ...passed.descriptors],
    },
  )
  if (status !== 0) throw new Error(`another process cannot look on: ${stderr}`)
  return Number(output[SAID_FD])
}
