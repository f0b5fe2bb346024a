/** A key policy as GetKeyPolicy shows it. */

import type { KeyPolicy } from '../../model/key.ts'
import type { Store } from '../../store/store.ts'

/**
 * The document as it was put. Where a user or role that it names is gone, or is another one of the
 * same name by now, its unique id stands in the place of the ARN: whoever has the ARN now has
 * nothing of what the policy says.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
export async function policyAsRead(
  store: Store,
  { text, principalIds }: KeyPolicy,
): Promise<string> {
  const gone = new Map<string, string>()
  for (const [arn, principalId] of principalIds) {
    const now = await store.identities.find(arn)
    if (now?.principalId !== principalId) gone.set(arn, principalId)
  }
  if (gone.size === 0) return text
  return JSON.stringify(withoutGone(JSON.parse(text), gone), undefined, 2)
}

interface Document {
  Statement: Statement | Statement[]
}

interface Statement {
  Principal?: Principal
  NotPrincipal?: Principal
}

type Principal = string | { AWS?: string | string[] }

function withoutGone(document: Document, gone: ReadonlyMap<string, string>): Document {
  const { Statement: statements } = document
  for (const { Principal, NotPrincipal } of Array.isArray(statements) ? statements : [statements]) {
    for (const element of [Principal, NotPrincipal]) {
      if (typeof element !== 'object' || element.AWS === undefined) continue
      const { AWS: named } = element
      const shown = (name: string) => gone.get(name) ?? name
      element.AWS = typeof named === 'string' ? shown(named) : named.map(shown)
    }
  }
  return document
}
