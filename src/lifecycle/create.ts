/** Making a key: its row, its material in the token, its tags. */

import { randomUUID } from 'node:crypto'
import type { Place } from '../model/arn.ts'
import { fail } from '../model/failures.ts'
import type { Key, KeyManager, KeyOrigin, KeyPolicy, RotationSchedule, Tag } from '../model/key.ts'
import { type KeySpec, type KeyUsage, keySpecRow } from '../model/key-specs.ts'
import { KEYS_MAX } from '../model/quotas.ts'
import type { NewKey } from '../store/store.ts'
import { makeMaterial, newBackingKey, runChange, type Services } from './change.ts'

const ORIGINS: readonly KeyOrigin[] = ['AWS_KMS', 'EXTERNAL']

/** The key to make. */
export interface KeyInput {
  readonly place: Place
  /** A new random id unless given; an id is never used twice. */
  readonly keyId?: string
  readonly description: string
  readonly spec: KeySpec
  readonly usage: KeyUsage
  readonly origin: KeyOrigin
  readonly manager: KeyManager
  /** Unless given, nobody may do anything: for keys that only keyslot itself uses. */
  readonly policy?: KeyPolicy
  /** Automatic rotation, from the start; off unless given. */
  readonly rotation?: RotationSchedule
  readonly tags: readonly Tag[]
}

const NOBODY: KeyPolicy = {
  text: JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Deny', Principal: '*', Action: 'kms:*', Resource: '*' }],
  }),
  principalIds: new Map(),
}

/**
 * Makes a key, which is Enabled when this resolves, or PendingImport if its origin is EXTERNAL.
 *
 * If it rejects after the token has failed, the key may still come into being, like one whose
 * answer was lost: `reconcile` decides.
 *
 * @throws KmsError AlreadyExistsException if there is, or was, a key of this id;
 *   LimitExceededException if the account has its full number of keys;
 *   UnsupportedOperationException for a spec or origin that this version, or the token, does not
 *   make.
 */
export async function createKey(services: Services, input: KeyInput): Promise<Key> {
  const { store, clock } = services
  const { place, tags, keyId = randomUUID(), policy = NOBODY, ...properties } = input
  await refuseWhatIsNotMade(services, input)
  const createdMs = clock()
  const key = {
    ...properties,
    ...place,
    keyId,
    policy,
    createdMs,
  }
  if (input.origin === 'EXTERNAL') return createWithoutMaterial(services, key, tags)
  const backingKey = await newBackingKey(services, input.spec, 1)
  const intent = { intentId: randomUUID(), keyId, createdMs, kind: 'create' as const, backingKey }
  return runChange(store, intent.intentId, async () => {
    refuseUnlessBegun(key, await store.intents.beginCreate(key, tags, intent, KEYS_MAX))
    return makeMaterial(services, intent, input)
  })
}

/** A key that waits for its import: no object is made, so that there is nothing to settle. */
async function createWithoutMaterial(
  { store }: Services,
  key: NewKey,
  tags: readonly Tag[],
): Promise<Key> {
  refuseUnlessBegun(key, await store.intents.beginCreate(key, tags, undefined, KEYS_MAX))
  const made = await store.keys.find(key.keyId)
  if (made === undefined) throw new Error(`key ${key.keyId} is gone as soon as it was made`)
  return made
}

function refuseUnlessBegun(
  { keyId, region }: NewKey,
  outcome: Awaited<ReturnType<Services['store']['intents']['beginCreate']>>,
): void {
  if (outcome === 'exists') fail('AlreadyExistsException', `There is, or was, a key ${keyId}.`)
  if (outcome === 'full') {
    fail('LimitExceededException', `The account has ${KEYS_MAX} keys in ${region} already.`)
  }
}

async function refuseWhatIsNotMade({ objects }: Services, input: KeyInput): Promise<void> {
  const { spec, usage, origin } = input
  const refuse = (why: string) => fail('UnsupportedOperationException', why)
  const { refused } = keySpecRow(spec)
  if (!ORIGINS.includes(origin)) {
    refuse(`This version of keyslot makes no keys ${spec} of origin ${origin}.`)
  }
  if (refused !== undefined) refuse(`keyslot makes no keys of KeySpec ${spec}: ${refused}.`)
  if (spec === 'SYMMETRIC_DEFAULT') return
  const lack = await objects.lacks({ spec, usage })
  if (lack !== undefined) refuse(`The HSM makes no keys of KeySpec ${spec}: ${lack}.`)
}
