/**
 * YubiHSM 2. Not run on the device: from Yubico's user guide, docs.yubico.com (PKCS#11 with
 * YubiHSM 2, Core Concepts). It has no AES-GCM, so that keyslot refuses it, and says so.
 */

import type { Profile } from './profile.ts'
import { standard } from './standard.ts'

/** YubiHSM 2. */
export const yubihsm: Profile = {
  ...standard,
  name: 'yubihsm',
  moduleFiles: ['yubihsm_pkcs11'],
  // Yubico's module for YubiKeys has the same manufacturer.
  recognises: ({ description }) => description.startsWith('YubiHSM'),
  variables: ['YUBIHSM_PKCS11_CONF'],
  // The device has 16 sessions, although the token says that there is no limit; three are the
  // object thread's, and other programs use the device too.
  workers: 8,
}
