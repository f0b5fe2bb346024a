/**
 * Thales Luna Network, PCIe and USB HSM 7 in FIPS mode. Not run on the device: from Thales's
 * documents, thalesdocs.com/gphsm/luna/7. A Luna that is not in FIPS mode wants `standard`.
 */

import type { Profile } from './profile.ts'
import { standard } from './standard.ts'

/** Thales Luna 7 in FIPS mode. */
export const luna: Profile = {
  ...standard,
  name: 'luna',
  moduleFiles: ['libCryptoki2'],
  // Not certain: the file name decides where its words are others.
  recognises: ({ description }) => /\b(Chrystoki|Luna)\b/i.test(description),
  // Where the client's configuration is, if not in /etc.
  variables: ['ChrystokiConfigurationPath'],
  // In FIPS mode no IV is handed in, and the 16 bytes behind the tag are the one it has made
  // (sdk/mechanisms/CKM_AES_GCM).
  gcmIv: { made: 'behind the tag', bytes: 16 },
}
