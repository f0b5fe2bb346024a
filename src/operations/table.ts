/** The table of operations: one line each. It is typed by the contract, so that none is missing. */

import { DeriveSharedSecret } from './agreement/derive-shared-secret.ts'
import { CreateAlias } from './aliases/create-alias.ts'
import { DeleteAlias } from './aliases/delete-alias.ts'
import { ListAliases } from './aliases/list-aliases.ts'
import { UpdateAlias } from './aliases/update-alias.ts'
import { Decrypt } from './crypto/decrypt.ts'
import { Encrypt } from './crypto/encrypt.ts'
import { GenerateDataKey } from './crypto/generate-data-key.ts'
import { GenerateDataKeyWithoutPlaintext } from './crypto/generate-data-key-without-plaintext.ts'
import { GenerateRandom } from './crypto/generate-random.ts'
import { ReEncrypt } from './crypto/re-encrypt.ts'
import { GenerateDataKeyPair } from './data-key-pairs/generate-data-key-pair.ts'
import { GenerateDataKeyPairWithoutPlaintext } from './data-key-pairs/generate-data-key-pair-without-plaintext.ts'
import { CreateGrant } from './grants/create-grant.ts'
import { ListGrants } from './grants/list-grants.ts'
import { ListRetirableGrants } from './grants/list-retirable-grants.ts'
import { RetireGrant } from './grants/retire-grant.ts'
import { RevokeGrant } from './grants/revoke-grant.ts'
import { CreateAccessKey } from './identities/access-keys/create-access-key.ts'
import { DeleteAccessKey } from './identities/access-keys/delete-access-key.ts'
import { ListAccessKeys } from './identities/access-keys/list-access-keys.ts'
import { UpdateAccessKey } from './identities/access-keys/update-access-key.ts'
import { CreateAccount } from './identities/accounts/create-account.ts'
import { ListAccounts } from './identities/accounts/list-accounts.ts'
import { CreateOpenIDConnectProvider } from './identities/providers/create-open-id-connect-provider.ts'
import { DeleteOpenIDConnectProvider } from './identities/providers/delete-open-id-connect-provider.ts'
import { GetOpenIDConnectProvider } from './identities/providers/get-open-id-connect-provider.ts'
import { ListOpenIDConnectProviders } from './identities/providers/list-open-id-connect-providers.ts'
import { UpdateOpenIDConnectProvider } from './identities/providers/update-open-id-connect-provider.ts'
import { CreateRole } from './identities/roles/create-role.ts'
import { DeleteRole } from './identities/roles/delete-role.ts'
import { DeleteRolePermissionsBoundary } from './identities/roles/delete-role-permissions-boundary.ts'
import { DeleteRolePolicy } from './identities/roles/delete-role-policy.ts'
import { GetRole } from './identities/roles/get-role.ts'
import { GetRolePolicy } from './identities/roles/get-role-policy.ts'
import { ListRolePolicies } from './identities/roles/list-role-policies.ts'
import { ListRoles } from './identities/roles/list-roles.ts'
import { PutRolePermissionsBoundary } from './identities/roles/put-role-permissions-boundary.ts'
import { PutRolePolicy } from './identities/roles/put-role-policy.ts'
import { TagRole } from './identities/roles/tag-role.ts'
import { UntagRole } from './identities/roles/untag-role.ts'
import { UpdateAssumeRolePolicy } from './identities/roles/update-assume-role-policy.ts'
import { CreateUser } from './identities/users/create-user.ts'
import { DeleteUser } from './identities/users/delete-user.ts'
import { DeleteUserPermissionsBoundary } from './identities/users/delete-user-permissions-boundary.ts'
import { DeleteUserPolicy } from './identities/users/delete-user-policy.ts'
import { GetUser } from './identities/users/get-user.ts'
import { GetUserPolicy } from './identities/users/get-user-policy.ts'
import { ListUserPolicies } from './identities/users/list-user-policies.ts'
import { ListUsers } from './identities/users/list-users.ts'
import { PutUserPermissionsBoundary } from './identities/users/put-user-permissions-boundary.ts'
import { PutUserPolicy } from './identities/users/put-user-policy.ts'
import { TagUser } from './identities/users/tag-user.ts'
import { UntagUser } from './identities/users/untag-user.ts'
import { DeleteImportedKeyMaterial } from './import/delete-imported-key-material.ts'
import { GetParametersForImport } from './import/get-parameters-for-import.ts'
import { ImportKeyMaterial } from './import/import-key-material.ts'
import { DestroyDueKey } from './jobs/destroy-due-key.ts'
import { ExpireDueMaterial } from './jobs/expire-due-material.ts'
import { RotateDueKey } from './jobs/rotate-due-key.ts'
import { CancelKeyDeletion } from './keys/cancel-key-deletion.ts'
import { CreateKey } from './keys/create-key.ts'
import { DescribeKey } from './keys/describe-key.ts'
import { DisableKey } from './keys/disable-key.ts'
import { EnableKey } from './keys/enable-key.ts'
import { GetKeyLastUsage } from './keys/get-key-last-usage.ts'
import { ListKeys } from './keys/list-keys.ts'
import { ScheduleKeyDeletion } from './keys/schedule-key-deletion.ts'
import { UpdateKeyDescription } from './keys/update-key-description.ts'
import { GenerateMac } from './macs/generate-mac.ts'
import { VerifyMac } from './macs/verify-mac.ts'
import type { AnyOperation, OperationName } from './operation.ts'
import { GetKeyPolicy } from './policies/get-key-policy.ts'
import { ListKeyPolicies } from './policies/list-key-policies.ts'
import { PutKeyPolicy } from './policies/put-key-policy.ts'
import { SimulatePolicy } from './policies/simulate-policy.ts'
import { DisableKeyRotation } from './rotation/disable-key-rotation.ts'
import { EnableKeyRotation } from './rotation/enable-key-rotation.ts'
import { GetKeyRotationStatus } from './rotation/get-key-rotation-status.ts'
import { ListKeyRotations } from './rotation/list-key-rotations.ts'
import { RotateKeyOnDemand } from './rotation/rotate-key-on-demand.ts'
import { GetPublicKey } from './signatures/get-public-key.ts'
import { Sign } from './signatures/sign.ts'
import { Verify } from './signatures/verify.ts'
import { AssumeRole } from './sts/assume-role.ts'
import { AssumeRoleWithWebIdentity } from './sts/assume-role-with-web-identity.ts'
import { GetCallerIdentity } from './sts/get-caller-identity.ts'
import { GetSessionToken } from './sts/get-session-token.ts'
import { ListResourceTags } from './tags/list-resource-tags.ts'
import { TagResource } from './tags/tag-resource.ts'
import { UntagResource } from './tags/untag-resource.ts'

