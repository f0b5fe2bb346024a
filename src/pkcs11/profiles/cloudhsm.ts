/**
 * AWS CloudHSM with the PKCS #11 library of Client SDK 5. Not run on the device: from AWS's
 * documents, docs.aws.amazon.com/cloudhsm/latest/userguide.
 */

import type { Profile } from './profile.ts'
import { standard } from './standard.ts'

/** AWS CloudHSM, Client SDK 5. */
export const cloudhsm: Profile = {
  ...standard,
  name: 'cloudhsm',
  moduleFiles: ['libcloudhsm_pkcs11'],
  // Not certain: the file name decides where its words are others.
  recognises: ({ manufacturer, description }) => /CloudHSM/i.test(`${manufacturer} ${description}`),
  // It takes no IV from the application: the buffer holds zeros, and it writes 12 bytes there
  // (pkcs11-mechanisms, annotations).
  gcmIv: { made: 'in place', bytes: 12 },
  // CKA_MODIFIABLE may only have its default, true; the others are not in the table
  // (pkcs11-attributes).
  withoutAttributes: ['CKA_ALLOWED_MECHANISMS', 'CKA_COPYABLE', 'CKA_MODIFIABLE'],
}
