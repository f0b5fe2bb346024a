/**
 * The templates of keyslot's objects, complete, and the check of what the token made of them.
 *
 * Everything here is fixed and typed: the binding corrupts memory when a value has a type that
 * its attribute does not expect.
 */

import pkcs11js, { type Attribute } from 'pkcs11js'
import type { CipherSuite } from '../../model/key.ts'
import { OPTIONAL_ATTRIBUTES, type Profile } from '../profiles/profile.ts'
import type { Generation } from './mechanisms.ts'

/** What labels of keyslot's objects begin with. */
export const LABEL_PREFIX = 'keyslot '
/** The label of the canary. */
export const CANARY_LABEL = `${LABEL_PREFIX}canary`
/** Length of a CKA_ID, in bytes. */
export const ID_BYTES = 16

const KEY_BYTES = 32
const ULONG_BYTES = 8

/** An attribute and the value it has to have. */
export interface FixedAttribute {
  readonly name: string
  readonly type: number
  readonly value: boolean | number | Buffer | string
}

/** What identifies an object. */
export interface ObjectName {
  /** CKA_ID. */
  readonly id: Buffer
  /** CKA_LABEL, ASCII. */
  readonly label: string
}

/** The template of a backing key: one usage, nothing that could be loosened afterwards. */
export function backingKeyTemplate(
  { id, label }: ObjectName,
  suite: CipherSuite,
  profile: Profile,
): readonly FixedAttribute[] {
  const derives = suite === 1
  const mechanism = derives ? pkcs11js.CKM_AES_CBC_ENCRYPT_DATA : pkcs11js.CKM_AES_GCM
  return without(profile, [
    ...aesKey({ token: true, encrypts: !derives, derives }),
    fixed('CKA_WRAP_WITH_TRUSTED', true),
    fixed('CKA_ALLOWED_MECHANISMS', ulong(mechanism)),
    fixed('CKA_ID', id),
    fixed('CKA_LABEL', label),
    fixed('CKA_COPYABLE', false),
    // Last: the objects of some tokens are closed to the attributes behind it.
    fixed('CKA_MODIFIABLE', false),
  ])
}

/** The template of a derived key: a session object that encrypts and decrypts. */
export function derivedKeyTemplate(profile: Profile): readonly FixedAttribute[] {
  return without(profile, [
    ...aesKey({ token: false, encrypts: true, derives: false }),
    fixed('CKA_COPYABLE', false),
    fixed('CKA_MODIFIABLE', false),
  ])
}

/** A session key for a proof, with a known value or one that the token makes. */
export function proofKeyTemplate(use: 'encrypts' | 'derives', value?: Buffer): FixedAttribute[] {
  const encrypts = use === 'encrypts'
  const key = aesKey({ token: false, encrypts, derives: !encrypts })
  if (value === undefined) return key
  // A value brings its length with it.
  return [...withoutLength(key), fixed('CKA_VALUE', value)]
}

/**
 * The template of a backing key that signs, decrypts or agrees: the private half of a pair, or a
 * secret that makes MACs.
 */
export function kindTemplate(
  { id, label }: ObjectName,
  generation: Generation,
  profile?: Profile,
): readonly FixedAttribute[] {
  const { keyType, use, allowed } = generation
  const isSecret = keyType === pkcs11js.CKK_GENERIC_SECRET
  return without(profile, [
    fixed('CKA_CLASS', isSecret ? pkcs11js.CKO_SECRET_KEY : pkcs11js.CKO_PRIVATE_KEY),
    fixed('CKA_KEY_TYPE', keyType),
    ...(isSecret ? parameters(generation) : []),
    fixed('CKA_TOKEN', true),
    fixed('CKA_PRIVATE', true),
    fixed('CKA_SENSITIVE', true),
    fixed('CKA_EXTRACTABLE', false),
    fixed('CKA_SIGN', use === 'CKA_SIGN'),
    fixed('CKA_DECRYPT', use === 'CKA_DECRYPT'),
    fixed('CKA_DERIVE', use === 'CKA_DERIVE'),
    fixed('CKA_UNWRAP', false),
    ...(isSecret
      ? [fixed('CKA_ENCRYPT', false), fixed('CKA_VERIFY', false), fixed('CKA_WRAP', false)]
      : [fixed('CKA_SIGN_RECOVER', false)]),
    fixed('CKA_WRAP_WITH_TRUSTED', true),
    fixed('CKA_ALLOWED_MECHANISMS', Buffer.concat(allowed.map(ulong))),
    fixed('CKA_ID', id),
    fixed('CKA_LABEL', label),
    fixed('CKA_COPYABLE', false),
    // Last: the objects of some tokens are closed to the attributes behind it.
    fixed('CKA_MODIFIABLE', false),
  ])
}

