/** The table of operations: one line each. It is typed by the contract, so that none is missing. */

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
import { DestroyDueKey } from './jobs/destroy-due-key.ts'
import { RotateDueKey } from './jobs/rotate-due-key.ts'
import { CancelKeyDeletion } from './keys/cancel-key-deletion.ts'
import { CreateKey } from './keys/create-key.ts'
import { DescribeKey } from './keys/describe-key.ts'
import { DisableKey } from './keys/disable-key.ts'
import { EnableKey } from './keys/enable-key.ts'
import { ListKeys } from './keys/list-keys.ts'
import { ScheduleKeyDeletion } from './keys/schedule-key-deletion.ts'
import { UpdateKeyDescription } from './keys/update-key-description.ts'
import type { AnyOperation, OperationName } from './operation.ts'
import { DisableKeyRotation } from './rotation/disable-key-rotation.ts'
import { EnableKeyRotation } from './rotation/enable-key-rotation.ts'
import { GetKeyRotationStatus } from './rotation/get-key-rotation-status.ts'
import { ListKeyRotations } from './rotation/list-key-rotations.ts'
import { RotateKeyOnDemand } from './rotation/rotate-key-on-demand.ts'
import { ListResourceTags } from './tags/list-resource-tags.ts'
import { TagResource } from './tags/tag-resource.ts'
import { UntagResource } from './tags/untag-resource.ts'

/** Every operation by its name. */
export const OPERATIONS: { readonly [N in OperationName]: AnyOperation<N> } = {
  CreateKey,
  DescribeKey,
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
  Encrypt,
  Decrypt,
  ReEncrypt,
  GenerateDataKey,
  GenerateDataKeyWithoutPlaintext,
  GenerateRandom,
  EnableKeyRotation,
  DisableKeyRotation,
  GetKeyRotationStatus,
  RotateKeyOnDemand,
  ListKeyRotations,
  RotateDueKey,
  DestroyDueKey,
}
