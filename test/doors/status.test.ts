/** The status door: liveness, readiness and metrics, and nothing else. */

import { connect } from 'node:net'
import { Counter, Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type StatusDoor, startStatusDoor } from '../../src/doors/status/server.ts'

let door: StatusDoor
let reasons: string[]
const registry = new Registry()
new Counter({ name: 'tried_total', help: 'Tries.', registers: [registry] }).inc(3)

beforeEach(async () => {
  reasons = []
  const health = { ready: () => reasons.length === 0, reasons: () => reasons }
  door = await startStatusDoor({ listen: { host: '127.0.0.1', port: 0 } }, { health, registry })
})
afterEach(() => door.stop())

async function ask(path: string, method = 'GET', body?: string) {
  const response = await fetch(`http://${door.address}${path}`, { method, body })
  const type = response.headers.get('content-type')
  return { status: response.status, type, text: await response.text() }
}

test('the process lives, whatever the HSM does', async () => {
  reasons = ['the HSM process is down']
  expect(await ask('/healthz')).toMatchObject({ status: 200, text: 'ok' })
})

test('readiness is that of the HSM, with its reasons', async () => {
  const ready = await ask('/readyz')
  expect(ready).toMatchObject({ status: 200, type: 'application/json' })
  expect(JSON.parse(ready.text)).toEqual({ ready: true, reasons: [] })
  reasons = ['the HSM process is down: exit 1']
  const down = await ask('/readyz?verbose')
  expect(down.status).toBe(503)
  expect(JSON.parse(down.text)).toEqual({ ready: false, reasons })
})

test('metrics are those of the registry', async () => {
  const { status, type, text } = await ask('/metrics')
  expect({ status, type }).toEqual({ status: 200, type: registry.contentType })
  expect(text).toContain('tried_total 3')
})

test('there is nothing else, and nothing but GET', async () => {
  for (const path of [
    '/',
    '/healthz/',
    '/healthz/..',
    '//healthz',
    '/metrics%20',
    '/debug/pprof',
  ]) {
    expect((await ask(path)).status).toBe(404)
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
    expect((await ask('/healthz', method)).status).toBe(405)
  }
  expect(
    (await ask('/metrics', 'POST', 'x'.repeat(1_000_000)).catch(() => undefined))?.status,
  ).toSatisfy((status: unknown) => status === 405 || status === undefined)
  expect((await ask('/healthz')).status).toBe(200)
})

test('what is no HTTP, or too long, is cut off', async () => {
  const [host, port] = door.address.split(':')
  const send = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(Number(port), host)
      let heard = ''
      socket.on('data', (data) => {
        heard += data
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve(heard))
      socket.write(text)
    })
  expect(await send('junk\r\n\r\n')).toMatch(/^HTTP\/1.1 400/)
  expect(await send(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(10_000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1.1 431/,
  )
  expect((await ask('/healthz')).status).toBe(200)
})
