/** The templates of wrapping keys, and of what is unwrapped only to be looked at. */

import pkcs11js from 'pkcs11js'
import type { Profile } from '../profiles/profile.ts'
import { type FixedAttribute, fixed, type ObjectName, ulong, without } from '../token/templates.ts'

/**
 * What the labels of wrapping keys begin with. Not with the prefix of backing keys, which they are
 * none of.
 */
export const WRAPPING_KEY_LABEL = 'keyslot-wrapping '

/** How a wrapping key is used: the token unwraps with it, or only does the private operation. */
export type UnwrappingWay = 'unwraps' | 'decrypts'

/** CKA_PUBLIC_EXPONENT of every wrapping key. */
export const PUBLIC_EXPONENT = Buffer.of(1, 0, 1)

/** The public half of a wrapping key: a session object that is read once. */
export function wrappingPublicKeyTemplate(modulusBits: number): readonly FixedAttribute[] {
  return [
    fixed('CKA_CLASS', pkcs11js.CKO_PUBLIC_KEY),
    fixed('CKA_KEY_TYPE', pkcs11js.CKK_RSA),
    fixed('CKA_TOKEN', false),
    fixed('CKA_MODULUS_BITS', modulusBits),
    fixed('CKA_PUBLIC_EXPONENT', PUBLIC_EXPONENT),
  ]
}

/** The private half of a wrapping key: one usage, nothing that could be loosened afterwards. */
export function wrappingKeyTemplate(
  { id, label }: ObjectName,
  way: UnwrappingWay,
  profile: Profile,
): readonly FixedAttribute[] {
  const mechanism = way === 'unwraps' ? pkcs11js.CKM_RSA_PKCS_OAEP : pkcs11js.CKM_RSA_X_509
  return without(profile, [
    fixed('CKA_CLASS', pkcs11js.CKO_PRIVATE_KEY),
    fixed('CKA_KEY_TYPE', pkcs11js.CKK_RSA),
    fixed('CKA_TOKEN', true),
    fixed('CKA_PRIVATE', true),
    fixed('CKA_SENSITIVE', true),
    fixed('CKA_EXTRACTABLE', false),
    fixed('CKA_UNWRAP', way === 'unwraps'),
    fixed('CKA_DECRYPT', way === 'decrypts'),
    fixed('CKA_SIGN', false),
    fixed('CKA_DERIVE', false),
    fixed('CKA_WRAP_WITH_TRUSTED', true),
    fixed('CKA_ALLOWED_MECHANISMS', ulong(mechanism)),
    fixed('CKA_ID', id),
    fixed('CKA_LABEL', label),
    fixed('CKA_COPYABLE', false),
    fixed('CKA_MODIFIABLE', false),
  ])
}

/** A secret session key that does one thing, and whose length comes with its value. */
export function passingKeyTemplate(use: 'CKA_UNWRAP' | 'CKA_ENCRYPT'): readonly FixedAttribute[] {
  return [
    fixed('CKA_CLASS', pkcs11js.CKO_SECRET_KEY),
    fixed('CKA_KEY_TYPE', pkcs11js.CKK_AES),
    fixed('CKA_TOKEN', false),
    fixed('CKA_PRIVATE', true),
    fixed('CKA_SENSITIVE', true),
    fixed('CKA_EXTRACTABLE', false),
    fixed('CKA_ENCRYPT', use === 'CKA_ENCRYPT'),
    fixed('CKA_DECRYPT', false),
    fixed('CKA_DERIVE', false),
    fixed('CKA_SIGN', false),
    fixed('CKA_VERIFY', false),
    fixed('CKA_WRAP', false),
    fixed('CKA_UNWRAP', use === 'CKA_UNWRAP'),
  ]
}
