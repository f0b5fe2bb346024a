/** What AWS KMS asks of aliases. */

import { isAliasName } from '../../model/arn.ts'
import { fail } from '../../model/failures.ts'

/** https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html */
export const ALIASES_PER_KEY_MAX = 50

/**
 * Refuses a name that no customer's alias may have.
 *
 * @throws KmsError ValidationException without `alias/`; InvalidAliasNameException for a name that
 *   is empty, malformed or reserved.
 */
export function checkAliasName(aliasName: string): void {
  if (!aliasName.startsWith('alias/')) {
    fail('ValidationException', "Alias must start with the prefix 'alias/'.")
  }
  if (!isAliasName(aliasName)) {
    fail('InvalidAliasNameException', `'${aliasName}' is not a valid alias name.`)
  }
  if (aliasName.startsWith('alias/aws/')) {
    fail('InvalidAliasNameException', "Alias names must not begin with 'alias/aws/'.")
  }
}
