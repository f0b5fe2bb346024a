/** VerifyMac. */

import { timingSafeEqual } from 'node:crypto'
import { fail } from '../../model/failures.ts'
import { keyById, operation } from '../operation.ts'
import { macConditions, macKey, prepare } from './mac-rules.ts'

/**
 * Verifies a MAC: the token makes its own, and the two are compared in constant time.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_VerifyMac.html
 */
export const VerifyMac = operation('VerifyMac', {
  needs: { key: keyById({ ...macKey, aliases: true }) },
  changes: false,

  conditions: macConditions,

  rehearse({ request, key }) {
    prepare(key, request)
  },

  async run({ request, key, hsm, limits }) {
    const input = prepare(key, request)
    const mac = await hsm.mac(key, input, limits)
    const isRight = mac.length === request.mac.length && timingSafeEqual(mac, request.mac)
    if (!isRight) fail('KMSInvalidMacException', 'The MAC is not valid.')
    return { keyId: key.arn, macValid: true, macAlgorithm: input.algorithm }
  },
})
