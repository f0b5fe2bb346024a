/**
 * How key material travels into the HSM: one row for each wrapping algorithm.
 * https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-get-public-key-and-token.html
 */

/** A row of the table. */
interface WrappingAlgorithmRow {
  /** The hash of OAEP and of its mask. */
  readonly hash: 'sha1' | 'sha256'
  /** Whether the material is wrapped under an AES key, and only that one under the RSA key. */
  readonly throughAes: boolean
}

/** The table of wrapping algorithms. */
export const WRAPPING_ALGORITHMS = {
  RSAES_OAEP_SHA_1: { hash: 'sha1', throughAes: false },
  RSAES_OAEP_SHA_256: { hash: 'sha256', throughAes: false },
  RSA_AES_KEY_WRAP_SHA_1: { hash: 'sha1', throughAes: true },
  RSA_AES_KEY_WRAP_SHA_256: { hash: 'sha256', throughAes: true },
} as const satisfies Record<string, WrappingAlgorithmRow>

/** A wrapping algorithm that keyslot takes: AWS's AlgorithmSpec without what AWS has withdrawn. */
export type WrappingAlgorithm = keyof typeof WRAPPING_ALGORITHMS

/** Length of the modulus of each wrapping key spec, in bits. */
export const WRAPPING_KEY_BITS = { RSA_2048: 2048, RSA_3072: 3072, RSA_4096: 4096 } as const

/** AWS's WrappingKeySpec, as far as keyslot makes such keys. */
export type WrappingKeySpec = keyof typeof WRAPPING_KEY_BITS

/** The row of a wrapping algorithm. */
export function wrappingAlgorithmRow(algorithm: WrappingAlgorithm): WrappingAlgorithmRow {
  return WRAPPING_ALGORITHMS[algorithm]
}