/** A session key of a kind, for a proof; a secret may have a known value. */
export function proofKindTemplate(generation: Generation, value?: Buffer): FixedAttribute[] {
  const optional: readonly string[] = OPTIONAL_ATTRIBUTES
  const template = kindTemplate({ id: Buffer.alloc(0), label: '' }, generation)
    .filter(({ name }) => !optional.includes(name) && name !== 'CKA_ID' && name !== 'CKA_LABEL')
    .map((attribute) => (attribute.name === 'CKA_TOKEN' ? fixed('CKA_TOKEN', false) : attribute))
  if (value === undefined) return template
  return [...template.filter(({ name }) => name !== 'CKA_VALUE_LEN'), fixed('CKA_VALUE', value)]
}

/** What two sides have agreed on: a session object whose value is read. */
export function sharedSecretTemplate(bytes: number): FixedAttribute[] {
  return [
    fixed('CKA_CLASS', pkcs11js.CKO_SECRET_KEY),
    fixed('CKA_KEY_TYPE', pkcs11js.CKK_GENERIC_SECRET),
    fixed('CKA_VALUE_LEN', bytes),
    fixed('CKA_TOKEN', false),
    fixed('CKA_PRIVATE', true),
    fixed('CKA_SENSITIVE', false),
    fixed('CKA_EXTRACTABLE', true),
  ]
}

/** The private half of a data key pair: a session object whose numbers are read. */
export function dataKeyPairTemplate({ keyType }: Generation): FixedAttribute[] {
  return [
    fixed('CKA_CLASS', pkcs11js.CKO_PRIVATE_KEY),
    fixed('CKA_KEY_TYPE', keyType),
    fixed('CKA_TOKEN', false),
    fixed('CKA_PRIVATE', true),
    fixed('CKA_SENSITIVE', false),
    fixed('CKA_EXTRACTABLE', true),
    fixed('CKA_SIGN', true),
  ]
}

/** The template of the public half of a pair, which lives as long as its session. */
export function publicKeyTemplate(generation: Generation): FixedAttribute[] {
  const { keyType, use } = generation
  return [
    fixed('CKA_CLASS', pkcs11js.CKO_PUBLIC_KEY),
    fixed('CKA_KEY_TYPE', keyType),
    ...parameters(generation),
    fixed('CKA_TOKEN', false),
    fixed('CKA_PRIVATE', false),
    fixed('CKA_VERIFY', use === 'CKA_SIGN'),
    fixed('CKA_ENCRYPT', use === 'CKA_DECRYPT'),
    fixed('CKA_DERIVE', use === 'CKA_DERIVE'),
    fixed('CKA_WRAP', false),
  ]
}

/**
 * What a backing key has to read back: its template, and that it was made inside the token unless
 * it is imported.
 */
export function expectedOf(
  template: readonly FixedAttribute[],
  profile: Profile,
  isImported = false,
): readonly FixedAttribute[] {
  // Some tokens do not know the length of a key that they have unwrapped.
  if (isImported) return withoutLength(template)
  const origin = (['CKA_ALWAYS_SENSITIVE', 'CKA_NEVER_EXTRACTABLE', 'CKA_LOCAL'] as const)
    .filter((attribute) => !profile.untrustedAttributes.includes(attribute))
    .map((attribute) => fixed(attribute, true))
  return [...template, ...origin]
}

/** A template for a key whose value brings its length with it: tokens refuse to hear it twice. */
export function withoutLength(template: readonly FixedAttribute[]): readonly FixedAttribute[] {
  return template.filter(({ name }) => name !== 'CKA_VALUE_LEN')
}

/** The attributes in the binding's form. */
export function attributes(template: readonly FixedAttribute[]): Attribute[] {
  return template.map(({ type, value }) => ({ type, value }))
}

/** The names of the attributes that are missing or differ. */
export function templateFaults(
  expected: readonly FixedAttribute[],
  actual: readonly (Buffer | undefined)[],
): readonly string[] {
  return expected
    .filter(({ value }, at) => !actual[at]?.equals(asBytes(value)))
    .map(({ name }) => name)
}

/** A boolean attribute as it is read. */
export function isTrue(value: Buffer | undefined): boolean {
  return value?.length === 1 && value[0] === 1
}

function parameters(generation: Generation): FixedAttribute[] {
  return generation.parameters.map(({ name, value }) => fixed(name, value))
}

