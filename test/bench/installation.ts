/** An installation with so many keys, and copies of it, for servers to serve. */

import { execFile } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Client, connect } from '../../src/client/client.ts'
import { softhsmConfiguration } from '../../src/pkcs11/profiles/softhsm.ts'
import { type Installation, PLAINTEXT_BYTES, type SigningSpec } from './calls.ts'
import { type RunningServer, startKeyslot, THIS_CHECKOUT } from './servers.ts'

/** What an installation is to have. */
export interface Wanted {
  /** Symmetric keys. */
  readonly keys: number
  readonly signing: readonly SigningSpec[]
  /** The folder of the keyslot that makes it; this one, unless given. */
  readonly checkout?: string | undefined
}

const AT_ONCE = 32

/** Makes an installation in a directory that is not there yet. */
export async function makeInstallation(home: string, wanted: Wanted): Promise<Installation> {
  const { keys, signing, checkout = THIS_CHECKOUT } = wanted
  // The first start makes token, certificates and database.
  await (await startKeyslot(home, checkout)).stop()
  const populate = join(checkout, 'test/bench/populate.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [populate, home, `${keys}`], {
    env: { ...process.env, SOFTHSM2_CONF: join(home, 'hsm/softhsm2.conf') },
  })
  const keyIds: readonly string[] = JSON.parse(stdout)
  const server = await startKeyslot(home, checkout)
  const client = clientOf(server, home)
  try {
    const ciphertexts = await encryptAll(client, keyIds)
    const signingKeyIds: Partial<Record<SigningSpec, string>> = {}
    for (const spec of signing) signingKeyIds[spec] = await signingKey(client, spec)
    return { home, keyIds, ciphertexts, signingKeyIds }
  } finally {
    client.close()
    await server.stop()
  }
}

/** A copy for another server; the installation must not be served at the moment. */
export function copyInstallation({ home }: Installation, copy: string): string {
  cpSync(home, copy, { recursive: true })
  writeFileSync(join(copy, 'hsm/softhsm2.conf'), softhsmConfiguration(join(copy, 'hsm/tokens')))
  return copy
}

function clientOf({ address }: RunningServer, home: string): Client {
  return connect({
    endpoint: address,
    ca: readFileSync(join(home, 'tls/ca.pem')),
    certificate: readFileSync(join(home, 'tls/root.pem')),
    privateKey: readFileSync(join(home, 'tls/root-key.pem')),
  })
}

async function signingKey(client: Client, keySpec: SigningSpec): Promise<string> {
  const { keyMetadata } = await client.call('CreateKey', { keySpec, keyUsage: 'SIGN_VERIFY' })
  if (!keyMetadata) throw new Error('CreateKey has answered no key')
  return keyMetadata.keyId
}

async function encryptAll(
  client: Client,
  keyIds: readonly string[],
): Promise<Installation['ciphertexts']> {
  const all = new Map<number, readonly Buffer[]>()
  for (const bytes of PLAINTEXT_BYTES) {
    const plaintext = Buffer.alloc(bytes, 7)
    const made: Buffer[] = []
    for (let at = 0; at < keyIds.length; at += AT_ONCE) {
      const answers = keyIds
        .slice(at, at + AT_ONCE)
        .map((keyId) => client.call('Encrypt', { keyId, plaintext }))
      made.push(...(await Promise.all(answers)).map(({ ciphertextBlob }) => ciphertextBlob))
    }
    all.set(bytes, made)
  }
  return all
}
