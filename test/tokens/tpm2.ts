/** tpm2-pkcs11 on a TPM in software: few sessions, no C_GenerateKey, no AES-GCM. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { initToken } from '../../src/pkcs11/init-token.ts'
import { makeTokenFolder } from './token-folder.ts'
import { firstOf, libraryPaths, missingFrom, TOKEN_LABEL, type TokenKind } from './token-kind.ts'

const START_MS = 10_000
const modulePath = firstOf(libraryPaths('libtpm2_pkcs11.so.1'))
const swtpm = firstOf(['/usr/bin/swtpm'])
const connection = firstOf(libraryPaths('libtss2-tcti-swtpm.so.0'))

/** tpm2-pkcs11 1.9 with swtpm 0.7. */
export const tpm2: TokenKind = {
  name: 'tpm2-pkcs11 with swtpm',
  missing: missingFrom('libtpm2-pkcs11-1, libtss2-tcti-swtpm0 and swtpm', [
    modulePath,
    swtpm,
    connection,
  ]),
  outcome: {
    refuses:
      'the token cannot serve: CKM_AES_KEY_GEN: it failed its proof: C_GenerateKey returned ' +
      'CKR_FUNCTION_NOT_SUPPORTED; CKM_AES_GCM: the token does not offer it; ' +
      'CKM_AES_CBC_ENCRYPT_DATA: the token does not offer it',
  },
  // About 940, of the 1024 that it speaks of.
  hasFewSessions: true,
  async make() {
    if (modulePath === undefined || swtpm === undefined) throw new Error('not installed')
    const folder = makeTokenFolder('tpm2')
    const [state, store, socket] = ['state', 'store', 'socket'].map((name) =>
      join(folder.path, name),
    ) as [string, string, string]
    for (const path of [state, store]) mkdirSync(path)
    const running = spawn(swtpm, swtpmArguments(state, socket), { stdio: 'ignore' })
    await isUp(running, socket)
    const settings = {
      modulePath,
      tokenLabel: TOKEN_LABEL,
      pinFile: folder.pinFile,
      moduleEnvironment: {
        TPM2_PKCS11_TCTI: `swtpm:path=${socket}`,
        TPM2_PKCS11_STORE: store,
        // It writes about each call otherwise.
        TSS2_LOG: 'all+NONE',
      },
    }
    await initToken({ ...settings, soPinFile: folder.soPinFile })
    return {
      settings,
      async remove() {
        running.kill()
        if (running.exitCode === null) await once(running, 'exit')
        folder.remove()
      },
    }
  },
}

function swtpmArguments(state: string, socket: string): readonly string[] {
  return [
    'socket',
    '--tpm2',
    ...['--tpmstate', `dir=${state}`],
    ...['--server', `type=unixio,path=${socket}`],
    ...['--ctrl', `type=unixio,path=${socket}.ctrl`],
    ...['--flags', 'not-need-init,startup-clear'],
  ]
}

async function isUp(running: ChildProcess, socket: string): Promise<void> {
  for (const end = performance.now() + START_MS; !existsSync(socket); await sleep(20)) {
    if (running.exitCode !== null) throw new Error(`swtpm ended with ${running.exitCode}`)
    if (performance.now() > end) throw new Error('swtpm does not start')
  }
}
