/** Grant tokens: known by their grant, and by no other. */

import { randomBytes, randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { grantIdOfToken, isGrantToken, newGrantToken } from '../../src/model/grant-token.ts'

const hex = () => randomBytes(32).toString('hex')
const binding = { grantId: hex(), keyId: randomUUID(), account: '111122223333', tokenKey: hex() }

test('a token names its grant, and is another each time', () => {
  const [one, two] = [newGrantToken(binding), newGrantToken(binding)]
  expect(one).not.toBe(two)
  for (const token of [one, two]) {
    expect(grantIdOfToken(token)).toBe(binding.grantId)
    expect(isGrantToken(token, binding)).toBe(true)
  }
})

test('a token is good for its grant, key and account only', () => {
  const token = newGrantToken(binding)
  for (const other of [
    { grantId: hex() },
    { keyId: randomUUID() },
    { account: '444455556666' },
    { tokenKey: hex() },
  ]) {
    expect(isGrantToken(newGrantToken({ ...binding, ...other }), binding)).toBe(false)
    if (!('grantId' in other)) expect(isGrantToken(token, { ...binding, ...other })).toBe(false)
  }
})

test('no other spelling and no flipped bit is good', () => {
  const token = newGrantToken(binding)
  const bytes = Buffer.from(token, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes)
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    expect(isGrantToken(flipped.toString('base64url'), binding)).toBe(false)
  }
  for (const spelling of [`${token}=`, `${token}\n`, ` ${token}`, `${token}AA`, '', 'x']) {
    expect(grantIdOfToken(spelling)).toBeUndefined()
    expect(isGrantToken(spelling, binding)).toBe(false)
  }
})
