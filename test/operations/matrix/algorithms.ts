/** Asks every algorithm of a key, its own and all others. */

import { algorithmsOf, allAlgorithms, NOT_OFFERED } from './documents.ts'
import { type Asker, outcome } from './outcomes.ts'
import type { Subject } from './subjects.ts'

/** The operations by an algorithm, and in which usage. */
const ASKS: readonly {
  readonly usage: string
  readonly name: 'Encrypt' | 'Sign' | 'GenerateMac' | 'DeriveSharedSecret'
  readonly request: (subject: Subject, algorithm: string) => object
}[] = [
  {
    usage: 'ENCRYPT_DECRYPT',
    name: 'Encrypt',
    request: ({ message }, algorithm) => ({ plaintext: message, encryptionAlgorithm: algorithm }),
  },
  {
    usage: 'SIGN_VERIFY',
    name: 'Sign',
    request: ({ message }, algorithm) => ({ message, signingAlgorithm: algorithm }),
  },
  {
    usage: 'GENERATE_VERIFY_MAC',
    name: 'GenerateMac',
    request: ({ message }, algorithm) => ({ message, macAlgorithm: algorithm }),
  },
  {
    usage: 'KEY_AGREEMENT',
    name: 'DeriveSharedSecret',
    request: ({ peer }, algorithm) => ({ publicKey: peer, keyAgreementAlgorithm: algorithm }),
  },
]

/** Lines of `operation algorithm: what it did, what is documented`; the key is Enabled. */
export async function differencesOfAlgorithms(
  subject: Subject,
  asker: Asker,
): Promise<readonly string[]> {
  const differences: string[] = []
  const { keyId, spec } = subject
  for (const { usage, name, request } of ASKS) {
    const own = subject.usage === usage ? algorithmsOf(spec, usage) : []
    for (const algorithm of allAlgorithms(usage)) {
      const offered = NOT_OFFERED.includes(algorithm) ? 'UnsupportedOperationException' : 'ok'
      const expected = own.includes(algorithm) ? offered : 'InvalidKeyUsageException'
      const found = await outcome(asker, name, { keyId, ...request(subject, algorithm) })
      if (found !== expected) differences.push(`${name} ${algorithm}: ${found}, ${expected}`)
    }
  }
  return differences
}
