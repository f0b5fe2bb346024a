/** One backing key of whatever kind: made, read back, proved. */

import type { KeyObject } from 'node:crypto'
import type { Handle } from 'pkcs11js'
import { isPair } from '../../model/key-specs.ts'
import type { BackingKeyKind } from '../hsm.ts'
import { proveKind } from '../kinds/kind-proofs.ts'
import { publicKeyFrom, readPublicKey, spkiOf } from '../kinds/public-keys.ts'
import type { Profile } from '../profiles/profile.ts'
import { generationOf, type Proved } from '../token/mechanisms.ts'
import { proveBackingKey } from '../token/proofs.ts'
import type { TokenSession } from '../token/session.ts'
import {
  backingKeyTemplate,
  expectedOf,
  type FixedAttribute,
  kindTemplate,
  type ObjectName,
  publicKeyTemplate,
  templateFaults,
} from '../token/templates.ts'
import { refuse } from './object-search.ts'

/** What is known of the token in which backing keys are made. */
export interface TokenKind {
  readonly profile: Profile
  readonly proved: Proved
}

/** A backing key that has just been made. */
export interface MadeObject {
  readonly handle: Handle
  /** The public half, of a pair. */
  readonly publicKey?: Buffer
}

/** Makes the object; of a pair the public half is read and then let go. */
export function makeObject(
  session: TokenSession,
  name: ObjectName,
  kind: BackingKeyKind,
  token: TokenKind,
): MadeObject {
  const template = templateOf(name, kind, token)
  if (kind.suite !== undefined) return { handle: session.generateKey(template) }
  const generation = generationOf(kind, token.proved)
  if (!isPair(kind.spec)) return { handle: session.generateKey(template, generation.mechanism) }
  const pair = session.generateKeyPair(
    generation.mechanism,
    publicKeyTemplate(generation),
    template,
  )
  const publicKey = spkiOf(readPublicKey(session, pair.publicKey, kind.spec))
  session.destroyObject(pair.publicKey)
  return { handle: pair.privateKey, publicKey }
}

/** Refuses an object that does not read back as it has to be. */
export function checkObject(
  session: TokenSession,
  handle: Handle,
  name: ObjectName,
  kind: BackingKeyKind & { readonly imported?: boolean },
  token: TokenKind,
): void {
  const template = templateOf(name, kind, token)
  const expected = expectedOf(template, token.profile, kind.imported)
  const actual = session.read(
    handle,
    expected.map(({ type }) => type),
  )
  const faults = templateFaults(expected, actual)
  if (faults.length > 0) {
    refuse(`the object ${name.id.toString('hex')} is not as it has to be: ${faults.join(', ')}`)
  }
}

/**
 * Uses a backing key as its kind wants it.
 *
 * @param publicKey the public half, of a pair.
 * @throws TokenError what the token answered; Error when it answered something wrong.
 */
export function proveObject(
  session: TokenSession,
  handle: Handle,
  kind: BackingKeyKind,
  publicKey: Buffer | undefined,
  { proved }: TokenKind,
): void {
  if (kind.suite !== undefined) {
    proveBackingKey(session, handle, kind.suite)
    return
  }
  const half: KeyObject | undefined = publicKey && publicKeyFrom(publicKey)
  proveKind(session, handle, { kind, publicKey: half, proved })
}

/** The template of a backing key. */
export function templateOf(
  name: ObjectName,
  kind: BackingKeyKind,
  { profile, proved }: TokenKind,
): readonly FixedAttribute[] {
  return kind.suite !== undefined
    ? backingKeyTemplate(name, kind.suite, profile)
    : kindTemplate(name, generationOf(kind, proved), profile)
}
