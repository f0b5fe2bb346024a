/** What AWS KMS asks of aliases. */

import { isAliasName } from '../../model/arn.ts'
import { fail } from '../../model/failures.ts'
import { isPair, type KeyKind, type KeySpec } from '../../model/key-specs.ts'

/**
 * Refuses a name that no customer's alias may have.
 *
 * @throws KmsError ValidationException without `alias/`, or with a colon; InvalidAliasNameException
 *   for a name that is empty or reserved.
 */
export function checkAliasName(aliasName: string): void {
  if (!aliasName.startsWith('alias/')) {
    fail(
      'ValidationException',
      'Alias must start with the prefix "alias/". Please see ' +
        'https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    )
  }
  if (aliasName.includes(':')) {
    fail('ValidationException', `${aliasName} contains invalid characters for an alias`)
  }
  if (!isAliasName(aliasName)) {
    fail('InvalidAliasNameException', `'${aliasName}' is not a valid alias name.`)
  }
  if (aliasName.startsWith('alias/aws/')) {
    fail('InvalidAliasNameException', "Alias names must not begin with 'alias/aws/'.")
  }
}

/** Whether an alias may move from one key to the other: both of one type, and of one usage. */
export function isSameType(one: KeyKind, other: KeyKind): boolean {
  return typeOf(one.spec) === typeOf(other.spec) && one.usage === other.usage
}

function typeOf(spec: KeySpec): 'symmetric' | 'asymmetric' | 'HMAC' {
  if (isPair(spec)) return 'asymmetric'
  return spec === 'SYMMETRIC_DEFAULT' ? 'symmetric' : 'HMAC'
}

/**
 * Refuses to change an alias that does not point any more to the key that the caller was
 * authorised for: it may be another's key by now.
 *
 * @throws KmsError ConflictException, always.
 */
export function refuseChanged(arn: string): never {
  fail('ConflictException', `${arn} is being changed by another request.`)
}
