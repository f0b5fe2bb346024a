/** No file of vectors is forgotten; and the reasons of those that fit no key of keyslot's hold. */

import { describe, expect, test } from 'vitest'
import { MAC_HASHES } from '../../src/model/asymmetric/schemes.ts'
import { keySpecRow } from '../../src/model/key-specs.ts'
import { FILES } from './files.ts'
import { filesThere, groupsOf, missing, report, Tally } from './wycheproof.ts'

describe.skipIf(missing !== undefined)('the files of Wycheproof', () => {
  test('have a test each', () => {
    expect(filesThere().toSorted()).toEqual(Object.values(FILES).flat().toSorted())
  })

  test('of ML-DSA do not fit, since keyslot makes no such keys', ({ task }) => {
    const why = keySpecRow('ML_DSA_44').refused
    expect(why).toBeTypeOf('string')
    expect([keySpecRow('ML_DSA_65').refused, keySpecRow('ML_DSA_87').refused]).toEqual([why, why])
    report(task, 'ML-DSA', unfit(FILES.mlDsa, `no keys of ML-DSA: ${why}`))
  })

  test('of HMAC with a shortened SHA-512 do not fit, since AWS has no such algorithm', ({
    task,
  }) => {
    const hashes = Object.values(MAC_HASHES)
    expect(hashes.toSorted()).toEqual(['sha224', 'sha256', 'sha384', 'sha512'])
    const why = 'AWS has no HMAC with SHA-512/224 or SHA-512/256'
    report(task, 'HMAC with a shortened SHA-512', unfit(FILES.otherMacs, why))
  })
})

function unfit(files: readonly string[], why: string): readonly Tally[] {
  return files.map((file) => {
    const tally = new Tally(file, 'nothing')
    for (const { tests } of groupsOf(file)) for (const vector of tests) tally.unfit(vector, why)
    return tally
  })
}
