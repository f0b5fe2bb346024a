/** A key that is kept while its material goes. */

import { expect, test } from 'vitest'
import { callAs, here, newKey, rootOf, useInstallation } from '../installation.ts'

useInstallation()

test('waits for its import, whatever was known of it when its deletion was cancelled', async () => {
  const { keyId } = await newKey(undefined, { origin: 'EXTERNAL' })
  await callAs(rootOf(), 'ScheduleKeyDeletion', { keyId })
  // As by who has seen the key whole, before its material was deleted.
  const cancelled = { state: 'Disabled', deletionMs: null } as const
  const kept = await here().store.keys.change(keyId, 'PendingDeletion', cancelled)
  expect(kept?.state).toBe('PendingImport')
  const { keyMetadata } = await callAs(rootOf(), 'DescribeKey', { keyId })
  expect(keyMetadata?.keyState).toBe('PendingImport')
})
