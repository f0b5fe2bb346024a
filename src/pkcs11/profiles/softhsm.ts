/** SoftHSM 2: the development token, whose objects are files without any durability of their own. */

import { existsSync } from 'node:fs'
import type { Profile } from './profile.ts'
import { softhsmFiles } from './softhsm-files.ts'
import { standard } from './standard.ts'

/** Where package managers put the module. */
const MODULE_PATHS = [
  // Debian and Ubuntu.
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  // Fedora and its family.
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
  '/usr/lib64/libsofthsm2.so',
  // Alpine, and what is built from source.
  '/usr/lib/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  // Homebrew on macOS.
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
  '/usr/local/opt/softhsm/lib/softhsm/libsofthsm2.so',
]

/** SoftHSM 2.6.1. */
export const softhsm: Profile = {
  ...standard,
  name: 'softhsm',
  moduleFiles: ['libsofthsm'],
  recognises: ({ manufacturer }) => manufacturer === 'SoftHSM',
  variables: ['SOFTHSM2_CONF'],
  // It computes in our process under one lock: a second thread makes AES slower, not faster.
  workers: 1,
  // An RSA key of 4096 bits takes it a second to make, outside of that lock.
  slowCalls: 'apart',
  // It works, and is faster, with Node's OpenSSL.
  loading: 'shared symbols',
  // Several processes that start together make each other's login fail for a moment.
  loginAttempts: 6,
  // A session object is 8 KB of our own memory: 128 MB. With more keys in use than are kept, every
  // call derives one and destroys another, and costs four times as much.
  derivedKeysMax: 16_384,
  tokenFiles: softhsmFiles,
}

/** The path of SoftHSM's module on this machine, if it is installed. */
export function findSoftHsm(): string | undefined {
  return MODULE_PATHS.find((path) => existsSync(path))
}

/** The environment that SoftHSM reads: which configuration file names its token directory. */
export function softhsmEnvironment(configurationPath: string): Readonly<Record<string, string>> {
  return { SOFTHSM2_CONF: configurationPath }
}

/** What SoftHSM's configuration file has to say for tokens under a directory. */
export function softhsmConfiguration(tokenDirectory: string): string {
  return [
    `directories.tokendir = ${tokenDirectory}`,
    'objectstore.backend = file',
    'log.level = ERROR',
    'slots.removable = false',
    'library.reset_on_fork = true',
    '',
  ].join('\n')
}
