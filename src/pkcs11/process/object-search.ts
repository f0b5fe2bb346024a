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
  /** Of keys for symmetric encryption. */
  readonly suite?: CipherSuite
  readonly handle: Handle
}

/** The classes of objects that keyslot makes, and the usages of each, of which a key has one. */
const CLASSES = [
  {
    value: pkcs11js.CKO_SECRET_KEY,
    usages: [pkcs11js.CKA_DERIVE, pkcs11js.CKA_ENCRYPT, pkcs11js.CKA_SIGN],
  },
  {
    value: pkcs11js.CKO_PRIVATE_KEY,
    usages: [pkcs11js.CKA_DERIVE, pkcs11js.CKA_DECRYPT, pkcs11js.CKA_SIGN],
  },
] as const

/** CKA_ID, CKA_LABEL and what makes an object fit to be used at all, beside its usages. */
const SUMMARY = [
  pkcs11js.CKA_ID,
  pkcs11js.CKA_LABEL,
  pkcs11js.CKA_SENSITIVE,
  pkcs11js.CKA_EXTRACTABLE,
]

/**
 * The one object with this id: a secret key, or the private half of a pair.
 *
 * @throws KmsError when there are several.
 */
export function findById(session: TokenSession, id: string): Handle | undefined {
  const found = session.find([withId(id)])
  if (found.length > 1) refuse(`${found.length} objects have the id ${id}`)
  return found[0]
}

/** What finds objects with this id. */
export function withId(id: string): Attribute {
  return { type: pkcs11js.CKA_ID, value: Buffer.from(id, 'hex') }
}

/** All secret and private keys of the token, whoever's they are. */
export function tokenKeys(session: TokenSession): readonly Handle[] {
  return CLASSES.flatMap(({ value }) => keysOfClass(session, value))
}

function keysOfClass(session: TokenSession, value: number): readonly Handle[] {
  return session.find([
    { type: pkcs11js.CKA_CLASS, value },
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
  return CLASSES.flatMap((keyClass) =>
    keysOfClass(session, keyClass.value).flatMap(
      (handle) => summaryIn(session, handle, keyClass, log) ?? [],
    ),
  )
}

/** What an object is, if it is keyslot's and fit to be used. */
export function summaryOf(
  session: TokenSession,
  handle: Handle,
  log: Log,
): FoundObject | undefined {
  const [value] = readWhole(session, handle, [pkcs11js.CKA_CLASS]) ?? []
  const keyClass = CLASSES.find((one) => value?.readUInt32LE() === one.value)
  return keyClass && summaryIn(session, handle, keyClass, log)
}

function summaryIn(
  session: TokenSession,
  handle: Handle,
  { value, usages }: (typeof CLASSES)[number],
  log: Log,
): FoundObject | undefined {
  const read = readWhole(session, handle, [...SUMMARY, ...usages])
  if (read === undefined) {
    log('warn', 'an object of the token cannot be read: a crash may have left it half made')
    return undefined
  }
  const [id, label, sensitive, extractable, ...used] = read
  if (!label?.toString('latin1').startsWith(LABEL_PREFIX)) return undefined
  const [derives, encrypts] = used.map(isTrue)
  const suite = derives ? 1 : encrypts ? 2 : undefined
  const found: FoundObject = {
    id: id?.toString('hex') ?? '',
    label: label.toString('latin1'),
    suite: value === pkcs11js.CKO_SECRET_KEY ? suite : undefined,
    handle,
  }
  const isFit =
    id?.length === ID_BYTES &&
    isTrue(sensitive) &&
    !isTrue(extractable) &&
    used.filter(isTrue).length === 1
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
