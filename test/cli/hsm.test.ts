/** `keyslot hsm init`: what a container does before it serves. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'keyslot-init-'))

afterAll(() => rmSync(home, { recursive: true, force: true }))

function init(): string {
  const environment = { PATH: process.env.PATH, HOME: home }
  const words = [MAIN, 'hsm', 'init', '--home', home]
  return execFileSync(process.execPath, words, { env: environment }).toString()
}

test('makes a token and certificates once, and shows no PIN', () => {
  const read = () => ['hsm/pin', 'tls/server.pem'].map((file) => readFileSync(join(home, file)))
  expect(init()).toBe(`${home}: token keyslot made now\n`)
  const made = read()
  expect(statSync(join(home, 'hsm/pin')).mode & 0o777).toBe(0o400)
  expect(init()).toBe(`${home}: token keyslot found again\n`)
  expect(read()).toEqual(made)
}, 60_000)
