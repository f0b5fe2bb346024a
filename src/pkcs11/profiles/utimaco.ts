/**
 * Utimaco SecurityServer, CryptoServer and u.trust with the PKCS#11 R2 and R3 libraries. Not run
 * on the device. Nothing is known of it that PKCS#11 does not say: the profile names it, and
 * passes on what it reads (docs.keyfactor.com/ejbca, Utimaco CryptoServer and CP5).
 */

import type { Profile } from './profile.ts'
import { standard } from './standard.ts'

/** Utimaco SecurityServer, PKCS#11 R2 and R3. */
export const utimaco: Profile = {
  ...standard,
  name: 'utimaco',
  moduleFiles: ['libcs_pkcs11_R'],
  // Not certain: the file name decides where its words are others.
  recognises: ({ manufacturer, description }) =>
    /Utimaco|CryptoServer/i.test(`${manufacturer} ${description}`),
  // The configuration file of each library, and the keys of devices that prove themselves (CP5).
  variables: ['CS_PKCS11_R3_CFG', 'CS_PKCS11_R2_CFG', 'CS_AUTH_KEYS'],
}
