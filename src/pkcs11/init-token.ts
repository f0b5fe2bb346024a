/** Makes a development token, from the door's side. */

import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { processEnvironment, processFile } from './child-process.ts'
import type { HsmSettings } from './settings.ts'

/** What to make. */
export interface InitTokenSettings
  extends Pick<
    HsmSettings,
    'libraryParameters' | 'moduleEnvironment' | 'modulePath' | 'profile' | 'tokenLabel'
  > {
  /** The future user PIN: a regular file of mode 0400 or 0600. */
  readonly pinFile: string
  /** The future security officer's PIN, likewise. */
  readonly soPinFile: string
}

/** What there is now. */
export interface InitTokenResult {
  readonly tokenLabel: string
  readonly serial: string
  /** Whether it was made now, and not there already. */
  readonly made: boolean
}

/**
 * Initialises a free token of the module and its user PIN. A token with the label that is there
 * already is left as it is.
 *
 * @throws Error when the module, the files or the token refuse.
 */
export async function initToken(settings: InitTokenSettings): Promise<InitTokenResult> {
  const child = spawn(process.execPath, [processFile('init-token')], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: processEnvironment(settings.moduleEnvironment),
  })
  child.stdin.end(JSON.stringify(settings))
  const [answer, complaints] = await Promise.all([text(child.stdout), text(child.stderr)])
  const result = parse(answer)
  if (result === undefined) throw new Error(`the token cannot be initialised: ${complaints}`)
  if ('failure' in result) throw new Error(`the token cannot be initialised: ${result.failure}`)
  return result
}

function parse(answer: string): InitTokenResult | { readonly failure: string } | undefined {
  return answer === '' ? undefined : JSON.parse(answer)
}
