/** The metrics, in Prometheus' text format. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** The metrics of a service. */
export interface Metrics {
  /** Counts a call that has ended. `outcome` is `ok` or AWS's name of the failure. */
  call(operation: string, door: string, outcome: string, seconds: number): void
  /** Says whether the HSM is ready. */
  hsmReady(ready: boolean): void
  /** Has the calls counted that wait for the HSM in the door, and those that were sent to it. */
  hsmCalls(count: () => { readonly queued: number; readonly sent: number }): void
  /** The registry, for `/metrics`. */
  readonly registry: Registry
}

/** Makes the metrics. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const calls = new Counter({
    name: 'keyslot_calls_total',
    help: 'Calls that have ended, by operation, door and outcome.',
    labelNames: ['operation', 'door', 'outcome'],
    registers: [registry],
  })
  const duration = new Histogram({
    name: 'keyslot_call_duration_seconds',
    help: 'How long calls took.',
    labelNames: ['operation'],
    buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5],
    registers: [registry],
  })
  const ready = new Gauge({
    name: 'keyslot_hsm_ready',
    help: '1 while the HSM process is ready.',
    registers: [registry],
  })
  return {
    call(operation, door, outcome, seconds) {
      calls.inc({ operation, door, outcome })
      duration.observe({ operation }, seconds)
    },
    hsmCalls(count) {
      new Gauge({
        name: 'keyslot_hsm_calls',
        help: 'Calls that wait for the HSM, and calls that were sent to it, now.',
        labelNames: ['state'],
        registers: [registry],
        collect() {
          const { queued, sent } = count()
          this.set({ state: 'queued' }, queued)
          this.set({ state: 'sent' }, sent)
        },
      })
    },
    hsmReady: (isReady) => ready.set(isReady ? 1 : 0),
    registry,
  }
}
