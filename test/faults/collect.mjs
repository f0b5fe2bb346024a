/**
 * Preloaded into the HSM process: collects garbage between the call that hands the token its
 * parameters and the one that uses them, at every n-th of these (KEYSLOT_FAULTS_COLLECT_EVERY).
 */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import pkcs11js from 'pkcs11js'

const every = Number(process.env.KEYSLOT_FAULTS_COLLECT_EVERY)
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
const prototype = Object.getPrototypeOf(pkcs11js.PKCS11.prototype)
let calls = 0

for (const name of ['C_Encrypt', 'C_Decrypt']) {
  const call = prototype[name]
  if (typeof call !== 'function') throw new Error(`${name} is not where it was`)
  prototype[name] = function (...input) {
    calls += 1
    if (calls % every === 0) collect()
    return call.apply(this, input)
  }
}
