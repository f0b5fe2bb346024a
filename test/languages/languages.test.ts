/** Clients generated from `proto/` in other languages, by other implementations of gRPC and TLS. */

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningService, startTestService } from '../harness.ts'
import { isReady, LANGUAGES } from './toolchains.ts'

const CLIENT_MS = 120_000

/** Status codes as the languages print them. */
const FAILED_PRECONDITION = { Python: 'FAILED_PRECONDITION', Go: 'FailedPrecondition' }

const folder = mkdtempSync(join(tmpdir(), 'keyslot-languages-'))
let running: RunningService

beforeAll(async () => {
  running = await startTestService()
})

afterAll(async () => {
  await running.stop()
  rmSync(folder, { recursive: true, force: true })
})

test.for(LANGUAGES)('a client in $name', { timeout: CLIENT_MS }, async (language, { skip }) => {
  if (!isReady(language)) {
    console.warn(`SKIPPED: a client in ${language.name}: fetch its toolchain by npm run languages`)
    return skip('no toolchain')
  }
  const signal = AbortSignal.timeout(CLIENT_MS)
  const [command, ...words] = await language.build(join(folder, language.name), signal)
  const keysBefore = await running.backingKeysInToken()
  const { stdout } = await promisify(execFile)(command, words, { env: environment(), signal })
  const happened = JSON.parse(stdout)
  expect(happened).toMatchObject({
    beforeRotation: 'attack at dawn',
    afterRotation: 'attack at dawn',
    failure: {
      status: FAILED_PRECONDITION[language.name],
      reason: 'DisabledException',
      domain: 'keyslot',
    },
  })
  expect(await running.backingKeysInToken()).toBe(keysBefore + 2)

  const { client } = running
  const { keyId, ciphertext } = happened
  expect((await client.call('DescribeKey', { keyId })).keyMetadata).toMatchObject({
    description: `made from ${language.name}`,
    keyState: 'Disabled',
  })
  await client.call('EnableKey', { keyId })
  const { plaintext } = await client.call('Decrypt', {
    ciphertextBlob: Buffer.from(ciphertext, 'base64'),
    encryptionContext: new Map([['purpose', 'plan']]),
  })
  expect(plaintext?.toString()).toBe('attack at dawn')
})

/** What `npx keyslot env` prints. */
function environment(): NodeJS.ProcessEnv {
  const tls = (file: string) => join(running.config.home, 'tls', file)
  return {
    PATH: process.env.PATH,
    KEYSLOT_ENDPOINT: running.service.grpcAddress,
    KEYSLOT_CA: tls('ca.pem'),
    KEYSLOT_CERTIFICATE: tls('root.pem'),
    KEYSLOT_PRIVATE_KEY: tls('root-key.pem'),
  }
}
