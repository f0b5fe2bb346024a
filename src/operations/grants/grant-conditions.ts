/** What policies may decide on when a grant is made. */

import type { GrantConstraints } from '../../model/grant.ts'
import type { Conditions, Operations } from '../operation.ts'
import { constraintsOf } from './grant-rules.ts'

type Request = Operations['CreateGrant']['request']

/** https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-grant-operations */
export function grantConditions(request: Request): Conditions {
  const { operations, granteePrincipal, retiringPrincipal } = request
  const constraints = constraintsOf(request.constraints)
  return {
    'kms:GrantOperations': operations,
    'kms:GranteePrincipal': granteePrincipal,
    'kms:RetiringPrincipal': retiringPrincipal,
    'kms:GrantConstraintType': constraints && constraintType(constraints),
    // The context to which the grant is bound stands for that of the calls to come.
    'kms:EncryptionContext': new Map([
      ...(constraints?.encryptionContextSubset ?? []),
      ...(constraints?.encryptionContextEquals ?? []),
    ]),
  }
}

function constraintType({ encryptionContextEquals }: GrantConstraints): string {
  return encryptionContextEquals ? 'EncryptionContextEquals' : 'EncryptionContextSubset'
}
