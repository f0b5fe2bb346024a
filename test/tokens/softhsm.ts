/** SoftHSM: an object store in files, cryptography of OpenSSL. */

import { findSoftHsm } from '../../src/pkcs11/profiles/softhsm.ts'
import { makeToken } from '../pkcs11/token.ts'
import { missingFrom, type TokenKind } from './token-kind.ts'

/** SoftHSM 2.6.1. */
export const softhsm: TokenKind = {
  name: 'SoftHSM',
  missing: missingFrom('softhsm2', [findSoftHsm()]),
  outcome: { suite: 1, profile: 'softhsm' },
  async make() {
    const { settings, remove } = await makeToken()
    return { settings, remove: async () => remove() }
  },
}
