/** NSS softokn: the cryptography of Firefox, in a database of its own. */

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { makeTokenFolder } from './token-folder.ts'
import { firstOf, libraryPaths, missingFrom, type TokenKind } from './token-kind.ts'

/**
 * NSS decrypts a key of the token anew for each use of it, with a key that it derives from the PIN
 * by so many iterations of PBKDF2: by default 10,000 for each attribute, which takes RSA a second.
 */
const moduleEnvironment = { NSS_MAX_MP_PBE_ITERATION_COUNT: '1' }

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
      moduleEnvironment,
      libraryParameters: `configdir='sql:${folder.path}' certPrefix='' keyPrefix='' secmod='' flags=`,
    }
    // A process of its own, like every use of a module.
    execFileSync(process.execPath, [join(import.meta.dirname, 'initialise-nss.ts')], {
      input: JSON.stringify({ ...settings, pin: folder.pin }),
      env: { ...process.env, ...moduleEnvironment },
    })
    return { settings, remove: async () => folder.remove() }
  },
}
