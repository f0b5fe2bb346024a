/** NSS softokn: the cryptography of Firefox, in a database of its own. */

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { makeTokenFolder } from './token-folder.ts'
import { firstOf, libraryPaths, missingFrom, type TokenKind } from './token-kind.ts'

const modulePath = firstOf(libraryPaths('libsoftokn3.so'))

/** NSS softokn 3.87. */
export const nss: TokenKind = {
  name: 'NSS softokn',
  missing: missingFrom('libnss3', [modulePath]),
  outcome: { suite: 2, profile: 'nss' },
  async make() {
    if (modulePath === undefined) throw new Error('NSS softokn is not installed')
    const folder = makeTokenFolder('nss')
    const settings = {
      modulePath,
      tokenLabel: 'NSS Certificate DB',
      pinFile: folder.pinFile,
      libraryParameters: `configdir='sql:${folder.path}' certPrefix='' keyPrefix='' secmod='' flags=`,
    }
    // A process of its own, like every use of a module.
    execFileSync(process.execPath, [join(import.meta.dirname, 'initialise-nss.ts')], {
      input: JSON.stringify({ ...settings, pin: folder.pin }),
    })
    return { settings, remove: async () => folder.remove() }
  },
}
