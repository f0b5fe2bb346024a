/**
 * The rules of `src/policy` by their tests alone, `npm run test:policy`: a branch that none of them
 * takes fails the run. Generated cases are left out, since they take branches by chance and say
 * of none what it is for.
 */

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/policy/**/*.test.ts'],
    exclude: ['test/policy/{differential,laws}.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    coverage: {
      enabled: true,
      provider: 'v8',
      include: ['src/policy/**'],
      reporter: [['text', { skipFull: true }]],
      reportsDirectory: join(tmpdir(), `keyslot-coverage-${process.pid}`),
      thresholds: { 100: true },
    },
  },
})