function aesKey(use: { token: boolean; encrypts: boolean; derives: boolean }): FixedAttribute[] {
  return [
    fixed('CKA_CLASS', pkcs11js.CKO_SECRET_KEY),
    fixed('CKA_KEY_TYPE', pkcs11js.CKK_AES),
    fixed('CKA_VALUE_LEN', KEY_BYTES),
    fixed('CKA_TOKEN', use.token),
    fixed('CKA_PRIVATE', true),
    fixed('CKA_SENSITIVE', true),
    fixed('CKA_EXTRACTABLE', false),
    fixed('CKA_ENCRYPT', use.encrypts),
    fixed('CKA_DECRYPT', use.encrypts),
    fixed('CKA_DERIVE', use.derives),
    fixed('CKA_SIGN', false),
    fixed('CKA_VERIFY', false),
    fixed('CKA_WRAP', false),
    fixed('CKA_UNWRAP', false),
  ]
}

const TYPES = {
  CKA_CLASS: pkcs11js.CKA_CLASS,
  CKA_KEY_TYPE: pkcs11js.CKA_KEY_TYPE,
  CKA_MODULUS_BITS: pkcs11js.CKA_MODULUS_BITS,
  CKA_PUBLIC_EXPONENT: pkcs11js.CKA_PUBLIC_EXPONENT,
  CKA_MODULUS: pkcs11js.CKA_MODULUS,
  CKA_PRIVATE_EXPONENT: pkcs11js.CKA_PRIVATE_EXPONENT,
  CKA_PRIME_1: pkcs11js.CKA_PRIME_1,
  CKA_PRIME_2: pkcs11js.CKA_PRIME_2,
  CKA_EXPONENT_1: pkcs11js.CKA_EXPONENT_1,
  CKA_EXPONENT_2: pkcs11js.CKA_EXPONENT_2,
  CKA_COEFFICIENT: pkcs11js.CKA_COEFFICIENT,
  CKA_VALUE: pkcs11js.CKA_VALUE,
  CKA_VALUE_LEN: pkcs11js.CKA_VALUE_LEN,
  CKA_TOKEN: pkcs11js.CKA_TOKEN,
  CKA_PRIVATE: pkcs11js.CKA_PRIVATE,
  CKA_SENSITIVE: pkcs11js.CKA_SENSITIVE,
  CKA_EXTRACTABLE: pkcs11js.CKA_EXTRACTABLE,
  CKA_ENCRYPT: pkcs11js.CKA_ENCRYPT,
  CKA_DECRYPT: pkcs11js.CKA_DECRYPT,
  CKA_DERIVE: pkcs11js.CKA_DERIVE,
  CKA_SIGN: pkcs11js.CKA_SIGN,
  CKA_SIGN_RECOVER: pkcs11js.CKA_SIGN_RECOVER,
  CKA_VERIFY: pkcs11js.CKA_VERIFY,
  CKA_EC_PARAMS: pkcs11js.CKA_EC_PARAMS,
  CKA_WRAP: pkcs11js.CKA_WRAP,
  CKA_UNWRAP: pkcs11js.CKA_UNWRAP,
  CKA_WRAP_WITH_TRUSTED: pkcs11js.CKA_WRAP_WITH_TRUSTED,
  CKA_ALLOWED_MECHANISMS: pkcs11js.CKA_ALLOWED_MECHANISMS,
  CKA_ID: pkcs11js.CKA_ID,
  CKA_LABEL: pkcs11js.CKA_LABEL,
  CKA_COPYABLE: pkcs11js.CKA_COPYABLE,
  CKA_MODIFIABLE: pkcs11js.CKA_MODIFIABLE,
  CKA_ALWAYS_SENSITIVE: pkcs11js.CKA_ALWAYS_SENSITIVE,
  CKA_NEVER_EXTRACTABLE: pkcs11js.CKA_NEVER_EXTRACTABLE,
  CKA_LOCAL: pkcs11js.CKA_LOCAL,
} as const

/** An attribute by its name. */
export function fixed(name: keyof typeof TYPES, value: FixedAttribute['value']): FixedAttribute {
  return { name, type: TYPES[name], value }
}

/** A template without what the token refuses. */
export function without(
  profile: Profile | undefined,
  template: readonly FixedAttribute[],
): FixedAttribute[] {
  const left: readonly string[] = profile?.withoutAttributes ?? []
  return template.filter(({ name }) => !left.includes(name))
}

/** The value of an attribute as the token keeps it. */
export function asBytes(value: FixedAttribute['value']): Buffer {
  if (typeof value === 'boolean') return Buffer.of(value ? 1 : 0)
  if (typeof value === 'number') return ulong(value)
  return typeof value === 'string' ? Buffer.from(value, 'latin1') : value
}

/** A CK_ULONG as bytes, for attributes whose type the binding does not know. */
export function ulong(value: number): Buffer {
  const bytes = Buffer.alloc(ULONG_BYTES)
  bytes.writeUInt32LE(value)
  return bytes
}
