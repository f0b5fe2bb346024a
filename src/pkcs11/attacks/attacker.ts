/**
 * The attacker: a logged-in session with every function of the module, which is the strongest
 * position there is, and keys of its own.
 */

import pkcs11js, { type Attribute, type Handle, type Mechanism, type PKCS11 } from 'pkcs11js'
import { asked, TokenError } from '../token/return-values.ts'
import { asBytes } from '../token/templates.ts'
import type { Outcome } from './report.ts'

/** What a call came to. */
export type Answer<T> = { readonly value: T } | { readonly refused: string }

/** A call of the attacker's, on a session that is closed after it. */
export type Ask<T> = (pkcs11: PKCS11, session: Handle) => T

/** The attacker. */
export class Attacker {
  readonly #pkcs11: PKCS11
  readonly #slotId: Handle
  /** Holds the attacker's own keys, which are session objects. */
  readonly #session: Handle
  readonly #flags = new Map<number, number>()

  constructor(pkcs11: PKCS11, slotId: Handle) {
    this.#pkcs11 = pkcs11
    this.#slotId = slotId
    this.#session = this.#open()
    for (const mechanism of pkcs11.C_GetMechanismList(slotId)) {
      this.#flags.set(mechanism, pkcs11.C_GetMechanismInfo(slotId, mechanism).flags)
    }
  }

  /** The mechanisms that the token offers for a function, by its flag (CKF_…). */
  mechanismsFor(flag: number): readonly number[] {
    return [...this.#flags].filter(([, flags]) => (flags & flag) !== 0).map(([number]) => number)
  }

  /** Every mechanism that the token offers. */
  get mechanisms(): readonly number[] {
    return [...this.#flags.keys()]
  }

  /** Makes calls on a session of their own, since one that fails may leave it of no use. */
  ask<T>(call: string, ask: Ask<T>): Answer<T> {
    const session = this.#open()
    try {
      return { value: asked(call, () => ask(this.#pkcs11, session)) }
    } catch (cause) {
      return { refused: refusalOf(cause) }
    } finally {
      this.#pkcs11.C_CloseSession(session)
    }
  }

  /** Makes an object that stays until the attacker is done. */
  make<T>(ask: Ask<T>): Answer<T> {
    try {
      return { value: asked('make', () => ask(this.#pkcs11, this.#session)) }
    } catch (cause) {
      return { refused: refusalOf(cause) }
    }
  }

  /** Reads one attribute; `undefined` when the token does not tell it. */
  read(object: Handle, type: number): Buffer | undefined {
    const answer = this.ask('C_GetAttributeValue', (pkcs11, session) =>
      pkcs11.C_GetAttributeValue(session, object, [{ type }]),
    )
    if ('refused' in answer) return undefined
    const value = answer.value[0]?.value
    return value === undefined ? undefined : Buffer.from(value)
  }

  /** Destroys what an attack has made. */
  destroy(object: Handle): void {
    this.ask('C_DestroyObject', (pkcs11, session) => pkcs11.C_DestroyObject(session, object))
  }

  /** Closes the session of the attacker's keys, which vanish with it. */
  close(): void {
    this.#pkcs11.C_CloseSession(this.#session)
  }

  #open(): Handle {
    const flags = pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION
    return asked('C_OpenSession', () => this.#pkcs11.C_OpenSession(this.#slotId, flags))
  }
}

/** What came of calls that gain something when they are not refused. */
export function outcomeOf<T>(answer: Answer<T>, gained: (value: T) => Outcome): Outcome {
  return 'refused' in answer ? answer : gained(answer.value)
}

/** Calls, mechanisms and attributes by their names, for the report. */
export function mechanismName({ mechanism }: Mechanism): string {
  return MECHANISM_NAMES.get(mechanism) ?? `0x${mechanism.toString(16)}`
}

/** An attribute as bytes, since the binding takes those for any type. */
export function attribute(type: number, value: boolean | number | Buffer): Attribute {
  return { type, value: asBytes(value) }
}

const MECHANISM_NAMES = new Map(
  Object.entries(pkcs11js).flatMap(([name, value]) =>
    name.startsWith('CKM_') && typeof value === 'number' ? [[value, name] as const] : [],
  ),
)

/** @throws whatever is no answer of the token. */
function refusalOf(cause: unknown): string {
  if (cause instanceof TokenError) return cause.value.name
  throw cause
}
