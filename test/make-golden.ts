/**
 * Makes golden ciphertexts: once for each release that changes the format, into a folder of its
 * own that is never changed again. `node test/make-golden.ts test/golden/v1`.
 */

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RunningService, startTestService } from './harness.ts'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('say into which folder')

/** A ciphertext and what it was made of; bytes in base64. */
interface Golden {
  readonly suite: number
  readonly plaintext: string
  readonly context: Readonly<Record<string, string>>
  readonly ciphertextBlob: string
}

const contexts: readonly Readonly<Record<string, string>>[] = [
  {},
  { purpose: 'golden' },
  // In another order by UTF-16 units than by UTF-8 bytes.
  { b: '2', a: '1', é: 'ü', '\u{1f600}': 'beyond the plane', '\uff5e': 'within the plane' },
]

async function encryptSome(service: RunningService, suite: number): Promise<Golden[]> {
  const { client } = service
  const made: Golden[] = []
  for (let rotation = 0; rotation < 3; rotation += 1) {
    const keyId = `alias/suite-${suite}`
    if (rotation > 0) {
      const { keyMetadata } = await client.call('DescribeKey', { keyId })
      await client.call('RotateKeyOnDemand', { keyId: keyMetadata?.keyId })
    } else {
      const { keyMetadata } = await client.call('CreateKey', { description: `suite ${suite}` })
      await client.call('CreateAlias', { aliasName: keyId, targetKeyId: keyMetadata?.keyId })
    }
    for (const length of [1, 32, 1000]) {
      for (const context of contexts) {
        const plaintext = Buffer.alloc(length, `golden ${rotation}`)
        const encryptionContext = new Map(Object.entries(context))
        const { ciphertextBlob } = await client.call('Encrypt', {
          keyId,
          plaintext,
          encryptionContext,
        })
        made.push({
          suite,
          plaintext: plaintext.toString('base64'),
          context,
          ciphertextBlob: ciphertextBlob.toString('base64'),
        })
      }
    }
  }
  return made
}

const first = await startTestService()
const suite1 = await encryptSome(first, 1)
const { home } = first.config
await first.service.stop()
const second = await startTestService({ home, 'hsm.withdraw': 'CKM_AES_CBC_ENCRYPT_DATA' })
const suite2 = await encryptSome(second, 2)
await second.service.stop()

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
writeFileSync(
  join(folder, 'ciphertexts.json'),
  `${JSON.stringify([...suite1, ...suite2], null, 1)}\n`,
)
for (const part of ['keyslot.db', 'hsm/tokens', 'hsm/pin']) {
  cpSync(join(home, part), join(folder, part), { recursive: true })
}
rmSync(home, { recursive: true, force: true })
process.exit(0)
