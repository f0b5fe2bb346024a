/** The service that the tests of a file share, and words for what they all need of it. */

import { afterAll, beforeAll, expect } from 'vitest'
import type { RpcName, Service } from '../../src/service.ts'
import { type RunningService, startTestService } from '../harness.ts'

let running: RunningService | undefined

/** Starts a service before the tests of the calling file, and stops it after them. */
export function useService(): void {
  beforeAll(async () => {
    running = await startTestService()
  })
  afterAll(async () => {
    await running?.stop()
    running = undefined
  })
}

/** The service of this file. */
export function service(): RunningService {
  if (!running) throw new Error('useService() comes first')
  return running
}

/** Calls an operation over TLS as the account's root. */
export function call<N extends RpcName>(
  name: N,
  request: Partial<Service[N]['request']> = {},
): Promise<Service[N]['response']> {
  return service().client.call(name, request)
}

/** Expects a call to fail by AWS's name, with these words in its message. */
export async function expectFailure<N extends RpcName>(
  name: N,
  request: Partial<Service[N]['request']>,
  failure: string,
  words: string | RegExp = '',
): Promise<void> {
  await expect(call(name, request)).rejects.toMatchObject({
    name: failure,
    message: expect.stringMatching(words),
  })
}

/** Makes a key and answers its id. */
export async function newKey(request: Partial<Service['CreateKey']['request']> = {}): Promise<{
  readonly keyId: string
  readonly arn: string
}> {
  const { keyMetadata } = await call('CreateKey', request)
  if (!keyMetadata) throw new Error('CreateKey answered no metadata')
  return { keyId: keyMetadata.keyId, arn: keyMetadata.arn }
}

/** An id that no key has. */
export const MISSING = '00000000-0000-4000-8000-000000000000'

/** Days in milliseconds. */
export const days = (count: number) => count * 86_400_000
