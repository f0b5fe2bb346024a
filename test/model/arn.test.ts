/** The ways of naming a key, and what names none. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  aliasArn,
  isAliasName,
  isKeyId,
  keyArn,
  parseKeyReference,
  rootArn,
} from '../../src/model/arn.ts'

const home = { region: 'eu-central-1', account: '111122223333' }
const keyId = fc.oneof(
  fc.uuid(),
  fc.uuid().map((uuid) => `mrk-${uuid.replaceAll('-', '')}`),
)
const place = fc.record({
  region: fc.stringMatching(/^[a-z]{2}-[a-z]{4,9}-[1-9]$/),
  account: fc.stringMatching(/^[0-9]{12}$/),
})
const aliasName = fc.stringMatching(/^alias\/[a-zA-Z0-9/_-]{1,40}$/)

describe('parseKeyReference', () => {
  test('reads the ARN that was written', () => {
    fc.assert(
      fc.property(place, keyId, aliasName, (where, id, name) => {
        expect(parseKeyReference(keyArn(where, id), home)).toEqual({ ...where, keyId: id })
        expect(parseKeyReference(aliasArn(where, name), home)).toEqual({
          ...where,
          aliasName: name,
        })
      }),
    )
  })

  test('takes a bare id or name to be at home', () => {
    fc.assert(
      fc.property(keyId, aliasName, (id, name) => {
        expect(parseKeyReference(id, home)).toEqual({ ...home, keyId: id })
        expect(parseKeyReference(name, home)).toEqual({ ...home, aliasName: name })
      }),
    )
  })

  test('P9: answers or refuses, whatever the text', () => {
    const near = fc
      .tuple(place, keyId, fc.nat(), fc.string({ maxLength: 2 }))
      .map(([where, id, at, text]) => {
        const arn = keyArn(where, id)
        const cut = at % arn.length
        return arn.slice(0, cut) + text + arn.slice(cut + 1)
      })
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (text) => {
        try {
          const reference = parseKeyReference(text, home)
          const again =
            'keyId' in reference
              ? [keyArn(reference, reference.keyId), reference.keyId]
              : [aliasArn(reference, reference.aliasName), reference.aliasName]
          expect(again).toContain(text)
        } catch (error) {
          expect(['InvalidArnException', 'NotFoundException', 'ValidationException']).toContain(
            (error as Error).name,
          )
        }
      }),
      { numRuns: 1000 },
    )
  })

  test.each([
    ['arn:aws:kms:eu-central-1:111122223333', 'InvalidArnException'],
    ['arn:aws:kms:eu-central-1:111122223333:key/x', 'InvalidArnException'],
    ['arn:aws:kms:eu-central-1:11112222333:alias/a', 'InvalidArnException'],
    ['arn:aws:kms::111122223333:alias/a', 'InvalidArnException'],
    ['arn:aws-cn:kms:eu-central-1:111122223333:alias/a', 'InvalidArnException'],
    ['arn:aws:s3:eu-central-1:111122223333:alias/a', 'InvalidArnException'],
    ['arn:aws:kms:eu-central-1:111122223333:alias/a:b', 'InvalidArnException'],
    ['alias/', 'ValidationException'],
    ['alias/a b', 'ValidationException'],
    ['alias/a\n', 'ValidationException'],
    ['', 'NotFoundException'],
    ['11112222-3333-4444-5555-66667777888', 'NotFoundException'],
    ['11112222-3333-4444-5555-66667777888G', 'NotFoundException'],
    ['11112222-3333-4444-5555-666677778888\n', 'NotFoundException'],
    ['AAAABBBB-3333-4444-5555-666677778888', 'NotFoundException'],
  ])('refuses %j', (text, name) => {
    expect(() => parseKeyReference(text, home)).toThrow(expect.objectContaining({ name }))
  })
})

test('a key id is never the name of an alias', () => {
  fc.assert(
    fc.property(keyId, aliasName, (id, name) => {
      expect([isKeyId(id), isAliasName(id)]).toEqual([true, false])
      expect([isKeyId(name), isAliasName(name)]).toEqual([false, true])
    }),
  )
})

test('the root of an account has an ARN without a Region', () => {
  expect(rootArn('111122223333')).toBe('arn:aws:iam::111122223333:root')
})
