/**
 * Data keys leave no string behind in the process that faces the network: a string cannot be
 * zeroed, and stays until its memory is used again.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { accessKeyOf } from './clients/environment.ts'
import { send, sign } from './sign.ts'

const MAIN = resolve(import.meta.dirname, '../../../src/cli/main.ts')
const CALLS = 50
const SNAPSHOT_MS = 90_000

test('no data key is in a heap snapshot', { timeout: 180_000 }, async () => {
  const home = mkdtempSync(join(tmpdir(), 'keyslot-strings-'))
  const listen = ['grpc', 'aws', 'status'].flatMap((door) => [`--${door}-listen`, '127.0.0.1:0'])
  const words = ['--heapsnapshot-signal=SIGUSR2', MAIN, 'serve', '--dev', '--home', home, ...listen]
  const stdio = ['ignore', 'pipe', 'ignore'] as const
  const child = spawn(process.execPath, words, { cwd: home, stdio: [...stdio] })
  try {
    const endpoint = await endpointOf(child.stdout)
    const host = new URL(endpoint).host
    const key = accessKeyOf(home)
    const body = '{"KeyId":"alias/dev","KeySpec":"AES_256"}'
    const dataKeys: string[] = []
    for (let at = 0; at < CALLS; at++) {
      const asked = { operation: 'GenerateDataKey', body, host, timeMs: Date.now() }
      const { json } = await send(endpoint, sign(key, asked))
      dataKeys.push(String(json.Plaintext))
    }
    const snapshot = await snapshotOf(child, home)
    // What the snapshot is searched for is found where it is: the access key is a string.
    expect(snapshot.includes(key.accessKeyId)).toBe(true)
    expect(dataKeys.filter((each) => snapshot.includes(each.slice(0, 40)))).toEqual([])
  } finally {
    child.kill('SIGKILL')
    rmSync(home, { recursive: true, force: true })
  }
})

async function endpointOf(stdout: NodeJS.ReadableStream | null): Promise<string> {
  for await (const line of createInterface(stdout ?? process.stdin)) {
    const [, endpoint] = /AWS\s+(http:\S+)/.exec(line) ?? []
    if (endpoint !== undefined) return endpoint
  }
  throw new Error('the service does not start')
}

/** The heap of a process, once it has written all of it. */
async function snapshotOf(child: ReturnType<typeof spawn>, directory: string): Promise<Buffer> {
  child.kill('SIGUSR2')
  const untilMs = Date.now() + SNAPSHOT_MS
  while (Date.now() < untilMs) {
    await setTimeout(500)
    const name = readdirSync(directory).find((each) => each.endsWith('.heapsnapshot'))
    const written = name ? readFileSync(join(directory, name)) : Buffer.alloc(0)
    if (written.subarray(-8).toString().trimEnd().endsWith(']}')) return written
    if (child.exitCode !== null) await once(child, 'exit')
  }
  throw new Error('no heap snapshot was written')
}
