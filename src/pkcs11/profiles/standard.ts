/** The profile of a module about which nothing is known: PKCS#11 v2.40 as it is written. */

import type { Profile } from './profile.ts'

/** What the other profiles differ from. */
export const standard: Profile = {
  name: 'standard',
  moduleFiles: [],
  recognises: () => false,
  variables: [],
  // A network HSM answers in milliseconds and works in parallel; a thread waits for each answer.
  workers: 16,
  slowCalls: 'among them',
  // The module was built and certified with its own OpenSSL, not with Node's.
  loading: 'own symbols',
  gcmIv: { made: 'by us', bytes: 12 },
  withoutAttributes: [],
  untrustedAttributes: [],
  loginAttempts: 3,
  derivedKeysMax: 256,
}
