/** NSS softokn: a second software token, on most Linux machines already. */

import type { Profile } from './profile.ts'
import { standard } from './standard.ts'

/** NSS softokn 3.87. */
export const nss: Profile = {
  ...standard,
  name: 'nss',
  moduleFiles: ['libsoftokn3'],
  recognises: ({ manufacturer }) => manufacturer === 'Mozilla Foundation',
  // How slow the PIN is to try out, and with it every use of a key that the token keeps: 10,000
  // iterations by default, by which one signature of RSA takes a second.
  variables: ['NSS_MAX_MP_PBE_ITERATION_COUNT', 'NSS_MIN_MP_PBE_ITERATION_COUNT'],
  // It computes in our process.
  workers: 2,
  slowCalls: 'apart',
  // It answers CKR_GENERAL_ERROR to templates that hold them.
  withoutAttributes: ['CKA_ALLOWED_MECHANISMS', 'CKA_COPYABLE'],
  // It reads back false for keys that it has generated.
  untrustedAttributes: ['CKA_LOCAL'],
}
