/**
 * Keyslot's own key, by which the store keeps secrets: a KMS key like any other, rotated every
 * year, in an account that is nobody's. It appears in no list and no caller can be authorised for
 * it. This file is the one exception to the way that every call takes: it vouches for keyslot's
 * use of this very key, and of no other.
 */

import type { Authorised } from '../../model/authorised.ts'
import { parseCiphertext } from '../../model/ciphertext.ts'
import { canonicalContext } from '../../model/encryption-context.ts'
import { fail } from '../../model/failures.ts'
import { OWN_ACCOUNT } from '../../model/identities/principal.ts'
import type { Key } from '../../model/key.ts'
import type { Sealer, Services } from '../../operations/operation.ts'

const DESCRIPTION = "keyslot's own: encrypts secrets in the store"
const PERIOD_DAYS = 365
const DAY_MS = 86_400_000

/** Finds keyslot's own key, or makes it, and what uses it. */
export async function openSealer(
  services: Pick<Services, 'store' | 'hsm' | 'lifecycle' | 'clock'>,
  region: string,
): Promise<Sealer> {
  const { store, hsm, lifecycle } = services
  const { keyId } = await ensureOwnKey(services, region)
  return {
    async seal(plaintext, context) {
      const key = await lifecycle.spendMessage(await ownKey(services, keyId))
      return hsm.encrypt(key, { plaintext, context: canonicalContext(context) }, {})
    },
    async open(ciphertextBlob, context) {
      const ciphertext = parseCiphertext(ciphertextBlob)
      const key = await ownKey({ store }, ciphertext.keyId)
      return hsm.decrypt(key, { ciphertext, context: canonicalContext(context) }, {})
    },
  }
}

async function ensureOwnKey(
  { store, lifecycle, clock }: Pick<Services, 'store' | 'lifecycle' | 'clock'>,
  region: string,
): Promise<Key> {
  const place = { account: OWN_ACCOUNT, region }
  const [found] = await store.keys.list(place, { limit: 1 })
  const key =
    found ??
    (await lifecycle.createKey({
      place,
      description: DESCRIPTION,
      spec: 'SYMMETRIC_DEFAULT',
      usage: 'ENCRYPT_DECRYPT',
      origin: 'AWS_KMS',
      manager: 'AWS',
      tags: [],
    }))
  if (key.rotation === undefined) {
    const rotation = { periodInDays: PERIOD_DAYS, nextMs: clock() + PERIOD_DAYS * DAY_MS }
    await store.keys.change(key.keyId, 'Enabled', { rotation })
  }
  return key
}

/** Answers only keys of the account that is nobody's, so that no ciphertext leads to another. */
async function ownKey({ store }: Pick<Services, 'store'>, keyId: string): Promise<Authorised<Key>> {
  const key = await store.keys.find(keyId)
  if (key?.account !== OWN_ACCOUNT) {
    fail('InvalidCiphertextException', 'The ciphertext is not of a key of keyslot.')
  }
  return key as Authorised<Key>
}
