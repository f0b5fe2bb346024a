/**
 * Who calls: the principal that a client certificate names by its one URI, a SPIFFE ID. TLS has
 * verified the certificate's chain before; here is what TLS does not look at.
 * https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md
 */

import { AsnConvert } from '@peculiar/asn1-schema'
import {
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  type Extension,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_kp_clientAuth,
  KeyUsage,
  SubjectAlternativeName,
} from '@peculiar/asn1-x509'
import { rootArn } from '../../model/arn.ts'
import type { Caller } from '../../model/caller.ts'
import { fail, KmsError } from '../../model/failures.ts'

/** What a client certificate says of its holder, or why it says nothing. */
export type Identity =
  | { readonly caller: Caller; readonly notBeforeMs: number; readonly notAfterMs: number }
  | { readonly refusal: KmsError }

const SPIFFE_ID_BYTES_MAX = 2048
const SEGMENT = '[a-zA-Z0-9._-]{1,64}'
const SPIFFE_ID = new RegExp(
  '^spiffe://(?<trustDomain>[a-z0-9._-]{1,255})/account/(?<account>[0-9]{12})/' +
    `(?:(?<root>root)|user/(?<user>${SEGMENT})|role/(?<role>${SEGMENT})/(?<session>${SEGMENT}))$`,
)
// RFC 5280, 4.2.1.3: bits are counted from the most significant one.
const DIGITAL_SIGNATURE = 0x80
const SIGNS_CERTIFICATES_OR_LISTS = 0x04 | 0x02

/** Reads a client certificate in DER that TLS has verified; done once per connection. */
export function identify(der: Uint8Array, trustDomain: string): Identity {
  try {
    const { tbsCertificate } = AsnConvert.parse(der, Certificate)
    const extensions = readExtensions(tbsCertificate.extensions ?? [])
    checkUsage(extensions)
    return {
      caller: callerOf(spiffeIdOf(extensions), trustDomain),
      notBeforeMs: tbsCertificate.validity.notBefore.getTime().getTime(),
      notAfterMs: tbsCertificate.validity.notAfter.getTime().getTime(),
    }
  } catch (cause) {
    if (cause instanceof KmsError) return { refusal: cause }
    const options = { cause }
    const message = 'The client certificate cannot be read.'
    return { refusal: new KmsError('UnrecognizedClientException', message, options) }
  }
}

/**
 * The caller, if the certificate is valid at this moment; asked at each call, since a connection
 * may outlive its certificate.
 *
 * @throws KmsError UnrecognizedClientException when there is none.
 */
export function callerAt(identity: Identity, nowMs: number): Caller {
  if ('refusal' in identity) throw identity.refusal
  if (nowMs < identity.notBeforeMs) refuse('The client certificate is not valid yet.')
  if (nowMs > identity.notAfterMs) refuse('The client certificate has expired.')
  return identity.caller
}

/** The values of extensions, by their object identifiers. */
type ExtensionValues = ReadonlyMap<string, ArrayBuffer>

function readExtensions(extensions: readonly Extension[]): ExtensionValues {
  const values = new Map<string, ArrayBuffer>()
  for (const { extnID, extnValue } of extensions) {
    // RFC 5280, 4.2; two of a kind is how one reader sees a name that another does not.
    if (values.has(extnID)) refuse(`The client certificate has the extension ${extnID} twice.`)
    values.set(extnID, extnValue.buffer)
  }
  return values
}

/** X.509-SVID, 4 and 5.2: a leaf, which signs nothing but its own handshakes. */
function checkUsage(extensions: ExtensionValues): void {
  const constraints = extensions.get(id_ce_basicConstraints)
  if (constraints && AsnConvert.parse(constraints, BasicConstraints).cA) {
    refuse('The client certificate is that of a certificate authority.')
  }
  const usage = extensions.get(id_ce_keyUsage)
  if (usage) {
    const [bits = 0] = new Uint8Array(AsnConvert.parse(usage, KeyUsage).value)
    if (bits & SIGNS_CERTIFICATES_OR_LISTS || !(bits & DIGITAL_SIGNATURE)) {
      refuse('The key usage of the client certificate is not that of a client.')
    }
  }
  const purposes = extensions.get(id_ce_extKeyUsage)
  if (purposes && !AsnConvert.parse(purposes, ExtendedKeyUsage).includes(id_kp_clientAuth)) {
    refuse('The client certificate is not meant for clients.')
  }
}

function spiffeIdOf(extensions: ExtensionValues): string {
  const value = extensions.get(id_ce_subjectAltName)
  const names = value ? AsnConvert.parse(value, SubjectAlternativeName) : []
  const uris = names
    .map((each) => each.uniformResourceIdentifier)
    .filter((uri) => uri !== undefined)
  const [uri] = uris
  if (uri === undefined || uris.length !== 1) {
    refuse(`The client certificate must have exactly one URI name; it has ${uris.length}.`)
  }
  return uri
}

function callerOf(spiffeId: string, ourTrustDomain: string): Caller {
  if (spiffeId.length > SPIFFE_ID_BYTES_MAX) refuse('The SPIFFE ID is longer than 2048 bytes.')
  const parts = SPIFFE_ID.exec(spiffeId)?.groups
  if (!parts) refuse('The URI in the client certificate is not a SPIFFE ID of a principal.')
  const { trustDomain, account = '', user, role, session } = parts
  if (trustDomain !== ourTrustDomain) {
    refuse('The client certificate is of another trust domain.')
  }
  if ([user, role, session].some((segment) => segment === '.' || segment === '..')) {
    refuse('The SPIFFE ID has a relative path.')
  }
  if (user !== undefined) {
    return { arn: `arn:aws:iam::${account}:user/${user}`, account, kind: 'user' }
  }
  if (role !== undefined) {
    return { arn: `arn:aws:sts::${account}:assumed-role/${role}/${session}`, account, kind: 'role' }
  }
  return { arn: rootArn(account), account, kind: 'root' }
}

function refuse(message: string): never {
  fail('UnrecognizedClientException', message)
}
