/** Amazon Resource Names of keys, aliases and principals, and the ways of naming a key. */

import { fail } from './failures.ts'

/** Where a key or an alias lives. */
export interface Place {
  /** The Region, such as `eu-central-1`. */
  readonly region: string
  /** The account: twelve digits. */
  readonly account: string
}

/** What a `KeyId` member names: a key by its id, or an alias by its name. */
export type KeyReference = Place & ({ readonly keyId: string } | { readonly aliasName: string })

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const MULTI_REGION = /^mrk-[0-9a-f]{32}$/
const ROOT_SUFFIX = ':root'
const ALIAS_NAME = /^alias\/[a-zA-Z0-9/_-]+$/

/** Whether this is a key id: a UUID, or `mrk-` and 32 hex digits. */
export function isKeyId(text: string): boolean {
  return UUID.test(text) || MULTI_REGION.test(text)
}

/** Whether this is the name of an alias, `alias/` included. */
export function isAliasName(text: string): boolean {
  return ALIAS_NAME.test(text)
}

/** The ARN of a key. */
export function keyArn({ region, account }: Place, keyId: string): string {
  return `arn:aws:kms:${region}:${account}:key/${keyId}`
}

/** The ARN of an alias; `aliasName` begins with `alias/`. */
export function aliasArn({ region, account }: Place, aliasName: string): string {
  return `arn:aws:kms:${region}:${account}:${aliasName}`
}

/** The ARN of an account's root. */
export function rootArn(account: string): string {
  return `arn:aws:iam::${account}${ROOT_SUFFIX}`
}

/** Whether this is the ARN of an account's root; others are told apart without making that. */
export function isRootArn(arn: string, account: string): boolean {
  return arn.endsWith(ROOT_SUFFIX) && arn === rootArn(account)
}

/**
 * Reads a `KeyId` member: key id, key ARN, alias name or alias ARN. A bare id or name is taken
 * to be in `home`.
 *
 * @throws KmsError InvalidArnException for a malformed ARN; NotFoundException for text that can
 *   name no key.
 */
export function parseKeyReference(text: string, home: Place): KeyReference {
  if (text.startsWith('arn:')) return parseArn(text)
  if (isKeyId(text)) return { ...home, keyId: text }
  if (isAliasName(text)) return { ...home, aliasName: text }
  if (text.startsWith('alias/')) fail('ValidationException', `Invalid alias name ${text}`)
  fail('NotFoundException', `Invalid keyId '${text}'`)
}

/**
 * Reads a `KeyId` member where no alias may stand: key id or key ARN.
 *
 * @throws KmsError as `parseKeyReference`; for the ARN of an alias InvalidArnException, for its
 *   name NotFoundException.
 */
export function parseKeyId(text: string, home: Place): Place & { readonly keyId: string } {
  const reference = parseKeyReference(text, home)
  if ('keyId' in reference) return reference
  if (text.startsWith('arn:')) fail('InvalidArnException', `${text} is not a valid key ARN.`)
  fail('NotFoundException', `Invalid keyId '${text}'`)
}

/** The name of the alias in a `KeyId` member that names one, `alias/` included. */
export function aliasNameIn(text: string): string | undefined {
  const name = text.startsWith('arn:') ? text.split(':').slice(5).join(':') : text
  return isAliasName(name) ? name : undefined
}

function parseArn(text: string): KeyReference {
  const [, partition, service, region = '', account = '', ...rest] = text.split(':')
  const resource = rest.join(':')
  const sound =
    partition === 'aws' && service === 'kms' && region !== '' && /^[0-9]{12}$/.test(account)
  if (!sound) fail('InvalidArnException', `Invalid arn ${text}`)
  if (isAliasName(resource)) return { region, account, aliasName: resource }
  const keyId = resource.startsWith('key/') ? resource.slice('key/'.length) : ''
  if (!isKeyId(keyId)) fail('InvalidArnException', `Invalid arn ${text}`)
  return { region, account, keyId }
}
