/** Accounts, users, roles and access keys as answers have them. */

import { rootArn } from '../../model/arn.ts'
import type { AccessKey, Account } from '../../model/identities/account.ts'
import type { Principal } from '../../model/identities/principal.ts'

/** An account. */
export function describedAccount({ account, name, createdMs }: Account) {
  return { id: account, arn: rootArn(account), name, joinedTimestamp: new Date(createdMs) }
}

/** A user. */
export function describedUser(user: Principal) {
  return { ...described(user), userName: user.name, userId: user.principalId }
}

/** A role. */
export function describedRole(role: Principal) {
  return {
    ...described(role),
    roleName: role.name,
    roleId: role.principalId,
    assumeRolePolicyDocument: role.trust?.text ?? '',
    description: role.description,
    maxSessionDuration: role.sessionSecondsMax ?? 0,
  }
}

/** An access key without its secret. */
export function describedAccessKey(
  { accessKeyId, status, createdMs }: Omit<AccessKey, 'sealedSecret'>,
  userName: string,
) {
  return { userName, accessKeyId, status, createDate: new Date(createdMs) }
}

function described({ path, arn, createdMs, boundary, tags }: Principal) {
  return {
    path,
    arn,
    createDate: new Date(createdMs),
    permissionsBoundary: boundary,
    tags: [...tags].map(([key, value]) => ({ key, value })),
  }
}
