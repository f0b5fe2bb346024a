/** An installation with so many keys, and copies of it, for servers to serve. */

import { execFile } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { connect } from '../../src/client/client.ts'
import { softhsmConfiguration } from '../../src/pkcs11/profiles/softhsm.ts'
import { PLAINTEXT_BYTES } from './calls.ts'
import { type RunningServer, startKeyslot } from './servers.ts'

/** What a generator needs to know of an installation. */
export interface Installation {
  readonly home: string
  readonly keyIds: readonly string[]
  /** For each size of plaintext, one ciphertext for each key. */
  readonly ciphertexts: ReadonlyMap<number, readonly Buffer[]>
}

const AT_ONCE = 32

/** Makes an installation with a number of keys in a directory that is not there yet. */
export async function makeInstallation(home: string, keys: number): Promise<Installation> {
  // The first start makes token, certificates and database.
  await (await startKeyslot(home)).stop()
  const populate = resolve(import.meta.dirname, 'populate.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [populate, home, `${keys}`], {
    env: { ...process.env, SOFTHSM2_CONF: join(home, 'hsm/softhsm2.conf') },
  })
  const keyIds: readonly string[] = JSON.parse(stdout)
  const server = await startKeyslot(home)
  try {
    return { home, keyIds, ciphertexts: await encryptAll(server, home, keyIds) }
  } finally {
    await server.stop()
  }
}

/** A copy for another server; the installation must not be served at the moment. */
export function copyInstallation({ home }: Installation, copy: string): string {
  cpSync(home, copy, { recursive: true })
  writeFileSync(join(copy, 'hsm/softhsm2.conf'), softhsmConfiguration(join(copy, 'hsm/tokens')))
  return copy
}

async function encryptAll(
  { address }: RunningServer,
  home: string,
  keyIds: readonly string[],
): Promise<Installation['ciphertexts']> {
  const client = connect({
    endpoint: address,
    ca: readFileSync(join(home, 'tls/ca.pem')),
    certificate: readFileSync(join(home, 'tls/root.pem')),
    privateKey: readFileSync(join(home, 'tls/root-key.pem')),
  })
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
  client.close()
  return all
}
