/** DescribeKey. */

import { anyState, keyById, operation } from '../operation.ts'
import { keyMetadata } from './key-metadata.ts'

/**
 * Describes a key.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
 */
export const DescribeKey = operation('DescribeKey', {
  needs: { key: keyById({ aliases: true, states: anyState, grantable: true }) },
  changes: false,

  async run({ key }) {
    return { keyMetadata: keyMetadata(key) }
  },
})
