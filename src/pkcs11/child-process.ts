/** What every process that loads the module is started with: its file, its environment, the PIN. */

import { fileURLToPath } from 'node:url'
import { MODULE_VARIABLES } from './profiles/choose.ts'
import type { HsmSettings } from './settings.ts'

/** The path of a file that runs as a process; its extension is this file's own. */
export function processFile(name: string): string {
  return fileURLToPath(new URL(`./process/${name}${import.meta.url.slice(-3)}`, import.meta.url))
}

/** All that a process which loads the module sees of the environment. */
export function processEnvironment(module: HsmSettings['moduleEnvironment']): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', ...MODULE_VARIABLES]
  return { ...Object.fromEntries(names.map((name) => [name, process.env[name]])), ...module }
}

/**
 * How a PIN that comes by a descriptor reaches a process: as the last of what it is given.
 *
 * @param at the number that the descriptor has there: how many others come before it.
 */
export function passedPin(
  settings: HsmSettings,
  at: number,
): { readonly settings: HsmSettings; readonly descriptors: readonly number[] } {
  const { pinFd } = settings
  if (pinFd === undefined) return { settings, descriptors: [] }
  return { settings: { ...settings, pinFd: at }, descriptors: [pinFd] }
}
