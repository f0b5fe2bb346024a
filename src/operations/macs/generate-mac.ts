/** GenerateMac. */

import { keyById, operation } from '../operation.ts'
import { macConditions, macKey, prepare } from './mac-rules.ts'

/**
 * Makes the MAC of a message with a key that never leaves the HSM.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html
 */
export const GenerateMac = operation('GenerateMac', {
  needs: { key: keyById({ ...macKey, aliases: true }) },
  changes: false,

  conditions: macConditions,

  rehearse({ request, key }) {
    prepare(key, request)
  },

  async run({ request, key, hsm, limits }) {
    const input = prepare(key, request)
    const mac = await hsm.mac(key, input, limits)
    return { mac, macAlgorithm: input.algorithm, keyId: key.arn }
  },
})
