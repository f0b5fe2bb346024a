/**
 * What AWS documents of kinds of keys, written down here once more and by hand: the tests of the
 * matrix must not take their expectations from the tables that they try.
 * https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
 */

/** Each spec with its usages, and the algorithms of each. */
const SPEC_LINES = `
  SYMMETRIC_DEFAULT      | ENCRYPT_DECRYPT: SYMMETRIC_DEFAULT
  RSA_2048               | ENCRYPT_DECRYPT: OAEP | SIGN_VERIFY: RSASSA
  RSA_3072               | ENCRYPT_DECRYPT: OAEP | SIGN_VERIFY: RSASSA
  RSA_4096               | ENCRYPT_DECRYPT: OAEP | SIGN_VERIFY: RSASSA
  ECC_NIST_P256          | SIGN_VERIFY: ECDSA_SHA_256 | KEY_AGREEMENT: ECDH
  ECC_NIST_P384          | SIGN_VERIFY: ECDSA_SHA_384 | KEY_AGREEMENT: ECDH
  ECC_NIST_P521          | SIGN_VERIFY: ECDSA_SHA_512 | KEY_AGREEMENT: ECDH
  ECC_SECG_P256K1        | SIGN_VERIFY: ECDSA_SHA_256
  ECC_NIST_EDWARDS25519  | SIGN_VERIFY: ED25519_SHA_512 ED25519_PH_SHA_512
  HMAC_224               | GENERATE_VERIFY_MAC: HMAC_SHA_224
  HMAC_256               | GENERATE_VERIFY_MAC: HMAC_SHA_256
  HMAC_384               | GENERATE_VERIFY_MAC: HMAC_SHA_384
  HMAC_512               | GENERATE_VERIFY_MAC: HMAC_SHA_512
  SM2                    | ENCRYPT_DECRYPT: SM2PKE | SIGN_VERIFY: SM2DSA | KEY_AGREEMENT: ECDH
  ML_DSA_44              | SIGN_VERIFY: ML_DSA_SHAKE_256
  ML_DSA_65              | SIGN_VERIFY: ML_DSA_SHAKE_256
  ML_DSA_87              | SIGN_VERIFY: ML_DSA_SHAKE_256
  ML_KEM_512             | ENCAPSULATE_DECAPSULATE: ML_KEM
  ML_KEM_768             | ENCAPSULATE_DECAPSULATE: ML_KEM
  ML_KEM_1024            | ENCAPSULATE_DECAPSULATE: ML_KEM
`

const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  OAEP: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
  RSASSA: ['PSS', 'PKCS1_V1_5'].flatMap((padding) =>
    ['256', '384', '512'].map((hash) => `RSASSA_${padding}_SHA_${hash}`),
  ),
}

export const USAGES = [
  'ENCRYPT_DECRYPT',
  'SIGN_VERIFY',
  'GENERATE_VERIFY_MAC',
  'KEY_AGREEMENT',
  'ENCAPSULATE_DECAPSULATE',
] as const
export const ORIGINS = ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] as const

/** AWS makes keys of these, and keyslot refuses them with its reason. */
const NOT_MADE = /^(SM2|ML_DSA_.*|ML_KEM_.*)$/
/** AWS has these algorithms for keys that keyslot makes, and keyslot refuses them. */
export const NOT_OFFERED: readonly string[] = ['ED25519_PH_SHA_512']

const algorithmsBySpec = new Map(SPEC_LINES.trim().split('\n').map(readLine))

function readLine(line: string): [string, ReadonlyMap<string, readonly string[]>] {
  const [spec = '', ...usages] = line.split('|').map((part) => part.trim())
  const rows = usages.map((part): [string, readonly string[]] => {
    const [usage = '', names = ''] = part.split(': ')
    return [usage, names.split(' ').flatMap((name) => FAMILIES[name] ?? [name])]
  })
  return [spec, new Map(rows)]
}

export const SPECS: readonly string[] = [...algorithmsBySpec.keys()]

/** What a key is. */
export interface Kind {
  readonly spec: string
  readonly usage: string
  readonly origin: 'AWS_KMS' | 'EXTERNAL'
}

/** What AWS answers to CreateKey, and keyslot to what it does not offer: `ok` or an error. */
export function outcomeOfCreateKey(request: {
  readonly keySpec?: string
  readonly keyUsage?: string
  readonly origin?: string
  readonly multiRegion?: boolean
}): string {
  const { keySpec = 'SYMMETRIC_DEFAULT', origin = 'AWS_KMS' } = request
  // Only symmetric encryption keys have a usage that goes without saying.
  const implied = keySpec === 'SYMMETRIC_DEFAULT' ? 'ENCRYPT_DECRYPT' : ''
  const usage = request.keyUsage ?? implied
  if (algorithmsOf(keySpec, usage).length === 0) return 'ValidationException'
  const isOffered =
    !NOT_MADE.test(keySpec) && !request.multiRegion && ['AWS_KMS', 'EXTERNAL'].includes(origin)
  return isOffered ? 'ok' : 'UnsupportedOperationException'
}

/** The algorithms of a spec in a usage; none if it does not have the usage. */
export function algorithmsOf(spec: string, usage: string): readonly string[] {
  return algorithmsBySpec.get(spec)?.get(usage) ?? []
}

/** Every algorithm of a usage, whatever the spec. */
export function allAlgorithms(usage: string): readonly string[] {
  return [...new Set(SPECS.flatMap((spec) => algorithmsOf(spec, usage)))]
}

/** Every kind of key that can be made. */
export const KINDS: readonly Kind[] = SPECS.flatMap((spec) =>
  USAGES.flatMap((usage) =>
    (['AWS_KMS', 'EXTERNAL'] as const)
      .map((origin) => ({ spec, usage, origin }))
      .filter(
        ({ origin }) => outcomeOfCreateKey({ keySpec: spec, keyUsage: usage, origin }) === 'ok',
      ),
  ),
)

export const isSymmetric = ({ spec }: Kind) => spec === 'SYMMETRIC_DEFAULT'
export const isPair = ({ spec }: Kind) => !spec.startsWith('HMAC') && spec !== 'SYMMETRIC_DEFAULT'

/** AWS's three types of keys, as far as aliases tell them apart. */
export function typeOf(kind: Kind): 'symmetric' | 'HMAC' | 'asymmetric' {
  if (isSymmetric(kind)) return 'symmetric'
  return isPair(kind) ? 'asymmetric' : 'HMAC'
}
