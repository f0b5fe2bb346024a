/**
 * How the value of a condition key is read from a request.
 *
 * Names are the same whatever their case, the part behind `:` or `/` too. What follows from the
 * caller alone is read from the caller, whatever the request says; all else is asked of the request,
 * keys that nobody knows too: policies that are meant for several services speak of keys that mean
 * nothing here, and web identities have keys that their providers name.
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */

import type { Caller } from '../model/caller.ts'
import type { Reader } from './request.ts'

type ReaderOfCaller = (caller: Caller) => string | undefined

const isService = ({ kind }: Caller): boolean => kind === 'service'

/** `aws:PrincipalType` by the kind of caller. */
const PRINCIPAL_TYPES: Readonly<Partial<Record<Caller['kind'], string>>> = {
  root: 'Account',
  user: 'User',
  role: 'AssumedRole',
}

/** The keys whose values follow from the caller, in lower case. */
const OF_CALLER: ReadonlyMap<string, ReaderOfCaller> = new Map<string, ReaderOfCaller>([
  // Only temporary credentials say; none of keyslot's are issued for a second factor.
  ['aws:multifactorauthpresent', ({ issuedMs }) => (issuedMs === undefined ? undefined : 'false')],
  ['aws:principalaccount', (caller) => (isService(caller) ? undefined : caller.account)],
  // Of a session it is the role's, not the session's.
  [
    'aws:principalarn',
    (caller) => (isService(caller) ? undefined : (caller.roleArn ?? caller.arn)),
  ],
  ['aws:principalisawsservice', (caller) => String(isService(caller))],
  ['aws:principalservicename', (caller) => (isService(caller) ? caller.arn : undefined)],
  ['aws:principaltype', ({ kind }) => PRINCIPAL_TYPES[kind]],
  ['aws:sourceaccount', (caller) => (isService(caller) ? caller.account : undefined)],
  ['aws:sourcearn', ({ sourceArn }) => sourceArn],
  ['aws:sourceidentity', ({ sourceIdentity }) => sourceIdentity],
  [
    'aws:tokenissuetime',
    ({ issuedMs }) => (issuedMs === undefined ? undefined : new Date(issuedMs).toISOString()),
  ],
  ['aws:userid', ({ principalId }) => principalId],
  ['aws:username', ({ kind, arn }) => (kind === 'user' ? lastPartOf(arn) : undefined)],
  ['aws:viaawsservice', (caller) => String(isService(caller))],
  ['kms:calleraccount', ({ account }) => account],
])

const PRINCIPAL_TAG = 'aws:principaltag/'

/**
 * What reads the values of a key.
 *
 * @returns `undefined` if no key can have the name: each is prefixed with its service's.
 */
export function readerOfKey(text: string): Reader | undefined {
  const colon = text.indexOf(':')
  if (colon < 1 || colon === text.length - 1) return undefined
  const name = text.toLowerCase()
  const ofCaller = name.startsWith(PRINCIPAL_TAG)
    ? tagReader(name.slice(PRINCIPAL_TAG.length))
    : OF_CALLER.get(name)
  if (ofCaller) return ({ caller }) => ofCaller(caller)
  return ({ conditions }) => conditions.get(name)
}

/** Reads the tag of a name whatever its case: IAM lets no principal have two. */
function tagReader(lowerCase: string): ReaderOfCaller {
  return ({ tags }) => {
    for (const [name, value] of tags ?? []) if (name.toLowerCase() === lowerCase) return value
    return undefined
  }
}

function lastPartOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1)
}
