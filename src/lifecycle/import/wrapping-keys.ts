/**
 * Wrapping keys: made for one import each, and destroyed once they are used up or expired. A
 * wrapping key's row is there before it is, so that none is forgotten in the token.
 */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Authorised } from '../../model/authorised.ts'
import { fail } from '../../model/failures.ts'
import type { WrappingAlgorithm, WrappingKeySpec } from '../../model/import/wrapping.ts'
import type { Key } from '../../model/key.ts'
import type { WrappingKey } from '../../store/import/store.ts'
import type { Services } from '../change.ts'

/** What an owner needs to import material. */
export interface ImportParameters {
  /** The wrapping key's public half: a DER SubjectPublicKeyInfo. */
  readonly publicKey: Buffer
  readonly importToken: Buffer
  /** When both end, in milliseconds since the epoch. */
  readonly validToMs: number
}

/** How long a wrapping key is good, in milliseconds: 24 hours, as in AWS. */
export const WRAPPING_KEY_VALIDITY_MS = 86_400_000
/** How many wrapping keys a key may have that are still good. */
export const WRAPPING_KEYS_PER_KEY_MAX = 10
/**
 * How often a wrapping key may be shown what it does not unwrap. What is told of such a failure
 * tells nothing; this bounds whoever finds out more by other means.
 */
export const UNWRAP_FAILURES_MAX = 20

const TOKEN_VERSION = 1
const ID_BYTES = 16
const SECRET_BYTES = 32
const TOKEN_BYTES = 1 + ID_BYTES + SECRET_BYTES
/** How long the row of a wrapping key that is gone stays, so that its token is known to be old. */
const REMEMBERED_MS = 30 * 86_400_000
const DESTROYED_AT_ONCE = 100

/**
 * Makes a wrapping key, and the token that stands for it: its id and a secret, of which the store
 * keeps a digest.
 *
 * @throws KmsError LimitExceededException if the key has too many that are still good;
 *   UnsupportedOperationException if the HSM does not unwrap so.
 */
export async function prepareImport(
  services: Services,
  { keyId, arn, spec: keySpec, usage }: Authorised<Key>,
  { algorithm, spec }: { readonly algorithm: WrappingAlgorithm; readonly spec: WrappingKeySpec },
): Promise<ImportParameters> {
  const { store, objects, clock } = services
  const createdMs = clock()
  const idBytes = randomBytes(ID_BYTES)
  const id = idBytes.toString('hex')
  const secret = randomBytes(SECRET_BYTES)
  const importToken = Buffer.concat([Buffer.of(TOKEN_VERSION), idBytes, secret])
  const validToMs = createdMs + WRAPPING_KEY_VALIDITY_MS
  const tokenDigest = digestOf(importToken).toString('hex')
  const row = { id, keyId, algorithm, spec, tokenDigest, createdMs, validToMs }
  if ((await store.imports.addWrappingKey(row, WRAPPING_KEYS_PER_KEY_MAX)) === 'full') {
    const what = `${WRAPPING_KEYS_PER_KEY_MAX} wrapping keys that have not been used yet`
    fail('LimitExceededException', `${arn} has ${what}.`)
  }
  const publicKey = await objects
    .makeWrappingKey({ id, keyId, spec, algorithm, kind: { spec: keySpec, usage } })
    .catch(async (cause: unknown) => {
      // So that failures do not use up the key's number of them; otherwise it goes when it expires.
      await destroyWrappingKey(services, id).catch(() => undefined)
      throw cause
    })
  return { publicKey, importToken, validToMs }
}

/**
 * The wrapping key that an import token stands for.
 *
 * @throws KmsError InvalidImportTokenException for a token that is none of this key's, or has been
 *   used; ExpiredImportTokenException.
 */
export async function wrappingKeyOf(
  { store, clock }: Services,
  { keyId, arn }: Key,
  importToken: Buffer,
): Promise<WrappingKey> {
  const refuse = (why: string) => fail('InvalidImportTokenException', `The import token ${why}.`)
  if (importToken.length !== TOKEN_BYTES || importToken[0] !== TOKEN_VERSION) refuse('is not valid')
  const id = importToken.toString('hex', 1, 1 + ID_BYTES)
  const found = await store.imports.findWrappingKey(id)
  const expected = Buffer.from(found?.tokenDigest ?? '00'.repeat(32), 'hex')
  const isGenuine = timingSafeEqual(digestOf(importToken), expected)
  if (found === undefined || !isGenuine) return refuse('is not valid')
  if (found.keyId !== keyId) return refuse(`is not for ${arn}`)
  if (found.isUsed) return refuse('has been used')
  if (found.validToMs <= clock())
    fail('ExpiredImportTokenException', 'The import token is expired.')
  if (found.failures >= UNWRAP_FAILURES_MAX) return refuse('has failed too often')
  return found
}

/** Destroys the wrapping keys that are of no more use. */
export async function destroySpentWrappingKeys(services: Services): Promise<void> {
  const { store, clock, log } = services
  const spent = await store.imports.spentWrappingKeys(
    clock(),
    UNWRAP_FAILURES_MAX,
    DESTROYED_AT_ONCE,
  )
  for (const id of spent) {
    try {
      await destroyWrappingKey(services, id)
    } catch (cause) {
      log?.('error', 'cannot destroy a wrapping key', { wrappingKeyId: id, cause })
      return
    }
  }
  await store.imports.forgetWrappingKeys(clock() - REMEMBERED_MS)
}

/** Destroys a wrapping key and puts that on record. */
export async function destroyWrappingKey(
  { store, objects, clock }: Services,
  id: string,
): Promise<void> {
  await objects.destroyWrappingKey(id)
  await store.imports.wrappingKeyDestroyed(id, clock())
}

function digestOf(importToken: Buffer): Buffer {
  return createHash('sha256').update(importToken).digest()
}
