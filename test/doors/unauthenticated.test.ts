/**
 * Every method of both doors, asked by nobody: only health answers. OpenBao answered administrators'
 * endpoints to anybody (CVE-2026-5807).
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client as Channel, ChannelCredentials, Metadata, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CONTRACT } from '../../src/contract/contract.ts'
import type { RpcName } from '../../src/service.ts'
import { service, useService } from '../operations/service.ts'

useService()

const names = Object.keys(CONTRACT) as RpcName[]
const REFLECTION = ['v1', 'v1alpha'].map(
  (version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
)

let channel: Channel
beforeAll(() => {
  const ca = readFileSync(join(service().config.home, 'tls', 'ca.pem'))
  channel = new Channel(service().service.grpcAddress, ChannelCredentials.createSsl(ca))
})
afterAll(() => channel.close())

/** The status of an empty request. */
function asked(path: string): Promise<number> {
  return new Promise((resolve) => {
    const bytes = (message: Buffer) => message
    const deadline = Date.now() + 20_000
    channel.makeUnaryRequest(
      ...[path, bytes, bytes, Buffer.alloc(0), new Metadata(), { deadline }],
      (error) => resolve(error?.code ?? status.OK),
    )
  })
}

const succeeded = () =>
  service()
    .auditRecords()
    .filter(({ outcome }) => outcome !== 'failed').length

describe('P13: who is nobody', () => {
  test('is refused every method of gRPC', async () => {
    const before = succeeded()
    const paths = names.map((name) => `/${CONTRACT[name].service}/${name}`)
    for (const path of [...paths, ...REFLECTION]) {
      // Where no tokens are taken, not even the connection comes about.
      const refusals = [status.UNAUTHENTICATED, status.UNAVAILABLE]
      expect(refusals.map((code) => `${path} ${code}`)).toContain(`${path} ${await asked(path)}`)
    }
    expect(succeeded()).toBe(before)
  })

  test.each(names)('is refused %s at the AWS door', async (name) => {
    const { awsEndpoint } = service().service
    const body = new URLSearchParams({ Action: name, Version: '2011-06-15' })
    const forms = [
      { target: `TrentService.${name}`, type: 'application/x-amz-json-1.1', body: '{}' },
      { target: '', type: 'application/x-www-form-urlencoded', body: body.toString() },
    ]
    const before = succeeded()
    for (const { target, type, body } of forms) {
      const headers = { 'content-type': type, ...(target ? { 'x-amz-target': target } : {}) }
      const answer = await fetch(awsEndpoint ?? '', { method: 'POST', headers, body })
      expect([400, 403, 404]).toContain(answer.status)
      expect(await answer.text()).toMatch(
        /MissingAuthenticationToken|UnknownOperation|InvalidAction|ValidationError|IncompleteSignature/,
      )
    }
    expect(succeeded()).toBe(before)
  })

  test('is told whether the service is well, and nothing else', async () => {
    const { statusAddress } = service().service
    for (const [path, expected] of [
      ['/healthz', 200],
      ['/readyz', 200],
      ['/metrics', 200],
      ['/', 404],
      ['/keys', 404],
    ] as const) {
      const answer = await fetch(`http://${statusAddress}${path}`)
      const text = await answer.text()
      expect([path, answer.status]).toEqual([path, expected])
      expect(text).not.toMatch(/arn:aws|AKIA|[0-9a-f]{8}-[0-9a-f]{4}-/)
    }
  })
})
