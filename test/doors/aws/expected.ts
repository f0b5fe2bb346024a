/** What a verifier expects of a request to KMS, where it is tried without a door. */

import type { Expectations } from '../../../src/doors/aws/signature/claim.ts'

/** As the door has it. */
export const EXPECTED: Expectations = {
  regions: ['eu-central-1'],
  service: 'kms',
  signed: ['host', 'x-amz-date', 'x-amz-target'],
  signedIfPresent: ['content-type', 'x-amz-content-sha256', 'x-amz-security-token'],
  repeatedHeaders: false,
  normalisePath: true,
  clockSkewMs: 300_000,
}
