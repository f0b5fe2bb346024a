/**
 * Who calls: the principal that a client certificate names by its one URI, a SPIFFE ID, or whom a
 * JSON Web Token in the call makes the caller. TLS has verified the certificate's chain before;
 * here is what TLS does not look at.
 * https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md
 */

import type { Metadata } from '@grpc/grpc-js'
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
import type { Caller } from '../../model/caller.ts'
import { fail, KmsError } from '../../model/failures.ts'
import type { PrincipalName } from '../../model/identities/principal.ts'
import { parseSpiffeId } from '../../model/identities/spiffe-id.ts'
import type { Identities } from '../../pipeline/identities.ts'

/** What a client certificate says of its holder, or why it says nothing. */
export type Identity =
  | { readonly name: PrincipalName; readonly notBeforeMs: number; readonly notAfterMs: number }
  | { readonly refusal: KmsError }

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
      name: parseSpiffeId(spiffeIdOf(extensions), trustDomain),
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
 * The name in the certificate, if that is valid at this moment; asked at each call, since a
 * connection may outlive its certificate.
 *
 * @throws KmsError UnrecognizedClientException when there is none.
 */
export function nameAt(identity: Identity, nowMs: number): PrincipalName {
  if ('refusal' in identity) throw identity.refusal
  if (nowMs < identity.notBeforeMs) refuse('The client certificate is not valid yet.')
  if (nowMs > identity.notAfterMs) refuse('The client certificate has expired.')
  return identity.name
}

/** What a call shows beside the certificate of its connection. */
export interface Shown {
  /** A JSON Web Token. */
  readonly token?: string
  /** The role that its holder wants to be a session of: an ARN. */
  readonly roleArn?: string
}

/** Reads the metadata of a call: `authorization: Bearer …` and `keyslot-role-arn`. */
export function shownBy(metadata: Metadata): Shown {
  const [authorisation] = metadata.get('authorization')
  const [roleArn] = metadata.get('keyslot-role-arn')
  const [, token] = /^bearer +(\S+)$/i.exec(authorisation?.toString() ?? '') ?? []
  return { token, roleArn: roleArn?.toString() }
}

/**
 * Who calls: whom the token makes the caller, if there is one, or else the certificate.
 *
 * @param identity of the connection; absent if its client has shown no certificate.
 * @throws KmsError UnrecognizedClientException and its kin.
 */
export function authenticate(
  { callerOf, bearer }: Pick<Identities, 'callerOf' | 'bearer'>,
  identity: Identity | undefined,
  { token, ...shown }: Shown & { readonly sourceAddress?: string },
  nowMs: number,
): Promise<Caller> {
  if (token !== undefined) return bearer({ token, ...shown })
  if (identity) return callerOf(nameAt(identity, nowMs))
  return fail('MissingAuthenticationTokenException', 'Missing Authentication Token')
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

function refuse(message: string): never {
  fail('UnrecognizedClientException', message)
}
