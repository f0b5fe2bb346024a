/**
 * Whether the time that taking a padding off takes tells what is wrong with it: each kind of spoilt
 * block beside those of another first byte, which Manger's attack has to tell apart.
 */

import { randomInt } from 'node:crypto'
import { type OaepHash, oaepMessage } from '../../src/pkcs11/import/oaep.ts'
import { spoiltBlocks } from '../vectors/oaep-blocks.ts'
import type { TimingCase } from './timing-case.ts'

const BLOCK_BYTES = 256
const POOL = 256
const REFERENCE = 'another first byte'

/** The cases. */
export function paddingCases(): readonly TimingCase[] {
  return (['sha1', 'sha256'] as const).flatMap(paddingsWith)
}

function paddingsWith(hash: OaepHash): readonly TimingCase[] {
  const { [REFERENCE]: reference, ...others } = spoiltBlocks(hash, BLOCK_BYTES)
  if (reference === undefined) throw new Error(`no blocks with ${REFERENCE}`)
  const first = poolOf(reference)
  return Object.entries(others).map(([name, make]) => {
    const second = poolOf(make)
    return {
      name: `padding with ${hash}: ${REFERENCE}, or ${name}`,
      prepare(isSecond) {
        const block = (isSecond ? second : first)[randomInt(POOL)] ?? Buffer.alloc(BLOCK_BYTES)
        return () => oaepMessage(block, hash)
      },
    }
  })
}

function poolOf(make: () => Buffer): readonly Buffer[] {
  return Array.from({ length: POOL }, make)
}
