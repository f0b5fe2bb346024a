/**
 * Wycheproof's vectors of HMAC, through the API: each key is imported, and a key of a length that
 * is not its spec's has to be refused.
 */

import { describe, expect, test } from 'vitest'
import type { MacAlgorithm } from '../../src/model/key-specs.ts'
import { importInto, newExternalKey } from '../operations/import/material.ts'
import { call, useService } from '../operations/service.ts'
import { FILES } from './files.ts'
import { groupsOf, isFull, missing, report, sampled, Tally, type Vector } from './wycheproof.ts'

interface MacVector extends Vector {
  readonly key: string
  readonly msg: string
  readonly tag: string
}

/** Of the keys of a file, by their number of vectors, a usual run imports every so manieth. */
const STEP = 25
/** How many keys of another length than their spec's a usual run tries. */
const OTHER_LENGTHS = isFull ? Number.POSITIVE_INFINITY : 1

describe.skipIf(missing !== undefined)('HMAC of Wycheproof', () => {
  useService()

  test.for(FILES.macs)('%s', { timeout: 600_000 }, async (file, { task }) => {
    const tally = new Tally(file, 'ImportKeyMaterial, GenerateMac, VerifyMac')
    const bits = Number(/sha(\d+)/.exec(file)?.[1])
    const vectors = groupsOf<MacVector>(file).flatMap(({ tests }) => tests)
    const byKey = [...Map.groupBy(vectors, ({ key }) => key)]
    const isOfSpec = ([key]: [string, unknown]) => 4 * key.length === bits
    const fitting = byKey
      .filter(isOfSpec)
      .toSorted(([, one], [, other]) => other.length - one.length)
    const chosen = new Set(sampled(fitting, STEP))
    for (const entry of fitting) {
      const [key, tests] = entry
      if (chosen.has(entry)) await macsOf(key, tests, { bits, tally })
      else for (const vector of tests) tally.notInSample(vector)
    }
    for (const [at, [key, tests]] of byKey.filter((one) => !isOfSpec(one)).entries()) {
      if (at < OTHER_LENGTHS) await refusesImport(key, bits)
      const why = `of a key of ${4 * key.length} bits: HMAC_${bits} takes ${bits} only`
      for (const vector of tests) {
        if (at < OTHER_LENGTHS) tally.refused(vector, why)
        else tally.notInSample(vector)
      }
    }
    report(task, file, [tally])
    expect(tally.row().validAccepted).toBeGreaterThan(0)
  })
})

async function refusesImport(key: string, bits: number): Promise<void> {
  const { keyId } = await newKeyOf(bits)
  const imported = importInto(keyId, Buffer.from(key, 'hex'))
  await expect(imported).rejects.toMatchObject({ name: 'IncorrectKeyMaterialException' })
}

async function macsOf(
  key: string,
  tests: readonly MacVector[],
  { bits, tally }: { readonly bits: number; readonly tally: Tally },
): Promise<void> {
  const { keyId } = await newKeyOf(bits)
  await importInto(keyId, Buffer.from(key, 'hex'))
  const macAlgorithm = `HMAC_SHA_${bits}` as MacAlgorithm
  for (const vector of tests) {
    const request = { keyId, macAlgorithm, message: Buffer.from(vector.msg, 'hex') }
    const mac = Buffer.from(vector.tag, 'hex')
    const made = await call('GenerateMac', request).catch(({ name }: Error) => name)
    const answer = await call('VerifyMac', { ...request, mac }).then(
      ({ macValid }) => macValid,
      ({ name }: Error) => name,
    )
    const what = `vector ${vector.tcId}: ${vector.comment}`
    const isWhole = 8 * mac.length === bits
    if (answer === true) {
      tally.accepted(vector)
      expect(made, what).toMatchObject({ mac })
    } else if (request.message.length === 0) {
      expect([made, answer], what).toEqual(['ValidationException', 'ValidationException'])
      tally.refused(vector, 'of an empty message: the API takes 1 to 4096 bytes')
    } else {
      expect(answer, what).toBe('KMSInvalidMacException')
      const why = `cut to ${8 * mac.length} bits: VerifyMac takes whole MACs`
      tally.refused(vector, isWhole ? undefined : why)
      if (vector.result !== 'valid' || typeof made === 'string') continue
      expect(made.mac.subarray(0, mac.length), what).toEqual(mac)
    }
  }
}

function newKeyOf(bits: number) {
  const keySpec = `HMAC_${bits as 224 | 256 | 384 | 512}` as const
  return newExternalKey({ keySpec, keyUsage: 'GENERATE_VERIFY_MAC' })
}
