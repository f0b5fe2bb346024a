/**
 * SPIFFE IDs as names of principals: in client certificates and in JWT-SVIDs.
 * https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md
 */

import { fail } from '../failures.ts'
import type { PrincipalName } from './principal.ts'

const SPIFFE_ID_BYTES_MAX = 2048
const SEGMENT = '[a-zA-Z0-9._-]{1,64}'
/** The name of a service has a dot, and no upper case. */
const SERVICE = '(?=.{1,64}$)[a-z0-9-]+(?:\\.[a-z0-9-]+)+'
const SPIFFE_ID = new RegExp(
  '^spiffe://(?<trustDomain>[a-z0-9._-]{1,255})/account/(?<account>[0-9]{12})/' +
    `(?:(?<root>root)|user/(?<user>${SEGMENT})|role/(?<role>${SEGMENT})/(?<session>${SEGMENT})|` +
    `service/(?<service>${SERVICE}))$`,
)

/**
 * The principal that a SPIFFE ID of our trust domain names, whether it exists or not.
 *
 * @throws KmsError UnrecognizedClientException for a SPIFFE ID that names none.
 */
export function parseSpiffeId(spiffeId: string, ourTrustDomain: string): PrincipalName {
  if (spiffeId.length > SPIFFE_ID_BYTES_MAX) refuse('The SPIFFE ID is longer than 2048 bytes.')
  const parts = SPIFFE_ID.exec(spiffeId)?.groups
  if (!parts) refuse('The URI is not a SPIFFE ID of a principal.')
  const { trustDomain, account = '', user, role, session = '', service } = parts
  if (trustDomain !== ourTrustDomain) refuse('The SPIFFE ID is of another trust domain.')
  if ([user, role, session].some((segment) => segment === '.' || segment === '..')) {
    refuse('The SPIFFE ID has a relative path.')
  }
  if (user !== undefined) return { account, kind: 'user', user }
  if (role !== undefined) return { account, kind: 'role', role, session }
  if (service !== undefined) return { account, kind: 'service', service }
  return { account, kind: 'root' }
}

function refuse(message: string): never {
  fail('UnrecognizedClientException', message)
}
