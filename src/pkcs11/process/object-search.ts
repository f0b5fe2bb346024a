/** Looking for keyslot's objects in the token, and reading what they are. */

import pkcs11js, { type Attribute, type Handle } from 'pkcs11js'
import { KmsError } from '../../model/failures.ts'
import type { CipherSuite } from '../../model/key.ts'
import type { Log } from '../settings.ts'
import { TokenError } from '../token/return-values.ts'
import type { TokenSession } from '../token/session.ts'
import { CANARY_LABEL, ID_BYTES, isTrue, LABEL_PREFIX } from '../token/templates.ts'

/** A backing key as it was found in the token. */
export interface FoundObject {
  /** CKA_ID as 32 hex digits. */
  readonly id: string
  readonly label: string
  readonly suite: CipherSuite
  readonly handle: Handle
}

/** CKA_ID, CKA_LABEL and what makes an object fit to be used at all. */
const SUMMARY = [
  pkcs11js.CKA_ID,
  pkcs11js.CKA_LABEL,
  pkcs11js.CKA_SENSITIVE,
  pkcs11js.CKA_EXTRACTABLE,
  pkcs11js.CKA_DERIVE,
  pkcs11js.CKA_ENCRYPT,
]

/**
 * The one secret key with this id.
 *
 * @throws KmsError when there are several.
 */
export function findById(session: TokenSession, id: string): Handle | undefined {
  const found = session.find(secretKeyOf(id))
  if (found.length > 1) refuse(`${found.length} objects have the id ${id}`)
  return found[0]
}

/** What finds secret keys with this id. */
export function secretKeyOf(id: string): readonly Attribute[] {
  return [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
    { type: pkcs11js.CKA_ID, value: Buffer.from(id, 'hex') },
  ]
}

/** All secret keys of the token, whoever's they are. */
export function secretKeys(session: TokenSession): readonly Handle[] {
  return session.find([
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
    { type: pkcs11js.CKA_TOKEN, value: true },
  ])
}

/** Every backing key of keyslot's that is fit to be used. */
export function backingKeys(session: TokenSession, log: Log): readonly FoundObject[] {
  const byId = new Map<string, FoundObject>()
  const doubles = new Set<string>()
  for (const found of ourObjects(session, log)) {
    if (found.label === CANARY_LABEL) continue
    if (byId.has(found.id)) doubles.add(found.id)
    byId.set(found.id, found)
  }
  for (const id of doubles) {
    byId.delete(id)
    log('error', 'several objects have one id: none of them is used', { id })
  }
  return [...byId.values()]
}

/** Every object of keyslot's that is fit to be used, the canary among them. */
export function ourObjects(session: TokenSession, log: Log): readonly FoundObject[] {
  return secretKeys(session).flatMap((handle) => summaryOf(session, handle, log) ?? [])
}

/** What an object is, if it is keyslot's and fit to be used. */
export function summaryOf(
  session: TokenSession,
  handle: Handle,
  log: Log,
): FoundObject | undefined {
  const read = readWhole(session, handle, SUMMARY)
  if (read === undefined) {
    log('warn', 'an object of the token cannot be read: a crash may have left it half made')
    return undefined
  }
  const [id, label, sensitive, extractable, derives, encrypts] = read
  if (!label?.toString('latin1').startsWith(LABEL_PREFIX)) return undefined
  const found = {
    id: id?.toString('hex') ?? '',
    label: label.toString('latin1'),
    suite: isTrue(derives) ? 1 : 2,
    handle,
  } as const
  const isFit =
    id?.length === ID_BYTES &&
    isTrue(sensitive) &&
    !isTrue(extractable) &&
    isTrue(derives) !== isTrue(encrypts)
  if (isFit) return found
  log('error', 'an object with a label of keyslot is not as it has to be', {
    id: found.id,
    label: found.label,
  })
  return undefined
}

/** The label; none for an object that a crash has left half made. */
export function labelOf(session: TokenSession, handle: Handle): string {
  const [label] = readWhole(session, handle, [pkcs11js.CKA_LABEL]) ?? []
  return label?.toString('latin1') ?? ''
}

/** Fails a call of object management; the text holds no secret. */
export function refuse(what: string): never {
  throw new KmsError('KMSInternalException', `The token refuses: ${what}.`)
}

/** @throws TokenError when the fault is certainly not the object's. */
function readWhole(
  session: TokenSession,
  handle: Handle,
  types: readonly number[],
): readonly Buffer[] | undefined {
  // A token that fails now and then has a second try; the canary finds out one that goes on so.
  for (let attempt = 1; attempt <= 2; attempt++) {
    try {
      return session.read(handle, types)
    } catch (cause) {
      if (!(cause instanceof TokenError)) throw cause
      if (['session', 'device'].includes(cause.value.fault)) throw cause
    }
  }
  return undefined
}
