/**
 * Entrust nShield with the PKCS #11 library of a Security World. Not run on the device: from
 * Entrust's documents, nshielddocs.entrust.com/security-world-docs (api-pkcs11), and from the
 * settings for nShield of github.com/aws-samples/aws-kms-xks-proxy.
 */

import type { Profile } from './profile.ts'
import { standard } from './standard.ts'

/** Entrust nShield 5 and Connect, Security World 13. */
export const nshield: Profile = {
  ...standard,
  name: 'nshield',
  moduleFiles: ['libcknfast'],
  recognises: ({ manufacturer, description }) =>
    manufacturer.startsWith('nCipher') || /nShield/i.test(description),
  // Which of them are set decides about slots, softcards and other processes
  // (api-pkcs11/env-variables). Those that write a trace are left out: it may hold secrets.
  variables: [
    'NFAST_HOME',
    'NFAST_KMDATA',
    'NFAST_NFKM_TOKENSFILE',
    'CKNFAST_ASSUME_SINGLE_PROCESS',
    'CKNFAST_CARDSET_HASH',
    'CKNFAST_FAKE_ACCELERATOR_LOGIN',
    'CKNFAST_HSM_POOL',
    'CKNFAST_LOADSHARING',
    'CKNFAST_NONREMOVABLE',
    'CKNFAST_NO_ACCELERATOR_SLOTS',
    'CKNFAST_OVERRIDE_SECURITY_ASSURANCES',
    'CKNFAST_RELOAD_KEYS',
    'CKNFAST_SHARE_SESSION_KEYS',
    'CKNFAST_TOKENS_PERSISTENT',
  ],
  // It makes the IV itself, and wants zeros where it will write it (aws-kms-xks-proxy's
  // settings_nshield.toml; Entrust's own page on the mechanism says nothing of it).
  gcmIv: { made: 'in place', bytes: 12 },
}
