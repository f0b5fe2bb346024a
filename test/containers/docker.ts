/** Whether there is a Docker that can build the image and bring the compose file up. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The folder of the compose file. */
export const ROOT = resolve(import.meta.dirname, '../..')

const ANSWER_MS = 20_000
const PULL_MS = 300_000

/** Why containers cannot be tried here; `undefined` when they can. */
export function whyNoDocker(): string | undefined {
  if (!succeeds(['info'], ANSWER_MS)) return 'no Docker engine answers'
  if (!succeeds(['compose', 'version'], ANSWER_MS)) return 'Docker has no compose'
  const [, base = ''] =
    /^FROM (\S+)/m.exec(readFileSync(join(ROOT, 'hsm/Dockerfile'), 'utf8')) ?? []
  const isHere = succeeds(['image', 'inspect', base], ANSWER_MS)
  if (!isHere && !succeeds(['pull', '--quiet', base], PULL_MS)) return `${base} cannot be pulled`
  return undefined
}

/** Runs docker, and answers what it printed. */
export function docker(...words: string[]): string {
  return execFileSync('docker', words, { cwd: ROOT, stdio: 'pipe' }).toString()
}

function succeeds(words: readonly string[], timeoutMs: number): boolean {
  try {
    execFileSync('docker', words, { stdio: 'ignore', timeout: timeoutMs })
    return true
  } catch {
    return false
  }
}
