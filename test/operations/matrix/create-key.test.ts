/** CreateKey: every spec, usage, origin and MultiRegion, and no usage at all. */

import { expect, test } from 'vitest'
import { useService } from '../service.ts'
import { ORIGINS, outcomeOfCreateKey, SPECS, USAGES } from './documents.ts'
import { grpcClient, isInFull, outcome } from './outcomes.ts'

useService()

/** Minutes on a busy machine. */
const SLOW = /^RSA_(3072|4096)$/

const requests = [undefined, ...SPECS].flatMap((keySpec) =>
  [undefined, ...USAGES].flatMap((keyUsage) =>
    ORIGINS.flatMap((origin) =>
      [false, true].map((multiRegion) => ({ keySpec, keyUsage, origin, multiRegion })),
    ),
  ),
)

test(`P10: each of ${requests.length} combinations is made, or refused by the right name`, async () => {
  const differences: string[] = []
  for (const request of requests) {
    const expected = outcomeOfCreateKey(request)
    const isSlow = SLOW.test(request.keySpec ?? '') && request.origin === 'AWS_KMS'
    if (expected === 'ok' && isSlow && !isInFull) continue
    const found = await outcome(grpcClient(), 'CreateKey', request)
    if (found !== expected) differences.push(`${JSON.stringify(request)}: ${found}, ${expected}`)
  }
  expect(differences).toEqual([])
})
