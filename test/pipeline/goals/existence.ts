/**
 * What a stranger learns from the time of a refusal, `npm run test:existence`: asks through the gRPC
 * door for keys of another account that are there, disabled, on their way out or not there, in
 * random order, and prints Welch's t of each against the missing one. It fails from 4.5 on, as the
 * statistic is read for side channels.
 */

import { parseArgs } from 'node:util'
import { startTestService } from '../../harness.ts'
import { choicesOf } from '../../policy/cases.ts'

const T_MAX = 4.5
/** Of the times of a class the longest are the machine's doing: so much is kept. */
const KEPT = 0.9
const WARM_CALLS = 2000

const { values } = parseArgs({ options: { calls: { type: 'string', default: '40000' } } })
const calls = Number(values.calls)
const running = await startTestService()
try {
  process.exitCode = await measure()
} finally {
  await running.stop()
}

async function measure(): Promise<number> {
  const stranger = running.clientOf('999911112222')
  const keys = Object.entries(await keysByState())
  const timesUs = new Map<string, number[]>(keys.map(([state]) => [state, []]))
  const { below } = choicesOf(Date.now())
  for (let call = 0; call < WARM_CALLS + calls; call += 1) {
    const [state, keyId] = keys[below(keys.length)] ?? ['', '']
    const beganMs = performance.now()
    const answer = await stranger
      .call('Encrypt', { keyId, plaintext: Buffer.alloc(16) })
      .catch((error: Error) => error)
    const tookUs = (performance.now() - beganMs) * 1000
    if (!(answer instanceof Error) || answer.name !== 'AccessDeniedException') {
      throw new Error(`${state}: ${answer}`)
    }
    if (call >= WARM_CALLS) timesUs.get(state)?.push(tookUs)
  }
  return report(timesUs)
}

/** Keys of the first account, by what has become of them. */
async function keysByState(): Promise<Record<string, string>> {
  const { client } = running
  const made = await Promise.all([1, 2, 3].map(() => client.call('CreateKey', {})))
  const [present = '', disabled = '', pending = ''] = made.map(
    ({ keyMetadata }) => keyMetadata?.arn ?? '',
  )
  await client.call('DisableKey', { keyId: disabled })
  await client.call('ScheduleKeyDeletion', { keyId: pending })
  return { missing: present.replace(/.{12}$/, '000000000000'), present, disabled, pending }
}

function report(timesUs: ReadonlyMap<string, readonly number[]>): number {
  const missing = moments(timesUs.get('missing') ?? [])
  let worst = 0
  for (const [state, times] of timesUs) {
    const { count, mean, variance } = moments(times)
    const t = (mean - missing.mean) / Math.sqrt(variance / count + missing.variance / missing.count)
    worst = Math.max(worst, Math.abs(t))
    const line = [
      state.padEnd(10),
      `${count} calls`,
      `mean ${mean.toFixed(1)} µs`,
      `t ${t.toFixed(2)}`,
    ]
    process.stdout.write(`${line.join('  ')}\n`)
  }
  process.stdout.write(`worst |t| ${worst.toFixed(2)}, below ${T_MAX} is wanted\n`)
  return worst < T_MAX ? 0 : 1
}

/** Mean and variance of what is kept of some times. */
function moments(times: readonly number[]) {
  const kept = times.toSorted((a, b) => a - b).slice(0, Math.ceil(times.length * KEPT))
  const mean = kept.reduce((sum, each) => sum + each, 0) / kept.length
  const squares = kept.reduce((sum, each) => sum + (each - mean) ** 2, 0)
  return { count: kept.length, mean, variance: squares / (kept.length - 1) }
}
