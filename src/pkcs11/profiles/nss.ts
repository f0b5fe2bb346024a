/** NSS softokn: a second software token, on most Linux machines already. */

import type { Profile } from './profile.ts'
import { standard } from './standard.ts'

/** NSS softokn 3.87. */
export const nss: Profile = {
  ...standard,
  name: 'nss',
  moduleFiles: ['libsoftokn3'],
  recognises: ({ manufacturer }) => manufacturer === 'Mozilla Foundation',
  // It computes in our process.
  workers: 2,
  // It answers CKR_GENERAL_ERROR to templates that hold them.
  withoutAttributes: ['CKA_ALLOWED_MECHANISMS', 'CKA_COPYABLE'],
  // It reads back false for keys that it has generated.
  untrustedAttributes: ['CKA_LOCAL'],
}
