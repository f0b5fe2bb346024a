/**
 * Keys that services manage: the first use of `alias/aws/<service>` by the service makes it.
 * Customers see them and change nothing about them; their key policy gives them nothing else.
 * https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
 */

import { createHash } from 'node:crypto'
import { aliasArn, type Place } from '../model/arn.ts'
import type { Caller } from '../model/caller.ts'
import { KmsError } from '../model/failures.ts'
import { ALIASES_PER_KEY_MAX } from '../model/quotas.ts'
import type { Services } from '../operations/operation.ts'
import { managedKeyPolicy } from '../policy/default-policy.ts'

const PERIOD_IN_DAYS = 365
const DAY_MS = 86_400_000
const SERVICE = /^([a-z0-9-]+)\.amazonaws\.com$/

/** Whether the caller is the service for whose managed key this is the alias. */
export function isManagedAlias(
  caller: Caller,
  { aliasName, account }: { readonly aliasName?: string; readonly account: string },
): boolean {
  if (caller.kind !== 'service' || aliasName === undefined) return false
  return account === caller.account && aliasName === aliasOf(caller)
}

/**
 * Makes the managed key of the service that calls, for the account for which it acts, and its
 * alias. Its id follows from both, so that however many ask at once, and whatever a crash has left
 * undone, there is one.
 */
export async function ensureManagedKey(
  { store, lifecycle, clock }: Services,
  caller: Caller,
  place: Place,
): Promise<void> {
  const name = aliasOf(caller)
  if (name === undefined) return
  const service = name.slice('alias/aws/'.length)
  const keyId = managedKeyId(place, name)
  const nowMs = clock()
  if ((await store.keys.find(keyId)) === undefined) {
    const text = managedKeyPolicy(place.account, place.region, service)
    const made = lifecycle.createKey({
      place,
      keyId,
      description: `Default key that protects my ${service} data when no other key is defined`,
      spec: 'SYMMETRIC_DEFAULT',
      usage: 'ENCRYPT_DECRYPT',
      origin: 'AWS_KMS',
      manager: 'AWS',
      policy: { text, principalIds: new Map() },
      rotation: { periodInDays: PERIOD_IN_DAYS, nextMs: nowMs + PERIOD_IN_DAYS * DAY_MS },
      tags: [],
    })
    await made.catch((error: unknown) => {
      if (!(error instanceof KmsError) || error.name !== 'AlreadyExistsException') throw error
    })
  }
  // Another call may be making it at this moment: its alias comes with it then.
  if ((await store.keys.find(keyId)) === undefined) return
  const times = { createdMs: nowMs, updatedMs: nowMs }
  const alias = { ...place, name, arn: aliasArn(place, name), targetKeyId: keyId, ...times }
  await store.aliases.insert(alias, ALIASES_PER_KEY_MAX)
}

function aliasOf({ arn }: Caller): string | undefined {
  const service = SERVICE.exec(arn)?.[1]
  return service === undefined ? undefined : `alias/aws/${service}`
}

/** A UUID of version 8 (RFC 9562, 5.8), whose bits are ours to choose. */
function managedKeyId({ region, account }: Place, aliasName: string): string {
  const digest = createHash('sha256')
    .update(`keyslot managed key v1\0${region}\0${account}\0${aliasName}`)
    .digest()
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x80, 6)
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = digest.toString('hex', 0, 16)
  const [a, b, c, d] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)]
  return `${a}-${b}-${c}-${d}-${hex.slice(20)}`
}
