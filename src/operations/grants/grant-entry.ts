/** A grant as ListGrants and ListRetirableGrants show it. */

import type { Grant, GrantPrincipal } from '../../model/grant.ts'
import type { Store } from '../../store/store.ts'
import type { Operations } from '../operation.ts'

type Entry = Operations['ListGrants']['response']['grants'][number]

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantListEntry.html */
export async function grantEntry(store: Store, keyArn: string, grant: Grant): Promise<Entry> {
  const { grantId, name, grantee, retiring, issuingAccount, operations, constraints } = grant
  return {
    keyId: keyArn,
    grantId,
    name,
    creationDate: new Date(grant.createdMs),
    granteePrincipal: await shown(store, grantee),
    retiringPrincipal: retiring && (await shown(store, retiring)),
    issuingAccount,
    operations: [...operations],
    constraints: constraints && {
      encryptionContextEquals: constraints.encryptionContextEquals ?? new Map(),
      encryptionContextSubset: constraints.encryptionContextSubset ?? new Map(),
    },
  }
}

/** Who is gone is shown by the unique id: the ARN may be another's by now. */
async function shown(store: Store, { arn, principalId }: GrantPrincipal): Promise<string> {
  if (principalId === undefined) return arn
  const now = await store.identities.find(arn)
  return now?.principalId === principalId ? arn : principalId
}
