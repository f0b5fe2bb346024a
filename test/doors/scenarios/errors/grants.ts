/** Errors of grants. */

import { enabledKey } from './requests.ts'
import { type Row, rows } from './rows.ts'

const ON_KEY = { keyId: enabledKey('symmetric') }
const NO_GRANT = { grantId: '0'.repeat(64) }
const NO_GRANT_ID = { grantId: 'none' }
const NO_PRINCIPAL = 'arn:aws:iam::111122223333:user/not-there'

/** The rows. */
export const GRANT_ROWS: readonly Row[] = [
  ...rows('NotFoundException', { RetireGrant: NO_GRANT, RevokeGrant: NO_GRANT }),
  ...rows('InvalidGrantIdException', {
    ListGrants: NO_GRANT_ID,
    RetireGrant: NO_GRANT_ID,
    RevokeGrant: NO_GRANT_ID,
  }),
  ...rows('InvalidGrantTokenException', {
    RetireGrant: { grantToken: 'none', keyId: undefined, grantId: undefined },
  }),
  ...rows('InvalidArnException', {
    CreateGrant: { ...ON_KEY, granteePrincipal: NO_PRINCIPAL },
    ListRetirableGrants: { retiringPrincipal: NO_PRINCIPAL },
  }),
]
