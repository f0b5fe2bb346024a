/**
 * opencryptoki's soft token: a poor HSM, since 3.8.1 has no AES-GCM.
 *
 * There is one for the whole machine, in a folder that is compiled in, and a daemon hands out its
 * slots. So it is made only where nobody uses it, and left as it was found.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeTokenFolder } from './token-folder.ts'
import { firstOf, libraryPaths, missingFrom, TOKEN_LABEL, type TokenKind } from './token-kind.ts'

const TOKEN = '/var/lib/opencryptoki/swtok'
const SOCKET = '/run/pkcsslotd.socket'
const START_MS = 10_000
const modulePath = firstOf(libraryPaths('libopencryptoki.so.0'))
const daemon = firstOf(['/usr/sbin/pkcsslotd'])

/** opencryptoki's soft token as Debian 12 has it. */
export const opencryptoki: TokenKind = {
  name: "opencryptoki's soft token",
  missing: missingFrom('opencryptoki', [modulePath, daemon]) ?? inUse(),
  outcome: {
    refuses:
      'the token cannot serve: CKM_AES_GCM: the token does not offer it; ' +
      'CKM_AES_CBC_ENCRYPT_DATA: the token does not offer it',
  },
  async make() {
    if (modulePath === undefined || daemon === undefined) throw new Error('not installed')
    clear()
    const running = spawn(daemon, ['-f'], { stdio: 'ignore' })
    await isUp(running)
    const folder = makeTokenFolder('opencryptoki')
    const { pin, soPin, pinFile } = folder
    const settings = { modulePath, tokenLabel: TOKEN_LABEL, pinFile }
    execFileSync(process.execPath, [join(import.meta.dirname, 'initialise-opencryptoki.ts')], {
      input: JSON.stringify({ ...settings, pin, soPin }),
    })
    return {
      settings,
      async remove() {
        running.kill()
        if (running.exitCode === null) await once(running, 'exit')
        clear()
        folder.remove()
      },
    }
  },
}

/** Why it must be left alone. */
function inUse(): string | undefined {
  if (process.getuid?.() !== 0) return 'opencryptoki needs root to start its daemon'
  if (existsSync(SOCKET)) return 'opencryptoki is in use on this machine'
  const state = join(TOKEN, 'NVTOK.DAT')
  if (!existsSync(state)) return undefined
  // The label comes first; the second is that of a token which nobody has initialised.
  const label = readFileSync(state, 'latin1').slice(0, 32).trimEnd()
  const free = [TOKEN_LABEL, 'IBM OS PKCS#11'].includes(label)
  return free ? undefined : `the token of opencryptoki is in use: it is called '${label}'`
}

/** The state of a token that has just been installed. */
function clear(): void {
  for (const name of readdirSync(TOKEN)) {
    if (name !== 'TOK_OBJ') rmSync(join(TOKEN, name))
  }
  for (const name of readdirSync(join(TOKEN, 'TOK_OBJ'))) rmSync(join(TOKEN, 'TOK_OBJ', name))
}

async function isUp(running: ChildProcess): Promise<void> {
  for (const end = performance.now() + START_MS; !existsSync(SOCKET); await sleep(20)) {
    if (running.exitCode !== null) throw new Error(`pkcsslotd ended with ${running.exitCode}`)
    if (performance.now() > end) throw new Error('pkcsslotd does not start')
  }
}
