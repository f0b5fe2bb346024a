/** Where AWS's own tools are: on this machine, or where `npm run aws-clients` has put them. */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'

/** The folder that they are fetched to, a virtual environment of Python. */
export const TOOLS = resolve(
  import.meta.dirname,
  '../../../../node_modules/.cache/keyslot/aws-clients',
)

/** What tests run commands with. */
export const PATH = [join(TOOLS, 'bin'), process.env.PATH].join(delimiter)

/** Whether a command runs; without it, the tests that need it say that they are skipped. */
export function has(command: string, ...words: string[]): boolean {
  const found = spawnSync(command, words, { env: { ...process.env, PATH }, stdio: 'ignore' })
  if (found.status === 0) return true
  const hint = existsSync(TOOLS) ? '' : ': npm run aws-clients fetches AWS’s'
  console.warn(`SKIPPED: ${command} ${words.join(' ')} does not run here${hint}`)
  return false
}
