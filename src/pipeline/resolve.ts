/** Finds what a request names: keys by id, ARN, alias or ciphertext; aliases; the account. */

import {
  aliasArn,
  type KeyReference,
  keyArn,
  type Place,
  parseKeyId,
  parseKeyReference,
} from '../model/arn.ts'
import { parseCiphertext } from '../model/ciphertext.ts'
import { fail } from '../model/failures.ts'
import type { Key } from '../model/key.ts'
import type { AliasResource, KeyName } from '../operations/operation.ts'
import type { Store } from '../store/store.ts'

/** A key as named, which may turn out not to exist. */
export interface NamedKey {
  /** The ARN that the request named: of the key, or of the alias. */
  readonly arn: string
  readonly account: string
  readonly key: Key | undefined
  /** Says that there is no such key: to be called only for a caller who may know. */
  readonly missing: () => never
  /** The alias by which the request named it, `alias/` included. */
  readonly aliasName?: string
  /** Whether a caller who may not use the key is told the same as if there were none. */
  readonly concealed: boolean
}

/**
 * Finds a key. Whether it exists is in the answer and not in an error, since a caller of another
 * account must not learn it. What memory knows is as new as the store's last `refresh`.
 *
 * @throws KmsError InvalidArnException, ValidationException or NotFoundException for text that can
 *   name no key here; InvalidCiphertextException for bytes that are no ciphertext.
 */
export function resolveKey(store: Store, name: KeyName, home: Place): NamedKey | Promise<NamedKey> {
  if ('ciphertextBlob' in name) return keyOfCiphertext(store, name.ciphertextBlob, home)
  const reference = (name.aliases ? parseKeyReference : parseKeyId)(name.text, home)
  if ('aliasName' in reference) {
    checkRegion(reference, home)
    return keyOfAlias(store, reference)
  }
  checkRegion(reference, home)
  const arn = keyArn(reference, reference.keyId)
  const missing = () => fail('NotFoundException', `Key '${arn}' does not exist`)
  const { account } = reference
  return whenFound(store, reference.keyId, (found) => {
    const key = isIn(found, reference) ? found : undefined
    return { arn, account, key, missing, concealed: false }
  })
}

/** The alias that a request names, in the caller's account, whether it exists or not. */
export async function resolveAlias(
  store: Store,
  name: string,
  home: Place,
): Promise<AliasResource & Place> {
  const found = await store.aliases.find(home, name)
  return { ...home, arn: aliasArn(home, name), name, alias: found }
}

async function keyOfAlias(
  store: Store,
  reference: Place & { readonly aliasName: string },
): Promise<NamedKey> {
  const { account, aliasName } = reference
  const alias = await store.aliases.find(reference, aliasName)
  const found = alias && (await store.keys.find(alias.targetKeyId))
  const key = isIn(found, reference) ? found : undefined
  const arn = aliasArn(reference, aliasName)
  const missing = () => fail('NotFoundException', `Alias ${arn} is not found.`)
  return { arn, account, key, aliasName, missing, concealed: false }
}

function keyOfCiphertext(store: Store, blob: Buffer, home: Place): NamedKey | Promise<NamedKey> {
  const { keyId } = parseCiphertext(blob)
  const missing = () =>
    fail(
      'AccessDeniedException',
      'The ciphertext refers to a customer master key that does not exist, does not exist in ' +
        'this region, or you are not allowed to access.',
    )
  const arn = keyArn(home, keyId)
  return whenFound(store, keyId, (found) => {
    const key = found?.region === home.region ? found : undefined
    return { arn, account: home.account, key, missing, concealed: true }
  })
}

/** At once for a key in memory, as most are: each promise on the way costs every call. */
function whenFound(
  { keys }: Store,
  keyId: string,
  named: (found: Key | undefined) => NamedKey,
): NamedKey | Promise<NamedKey> {
  const known = keys.known(keyId)
  return known ? named(known) : keys.find(keyId).then(named)
}

/** Key ids are unique, but a key is found only in the place that the request speaks of. */
function isIn(key: Key | undefined, { account, region }: Place): boolean {
  return key?.account === account && key.region === region
}

function checkRegion(reference: KeyReference, home: Place): void {
  if (reference.region !== home.region) fail('NotFoundException', `Invalid arn ${reference.region}`)
}