/** Every operation by its name. */
export const OPERATIONS: { readonly [N in OperationName]: AnyOperation<N> } = {
  CreateKey,
  DescribeKey,
  GetKeyLastUsage,
  ListKeys,
  UpdateKeyDescription,
  EnableKey,
  DisableKey,
  ScheduleKeyDeletion,
  CancelKeyDeletion,
  CreateAlias,
  UpdateAlias,
  DeleteAlias,
  ListAliases,
  TagResource,
  UntagResource,
  ListResourceTags,
  GetKeyPolicy,
  PutKeyPolicy,
  ListKeyPolicies,
  SimulatePolicy,
  CreateGrant,
  ListGrants,
  ListRetirableGrants,
  RetireGrant,
  RevokeGrant,
  Encrypt,
  Decrypt,
  ReEncrypt,
  GenerateDataKey,
  GenerateDataKeyWithoutPlaintext,
  GenerateDataKeyPair,
  GenerateDataKeyPairWithoutPlaintext,
  Sign,
  Verify,
  GetPublicKey,
  GenerateMac,
  VerifyMac,
  DeriveSharedSecret,
  GenerateRandom,
  EnableKeyRotation,
  DisableKeyRotation,
  GetKeyRotationStatus,
  RotateKeyOnDemand,
  ListKeyRotations,
  CreateAccount,
  ListAccounts,
  CreateUser,
  GetUser,
  ListUsers,
  DeleteUser,
  TagUser,
  UntagUser,
  PutUserPolicy,
  GetUserPolicy,
  ListUserPolicies,
  DeleteUserPolicy,
  PutUserPermissionsBoundary,
  DeleteUserPermissionsBoundary,
  CreateRole,
  GetRole,
  ListRoles,
  UpdateAssumeRolePolicy,
  DeleteRole,
  TagRole,
  UntagRole,
  PutRolePolicy,
  GetRolePolicy,
  ListRolePolicies,
  DeleteRolePolicy,
  PutRolePermissionsBoundary,
  DeleteRolePermissionsBoundary,
  CreateAccessKey,
  ListAccessKeys,
  UpdateAccessKey,
  DeleteAccessKey,
  CreateOpenIDConnectProvider,
  GetOpenIDConnectProvider,
  ListOpenIDConnectProviders,
  UpdateOpenIDConnectProvider,
  DeleteOpenIDConnectProvider,
  AssumeRole,
  AssumeRoleWithWebIdentity,
  GetCallerIdentity,
  GetSessionToken,
  GetParametersForImport,
  ImportKeyMaterial,
  DeleteImportedKeyMaterial,
  RotateDueKey,
  ExpireDueMaterial,
  DestroyDueKey,
}
