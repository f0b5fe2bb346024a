/**
 * Makes X.509 certificates (RFC 5280) over EC P-256 keys. Which certificates an installation needs
 * and what names they carry is said in `authority.ts`.
 */

import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import * as asn1 from '@peculiar/asn1-x509'

/** A name in the subject alternative name. */
export type SubjectName =
  | { readonly uri: string }
  /** A DNS name, or an IP address. */
  | { readonly host: string }

/** What a certificate is to say. */
export interface CertificateContents {
  /** The common name, for people to read. */
  readonly commonName: string
  /** The subject's public key. */
  readonly publicKey: KeyObject
  readonly notBefore: Date
  readonly notAfter: Date
  readonly extensions: readonly asn1.Extension[]
}

/** Who signs: the issuer's common name and its private key. */
export interface Issuer {
  readonly commonName: string
  readonly privateKey: KeyObject
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
const COMMON_NAME = '2.5.4.3'

/** Signs a certificate; answers it as PEM. */
export function signCertificate(contents: CertificateContents, issuer: Issuer): string {
  const signatureAlgorithm = new asn1.AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 })
  const issuerKey = createPublicKey(issuer.privateKey)
  const tbsCertificate = new asn1.TBSCertificate({
    version: asn1.Version.v3,
    serialNumber: serialNumber(),
    signature: signatureAlgorithm,
    issuer: distinguishedName(issuer.commonName),
    validity: new asn1.Validity(contents),
    subject: distinguishedName(contents.commonName),
    subjectPublicKeyInfo: AsnConvert.parse(spki(contents.publicKey), asn1.SubjectPublicKeyInfo),
    extensions: new asn1.Extensions([
      ...contents.extensions,
      extension(
        asn1.id_ce_subjectKeyIdentifier,
        new asn1.SubjectKeyIdentifier(keyIdentifier(contents.publicKey)),
      ),
      extension(
        asn1.id_ce_authorityKeyIdentifier,
        new asn1.AuthorityKeyIdentifier({
          keyIdentifier: new asn1.KeyIdentifier(keyIdentifier(issuerKey)),
        }),
      ),
    ]),
  })
  const signature = sign(
    'sha256',
    Buffer.from(AsnConvert.serialize(tbsCertificate)),
    issuer.privateKey,
  )
  const certificate = new asn1.Certificate({
    tbsCertificate,
    signatureAlgorithm,
    signatureValue: Uint8Array.from(signature).buffer,
  })
  return pem(Buffer.from(AsnConvert.serialize(certificate)))
}

/** The extensions of a certificate that signs certificates, and only such as sign none. */
export function authorityExtensions(): asn1.Extension[] {
  const usage = asn1.KeyUsageFlags.keyCertSign | asn1.KeyUsageFlags.cRLSign
  return [
    extension(
      asn1.id_ce_basicConstraints,
      new asn1.BasicConstraints({ cA: true, pathLenConstraint: 0 }),
      true,
    ),
    extension(asn1.id_ce_keyUsage, new asn1.KeyUsage(usage), true),
  ]
}

/** The extensions of a certificate that stands at one end of a TLS connection. */
export function endEntityExtensions(
  side: 'server' | 'client',
  names: readonly SubjectName[],
): asn1.Extension[] {
  const purpose = side === 'server' ? asn1.id_kp_serverAuth : asn1.id_kp_clientAuth
  return [
    extension(asn1.id_ce_basicConstraints, new asn1.BasicConstraints({ cA: false }), true),
    extension(asn1.id_ce_keyUsage, new asn1.KeyUsage(asn1.KeyUsageFlags.digitalSignature), true),
    extension(asn1.id_ce_extKeyUsage, new asn1.ExtendedKeyUsage([purpose])),
    extension(asn1.id_ce_subjectAltName, new asn1.SubjectAlternativeName(names.map(generalName))),
  ]
}

/** An extension around a value of `@peculiar/asn1-x509`. */
export function extension(extnID: string, value: object, critical = false): asn1.Extension {
  const extnValue = new OctetString(AsnConvert.serialize(value))
  return new asn1.Extension({ extnID, critical, extnValue })
}

function generalName(name: SubjectName): asn1.GeneralName {
  if ('uri' in name) return new asn1.GeneralName({ uniformResourceIdentifier: name.uri })
  return isIP(name.host)
    ? new asn1.GeneralName({ iPAddress: name.host })
    : new asn1.GeneralName({ dNSName: name.host })
}

function distinguishedName(commonName: string): asn1.Name {
  const value = new asn1.AttributeValue({ utf8String: commonName })
  const attribute = new asn1.AttributeTypeAndValue({ type: COMMON_NAME, value })
  return new asn1.Name([new asn1.RelativeDistinguishedName([attribute])])
}

/** A positive integer of at most 20 bytes with no leading zeros (RFC 5280, 4.1.2.2). */
function serialNumber(): ArrayBuffer {
  const bytes = Uint8Array.from(randomBytes(16))
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.buffer
}

/** RFC 7093, section 2, method 1: the first 160 bits of the key's SHA-256. */
function keyIdentifier(key: KeyObject): Uint8Array {
  const { subjectPublicKey } = AsnConvert.parse(spki(key), asn1.SubjectPublicKeyInfo)
  const digest = createHash('sha256').update(Buffer.from(subjectPublicKey)).digest()
  return Uint8Array.from(digest.subarray(0, 20))
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' })
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
