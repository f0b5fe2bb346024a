/** The kinds of tokens that the tests of this room know how to make, present or not. */

import { existsSync } from 'node:fs'
import type { CipherSuite } from '../../src/model/key.ts'
import type { ProfileName } from '../../src/pkcs11/profiles/choose.ts'
import type { HsmSettings } from '../../src/pkcs11/settings.ts'

/** The label of every token that is made here, unless the module has one of its own. */
export const TOKEN_LABEL = 'keyslot test'

/** A token that has been made. */
export interface MadeToken {
  readonly settings: HsmSettings & { readonly pinFile: string }
  /** Removes the token and ends what was started for it. */
  remove(): Promise<void>
}

/** A kind of token. */
export interface TokenKind {
  readonly name: string
  /** Why it cannot be made on this machine; absent where it can. */
  readonly missing: string | undefined
  /** What keyslot makes of it: the suite that it serves in, or the reason why it refuses. */
  readonly outcome:
    | { readonly suite: CipherSuite; readonly profile: ProfileName }
    | { readonly refuses: string }
  /** Whether it has so few sessions that a test can take them all. */
  readonly hasFewSessions?: true
  make(): Promise<MadeToken>
}

/** The first of these paths that is there. */
export function firstOf(paths: readonly string[]): string | undefined {
  return paths.find((path) => existsSync(path))
}

/** Where Debian, Ubuntu and Fedora put a shared library. */
export function libraryPaths(file: string): readonly string[] {
  return ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64'].map(
    (directory) => `${directory}/${file}`,
  )
}

/** Why a token is missing: one sentence for all the files that are not there. */
export function missingFrom(debianPackages: string, paths: readonly (string | undefined)[]) {
  return paths.includes(undefined) ? `${debianPackages} not installed` : undefined
}
